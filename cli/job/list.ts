import Table from 'cli-table3';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { JobRecord } from '../../shared/jobs/jobRecord.ts';
import { jobSummary, machineWords } from '../../shared/jobs/jobSummary.ts';
import { readJobs } from '../../shared/jobs/readJobs.ts';
import { connect, type Where } from '../connect.ts';
import { ago } from '../duration.ts';
import { tellUnreadable } from '../tellUnreadable.ts';
import { costWords } from './costWords.ts';
import { openJobs } from './open.ts';
import { stateWords } from './stateWords.ts';

export type ListOptions = Where & { json?: true; all?: true };

/** So many are shown unless all are asked for. */
const shown = 20;

/** @returns the exit code: 1 if not all could be read */
export async function list({ json, all, ...where }: ListOptions): Promise<number> {
  await connect(where);
  const { records } = await openJobs();
  const { jobs, unreadable } = await readJobs(records);
  const exitCode = tellUnreadable(unreadable);
  const now = Date.now();
  const some = all ? jobs : jobs.slice(0, shown);
  if (json) {
    console.log(
      JSON.stringify(
        some.map((record) => jobSummary(record, now)),
        undefined,
        2,
      ),
    );
    return exitCode;
  }
  if (jobs.length > 0) console.log(tableOf(some, now));
  else if (exitCode === 0) console.log('There is no job yet. npx gazeline job submit FILE starts one.');
  if (some.length < jobs.length)
    console.log(pc.dim(`… and ${jobs.length - some.length} more; --all shows them`));
  return exitCode;
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
      machineWords(record),
      costWords(record, now),
      pc.dim(shortened(clean(record.reason ?? ''))),
    ]);
  return table.toString();
}

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
