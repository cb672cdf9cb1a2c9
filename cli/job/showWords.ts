import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { type Job, runOf } from '../../shared/jobs/job.ts';
import type { JobRecord } from '../../shared/jobs/jobRecord.ts';
import type { Results } from '../../shared/jobs/results.ts';
import { dollars } from '../../shared/machines/prices.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import { ago } from '../duration.ts';
import { attemptLines } from './attemptLines.ts';
import { costWords } from './costWords.ts';
import { localTime } from './localTime.ts';
import { reportLines } from './reportLines.ts';
import { row } from './row.ts';
import { stateWords } from './stateWords.ts';

/** So many of a list are shown unless all are asked for. */
const shown = 20;

export type ShowSettings = { now: number; all: boolean; isLocal: boolean };

/** All that is known of a job, for a person. Whoever wrote what is quoted, none of it reaches the terminal as it is. */
export function showWords(record: JobRecord, results: Results[], settings: ShowSettings): string {
  const { now, isLocal } = settings;
  const { id, job, state, reason, owner, createdAt, commit, estimate, attempts, retryAt, cancelRequestedAt } =
    record;
  const paid = isLocal ? pc.dim(' by list price; on a local cloud nothing is really paid') : '';
  const lines = [
    `${pc.bold(id)}  ${stateWords(state)}${reason ? `: ${clean(reason)}` : ''}`,
    '',
    row('name', clean(job.name)),
    row('submitted', `${localTime(createdAt)}, ${ago(createdAt, now)}, by ${clean(owner)}`),
    ...(cancelRequestedAt ? [row('cancelled', `asked for at ${localTime(cancelRequestedAt)}`)] : []),
    ...(retryAt && state === 'waiting-for-capacity' ? [row('next try', localTime(retryAt))] : []),
    ...wishes(job, commit),
    ...(estimate ? [row('estimate', clean(estimate.words))] : []),
    row('cost', `${costWords(record, now)}${paid}`),
    ...results.map(({ place, unsaved, attempt, files, bytes }) =>
      row(
        unsaved ? 'left over' : 'results',
        `${countOf(files, 'file')}, ${sizeOf(bytes)}, of attempt ${attempt}: ${pc.cyan(clean(place))}`,
      ),
    ),
    ...(results.length === 0 ? [row('results', 'none yet')] : []),
    ...attempts.flatMap((attempt) => ['', ...attemptLines(id, attempt, now)]),
    ...reportLines(attempts),
    '',
    pc.bold('History'),
    ...historyLines(record, settings),
  ];
  return lines.join('\n');
}

/** What is asked for. */
function wishes(job: Job, commit: string | undefined): string[] {
  const { run, target } = runOf(job);
  const { hours, money, attempts } = job.limits;
  const [kind, file] = Object.entries(job.environment ?? {}).find(([, value]) => value !== undefined) ?? [];
  const at = commit ? `${job.ref} (${commit.slice(0, 12)})` : job.ref;
  const parameters = Object.entries(job.parameters).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return [
    row('runs', clean(`${run} ${[target, ...(job.arguments ?? [])].join(' ')}`)),
    ...(parameters.length > 0 ? [row('parameters', clean(parameters.join(' ')))] : []),
    row('repository', clean(`${job.repository} at ${at}`)),
    ...(kind ? [row('environment', clean(`${kind} ${file}`))] : []),
    ...(job.inputs.length > 0
      ? [row('inputs', clean(job.inputs.map(({ bucket, prefix }) => `${bucket}/${prefix}`).join(', ')))]
      : []),
    row(
      'wanted',
      `${job.accelerators.map(wordsOf).join(', else ')}; spot: ${job.spot}; disk: ${job.disk} GB`,
    ),
    row(
      'limits',
      `${hours} hours, ${money === undefined ? 'no limit of money' : dollars(money)}, ${countOf(attempts, 'attempt')}`,
    ),
  ];
}

function wordsOf(accelerator: Job['accelerators'][number]): string {
  if ('tpu' in accelerator) return accelerator.tpu;
  if ('gpu' in accelerator) return `${accelerator.count} × ${accelerator.gpu}`;
  return `${accelerator.cpu} vCPUs with ${accelerator.memory} GB`;
}

function historyLines({ history }: JobRecord, { all }: ShowSettings): string[] {
  const some = all ? history : history.slice(-shown);
  const left = history.length - some.length;
  return [
    ...(left > 0 ? [pc.dim(`  … ${left} before; --all shows them`)] : []),
    ...some.map(({ at, state, attempt, reason }) =>
      [
        `  ${pc.dim(localTime(at))}`,
        stateWords(state, 22),
        pc.dim(attempt > 0 ? `attempt ${attempt}` : ''),
        pc.dim(clean(reason ?? '')),
      ]
        .join(' ')
        .trimEnd(),
    ),
  ];
}

const countOf = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;
