import { Refusal } from '../../shared/refusal.ts';
import { connect, type Where } from '../connect.ts';
import { findJob } from './findJob.ts';
import { follow } from './follow.ts';
import { logReader } from './logReader.ts';
import { openJobs } from './open.ts';

export type LogsOptions = Where & { json?: true; follow?: true; attempt?: number };

/** @returns the exit code */
export async function logs(written: string, options: LogsOptions): Promise<number> {
  const { json, follow: isFollowed, attempt, ...where } = options;
  await connect(where);
  const jobs = await openJobs();
  const record = await findJob(jobs.records, written);
  if (isFollowed) return follow(jobs, record, { json: json ?? false, only: attempt });
  const numbers = record.attempts.map(({ number }) => number);
  if (attempt !== undefined && !numbers.includes(attempt))
    throw new Refusal(`${record.id} has no attempt ${attempt}; it has ${numbers.length}.`);
  let printed = 0;
  for (const number of attempt === undefined ? numbers : [attempt]) {
    for await (const line of logReader(jobs, record.id, number).lines(true)) {
      console.log(json ? JSON.stringify({ attempt: number, line }) : line);
      printed++;
    }
  }
  if (printed === 0) console.error(`There is no log yet: the job is ${record.state}.`);
  return 0;
}
