import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { dollars } from '../../shared/machines/prices.ts';
import type { PriceTable } from '../../shared/machines/priceTable.ts';
import type { SessionRecord } from '../../shared/sessions/sessionRecord.ts';
import { summaryOf } from '../../shared/sessions/summary.ts';
import { ago, durationOf } from '../duration.ts';
import { localTime } from '../job/localTime.ts';
import { row } from '../job/row.ts';
import { stateWords } from './stateWords.ts';

const shown = 10;

/** All that is known of a session, for a person. */
export function showWords(record: SessionRecord, prices: PriceTable, now: number, isLocal: boolean): string {
  const { session, history, tries } = record;
  const { name, owner, state, reason, createdAt, startedAt, endsAt, link, cost, diskGb, ...rest } = summaryOf(
    record,
    prices,
  );
  const { machineType, zone, accelerator, image, repository, ref, idleMinutes, hours } = rest;
  const paid = isLocal ? pc.dim(' by list price; on a local cloud nothing is really paid') : '';
  const amount = (value: number | null) => (value === null ? 'not known' : dollars(value));
  return [
    `${pc.bold(name)}  ${stateWords(state)}${reason ? `: ${clean(reason)}` : ''}`,
    '',
    ...(link ? [row('open', `${pc.cyan(link)}${isLocal ? '' : pc.dim(` as ${clean(owner)}`)}`)] : []),
    row('owner', clean(owner)),
    row('made', `${localTime(createdAt)}, ${ago(createdAt, now)}`),
    ...(startedAt && endsAt
      ? [
          row(
            'runs',
            `since ${localTime(startedAt)}; it is stopped in ${durationOf(Date.parse(endsAt) - now)}, ${localTime(endsAt)}`,
          ),
        ]
      : []),
    row('machine', machineType ? `${machineType} (${accelerator}) in ${zone}` : 'none yet'),
    row('image', image),
    row('disks', `${diskGb} GB, kept when it is stopped`),
    row(
      'cost',
      `${amount(cost.perHour)} an hour; stopped, ${amount(cost.perMonthStopped)} a month for its disks${paid}`,
    ),
    ...(repository ? [row('repository', clean(`${repository} at ${ref}`))] : []),
    ...(session.data.length > 0
      ? [row('data', clean(session.data.map(({ bucket, prefix }) => `${bucket}/${prefix}`).join(', ')))]
      : []),
    row(
      'ends',
      `${hours} hours after a start if it is not prolonged, or after ${idleMinutes} minutes without use`,
    ),
    ...(tries.length > 0
      ? ['', pc.bold('Where there was none'), ...tries.slice(-shown).map((one) => `  ${tryWords(one)}`)]
      : []),
    '',
    pc.bold('History'),
    ...history
      .slice(-shown)
      .map((line) =>
        `  ${pc.dim(localTime(line.at))} ${stateWords(line.state)} ${pc.dim(clean(line.reason ?? ''))}`.trimEnd(),
      ),
  ].join('\n');
}

export const tryWords = ({ zone, words }: SessionRecord['tries'][number]): string =>
  `${zone}: ${clean(words.replace(/ \(.*/s, ''))}`;
