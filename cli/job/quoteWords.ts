import Table from 'cli-table3';
import pc from 'picocolors';
import type { Job } from '../../shared/jobs/job.ts';
import type { Offer, Quote } from '../../shared/jobs/quote.ts';
import { spotRule } from '../../shared/machines/candidates.ts';
import { dollars } from '../../shared/machines/prices.ts';
import { durationOf } from '../duration.ts';
import { localTime } from './localTime.ts';

/** For a person who is about to say yes. */
export function quoteWords(job: Job, quote: Quote, now: number, isLocal: boolean): string {
  const { offers, choice, onDemand, asOf } = quote;
  const { hours, money, attempts } = job.limits;
  const lines = [
    choice.estimate?.words ?? '',
    ...(offers.length > 1 ? [tableOf(offers)] : []),
    ...(choice.do === 'wait' ? [pc.yellow(`It has to wait at first: ${choice.reason}.`)] : []),
    ...(onDemand ? [onDemandWords(onDemand)] : []),
    `It ends after ${hours} hours${money === undefined ? '' : ` or ${dollars(money)}`}, and after ${attempts} machines at the latest.`,
    pc.dim(
      `The price table is of ${asOf}, ${ageOf(asOf, now)}.${isLocal ? ' This is a local cloud: nothing is really paid.' : ''}`,
    ),
  ];
  return lines.filter(Boolean).join('\n');
}

function tableOf(offers: Offer[]): string {
  const table = new Table({
    head: ['', 'wanted', 'machine', 'zone', 'paid as', 'an hour', 'at most', ''],
    style: { head: [], border: [], compact: true },
  });
  offers.forEach(({ accelerator, candidate, estimate, isOverLimit, soldOutUntil }, index) => {
    const note = !candidate
      ? 'not offered where it may run'
      : isOverLimit
        ? 'over the limit, never asked for'
        : soldOutUntil
          ? `sold out; not asked for until ${localTime(soldOutUntil).slice(11, 16)}`
          : '';
    table.push([
      index + 1,
      accelerator,
      candidate?.machineType ?? '',
      candidate?.zone ?? '',
      candidate ? paidAs[candidate.model] : '',
      candidate ? amountOf(estimate?.perHour) : '',
      candidate ? amountOf(estimate?.most) : '',
      note,
    ]);
  });
  return table.toString();
}

const paidAs = { spot: 'spot', standard: 'on demand' };

const amountOf = (amount: number | undefined) => (amount === undefined ? 'unknown' : dollars(amount));

function onDemandWords({ estimate }: NonNullable<Quote['onDemand']>): string {
  const when = `Without a spot machine in ${spotRule.minutes} minutes, or after ${spotRule.preemptions} preemptions`;
  return estimate
    ? `${when}, on demand: ${estimate.words}`
    : `${when}: it is not begun on demand, which its limit does not allow.`;
}

const ageOf = (day: string, now: number) => {
  const age = now - Date.parse(day);
  return age < 86_400_000 ? 'today' : `${durationOf(age)} old`;
};
