import Table from 'cli-table3';
import pLimit from 'p-limit';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import { currentAttempt, type JobRecord } from '../../shared/jobs/jobRecord.ts';
import { costOf } from '../../shared/jobs/spent.ts';
import { connect, type Where } from '../connect.ts';
import { ago } from '../duration.ts';
import { costWords } from './costWords.ts';
import { openJobs } from './open.ts';
import { stateWords } from './stateWords.ts';

export type ListOptions = Where & { json?: true; all?: true };

/** So many are shown unless all are asked for. */
const shown = 20;
const atATime = 16;

/** @returns the exit code */
export async function list({ json, all, ...where }: ListOptions): Promise<number> {
  await connect(where);
  const { records } = await openJobs();
  const limit = pLimit(atATime);
  const reading: Promise<JobRecord | string | undefined>[] = [];
  for await (const name of records.list('jobs/')) {
    const id = name.slice('jobs/'.length, -'.json'.length);
    // One that cannot be read must not hide the others.
    reading.push(limit(() => readJobRecord(records, id).catch((error: Error) => error.message)));
  }
  const read = await Promise.all(reading);
  const jobs = read
    .filter((one) => typeof one === 'object')
    .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1));
  for (const one of read) if (typeof one === 'string') console.error(pc.red(clean(one.slice(0, 500))));
  const now = Date.now();
  const some = all ? jobs : jobs.slice(0, shown);
  if (json) {
    console.log(
      JSON.stringify(
        some.map((record) => summaryOf(record, now)),
        undefined,
        2,
      ),
    );
    return 0;
  }
  if (jobs.length === 0) console.log('There is no job yet. npx gazeline job submit FILE starts one.');
  else console.log(tableOf(some, now));
  if (some.length < jobs.length)
    console.log(pc.dim(`… and ${jobs.length - some.length} more; --all shows them`));
  return 0;
}

function summaryOf(record: JobRecord, now: number) {
  const { id, job, state, reason, createdAt, owner, attempts } = record;
  const { dollars, complete } = costOf(record, now);
  return {
    id,
    name: job.name,
    owner,
    state,
    reason,
    createdAt,
    attempts: attempts.length,
    machine: machineOf(record),
    cost: { dollars, complete },
  };
}

function machineOf(record: JobRecord): string {
  const { candidate } = currentAttempt(record) ?? {};
  return candidate
    ? `${candidate.machineType} ${candidate.model === 'spot' ? 'spot ' : ''}in ${candidate.zone}`
    : '';
}

function tableOf(jobs: JobRecord[], now: number): string {
  const table = new Table({
    head: ['id', 'state', 'submitted', 'machine', 'cost', ''],
    style: { head: [], border: [], compact: true },
  });
  for (const record of jobs)
    table.push([
      record.id,
      stateWords(record.state),
      ago(record.createdAt, now),
      machineOf(record),
      costWords(record, now),
      pc.dim(shortened(clean(record.reason ?? ''))),
    ]);
  return table.toString();
}

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
