import Table from 'cli-table3';
import pc from 'picocolors';
import type { CostReport } from '../../shared/budget/costReport.ts';
import { clean } from '../../shared/clean.ts';
import { dollars as exactly } from '../../shared/machines/prices.ts';
import { ago } from '../duration.ts';
import { localTime } from '../job/localTime.ts';
import { row } from '../job/row.ts';

/** Less is not nothing. */
const least = 0.0001;
const dollars = (amount: number) =>
  amount > 0 && amount < least ? `under ${exactly(least)}` : exactly(amount);

/** Milliseconds; three looks are missing by then. */
const late = 20 * 60_000;

/** So many of a list are shown unless all are asked for. */
const shown = 10;

/** For a person who wants to know where the money goes. */
export function costWords(report: CostReport, now: number, all: boolean): string {
  const { spending, savings, isLocal } = report;
  const { asOf, by, prices, unknown, notCovered } = spending;
  const most = all ? Number.POSITIVE_INFINITY : shown;
  const section = (title: string, lines: string[]) =>
    lines.length > 0 ? ['', pc.bold(title), ...lines] : [];
  return [
    `${pc.bold('What is spent')}, by what runs and list prices${prices ? ` of ${prices}` : ''}, as of ${ago(asOf, now)}`,
    ...(now - Date.parse(asOf) > late
      ? [
          pc.yellow(
            '  It is to be looked at every five minutes: cost-tick does not run, or fails. What is spent since is not here.',
          ),
        ]
      : []),
    ...figuresOf(report, now),
    ...section('By whom', sumsOf(by.owner, 'nobody’s name is on it', most)),
    ...section('By what', sumsOf(by.kind, '', most)),
    ...section('By job', sumsOf(by.job, 'no job', most)),
    ...section('By label', sumsOf(by.label, '', most)),
    ...section('What would be saved', savingsTable(savings, most)),
    ...section(
      pc.yellow('Not known'),
      unknown.map((one) => `  ${clean(one)}`),
    ),
    '',
    pc.dim(`Not counted: ${notCovered.join('; ')}.`),
    ...(isLocal ? [pc.dim('This is a local cloud: nothing is really paid.')] : []),
  ].join('\n');
}

function figuresOf({ spending, budget, credit }: CostReport, now: number): string[] {
  const { perHour, today, counted, assumed, guessed, units, billed, estimate, forecast, period } = spending;
  const parts = [
    ...(units.cost > 0 ? [`at most ${dollars(units.cost)} of it for Vision and Natural Language`] : []),
    ...(assumed > 0 ? [`${dollars(assumed)} of it for what cannot be seen now`] : []),
    ...(guessed > 0 ? [`${dollars(guessed)} of it guessed`] : []),
  ];
  return [
    row('now', `${dollars(perHour)} an hour, ${dollars(perHour * 24)} a day`),
    row('today', `${dollars(today)} (a day of US Pacific time, as Google counts)`),
    row('this period', [`${dollars(counted)} since ${localTime(period.start)}`, ...parts].join('; ')),
    ...(billed ? [row('billed', billedWords(billed, now))] : [row('billed', 'nothing is heard of yet')]),
    ...(estimate > counted
      ? [row('estimate', `${dollars(estimate)}: what was billed, and what is counted since`)]
      : []),
    row(
      'at its end',
      `${dollars(forecast)} on ${localTime(period.end)}, if what runs goes on as long as it may`,
    ),
    ...(budget ? [row('budget', budgetWords(budget, estimate))] : []),
    ...(credit ? [row('credit', creditWords(credit))] : []),
  ];
}

function billedWords(
  { cost, heardAt, difference }: NonNullable<CostReport['spending']['billed']>,
  now: number,
) {
  const than = difference < 0 ? 'less' : 'more';
  const size = Math.abs(difference);
  const compared = size < 0.005 ? 'as much as' : `${dollars(size)} ${than} than`;
  return `${money(cost)} by Google, heard ${ago(heardAt, now)}: ${compared} what was counted then (it is up to a day late)`;
}

function budgetWords(
  { amount, left, days, level }: NonNullable<CostReport['budget']>,
  estimate: number,
): string {
  const share = `${Math.floor((1000 * estimate) / amount) / 10} %`;
  const lasts = days === undefined ? '' : `; at this rate it lasts ${daysWords(days)}`;
  return `${dollars(amount)}, of which ${share} is spent and ${dollars(left)} is left${lasts}; the guard is at ${level}`;
}

function creditWords({ left, days, endsBy, isPartlyKnown }: NonNullable<CostReport['credit']>): string {
  const most = isPartlyKnown ? 'at most ' : '';
  const ends = days === undefined ? '' : `; at this rate it ends by ${endsBy}, in ${daysWords(days)}`;
  return `${most}${dollars(left)} is left${ends}`;
}

const daysWords = (days: number) => {
  const whole = Math.floor(days);
  if (whole > 999) return 'for years';
  return whole < 1 ? `${Math.round(days * 24)} hours` : `${whole} day${whole === 1 ? '' : 's'}`;
};

/** What is billed may be less than nothing. */
const money = (amount: number) => (amount < 0 ? `-${dollars(-amount)}` : dollars(amount));

function sumsOf(sums: Record<string, number>, nameless: string, most: number): string[] {
  const known = Object.entries(sums).sort(([, one], [, other]) => other - one);
  // Only what belongs to nothing: the total has said it.
  if (known.every(([name]) => name === '')) return [];
  const lines = known
    .slice(0, most)
    .map(
      ([name, amount]) =>
        `  ${dollars(amount).padStart(13)}  ${name === '' ? pc.dim(nameless) : clean(name)}`,
    );
  return [...lines, ...more(known.length, most)];
}

function savingsTable(savings: CostReport['savings'], most: number): string[] {
  if (savings.length === 0) return [];
  const table = new Table({
    head: ['an hour', 'this period', 'machine or disk', 'by'],
    style: { head: [], border: [], compact: true },
  });
  for (const { what, words, by, perHour, inPeriod } of savings.slice(0, most))
    table.push([dollars(perHour), dollars(inPeriod), clean(`${what} (${words})`), clean(by)]);
  return [table.toString(), ...more(savings.length, most)];
}

const more = (length: number, most: number) =>
  length > most ? [pc.dim(`  … and ${length - most} more; --all shows them`)] : [];
