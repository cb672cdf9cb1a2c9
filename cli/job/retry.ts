import { isEnd } from '../../shared/jobs/jobRecord.ts';
import { Refusal } from '../../shared/refusal.ts';
import { connect, type Where } from '../connect.ts';
import { findJob } from './findJob.ts';
import { openJobs } from './open.ts';
import { type StartOptions, start } from './start.ts';

export type RetryOptions = Where & Omit<StartOptions, 'key'>;

/** @returns the exit code, as that of `submit` */
export async function retry(written: string, { dir, ...options }: RetryOptions): Promise<number> {
  await connect({ ...(dir === undefined ? {} : { dir }) });
  const jobs = await openJobs();
  const { id, state, job, commit } = await findJob(jobs.records, written);
  if (!isEnd(state))
    throw new Refusal(`${id} is not over (${state}). End it first: npx gazeline job cancel ${id}`);
  console.error(`${id} once more${commit ? `; then ${job.ref} was ${commit.slice(0, 12)}` : ''}.`);
  return start(jobs, job, options);
}
