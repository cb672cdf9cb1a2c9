import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { Attempt } from '../../shared/jobs/jobRecord.ts';
import { secondsOf } from '../../shared/jobs/spent.ts';
import { machineName } from '../../shared/machines/names.ts';
import { durationOf } from '../duration.ts';
import { costWords } from './costWords.ts';
import { localTime } from './localTime.ts';
import { row } from './row.ts';
import { groupTries } from './triesWords.ts';

const groupsShown = 5;

/** One machine, by the name that `gcloud compute` knows it by, or the search for one. */
export function attemptLines(job: string, attempt: Attempt, now: number): string[] {
  const { number, candidate, asked, insertedAt, endsAt, releasedAt, outcome, reason, tries, tried } = attempt;
  const groups = groupTries(tries);
  const shown = groups.slice(0, groupsShown);
  return [
    `${pc.bold(`Attempt ${number}`)}${outcome ? `  ${endOf(outcome, reason)}` : ''}`,
    ...(candidate
      ? [
          row(
            'machine',
            clean(`${machineOf(candidate)}, ${candidate.model === 'spot' ? 'spot' : 'on demand'}`),
          ),
          row('', pc.dim(machineName(job, number))),
        ]
      : asked
        ? [row('asks for', clean(machineOf(asked.candidate)))]
        : [row('machine', outcome ? 'none' : 'none yet')]),
    ...(insertedAt
      ? [
          row(
            'from',
            `${localTime(insertedAt)}${releasedAt ? ` to ${localTime(releasedAt)}` : endsAt ? `, at most to ${localTime(endsAt)}` : ''} (${durationOf(secondsOf(attempt, now) * 1000)})`,
          ),
          row('cost', costWords({ attempts: [attempt] }, now)),
        ]
      : []),
    ...(insertedAt && !releasedAt && outcome ? [row('', 'its machine may still be there')] : []),
    ...shown.map(({ words, last }, index) =>
      row(
        index === 0 ? 'no machine' : '',
        `${clean(words)} ${pc.dim(`(last at ${localTime(last.at).slice(11)})`)}`,
      ),
    ),
    ...(shown[0] ? [row('', pc.dim(clean(shown[0].last.words)))] : []),
    ...(groups.length > shown.length ? [row('', pc.dim(`… and other reasons; asked ${tried} times`))] : []),
  ];
}

const machineOf = ({ machineType, accelerator, zone }: NonNullable<Attempt['candidate']>) =>
  `${machineType} (${accelerator}) in ${zone}`;

const endOf = (outcome: string, reason: string | undefined) =>
  reason && outcome !== 'succeeded' && outcome !== reason ? `${outcome}: ${clean(reason)}` : outcome;
