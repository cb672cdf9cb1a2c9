import pLimit from 'p-limit';
import type { Records } from '../storage/records.ts';
import { readJobRecord } from './changeJob.ts';
import type { JobRecord } from './jobRecord.ts';

const atATime = 16;

/** All jobs, the newest first. One that cannot be read must not hide the others: it is told why, in words. */
export async function readJobs(records: Records): Promise<{ jobs: JobRecord[]; unreadable: string[] }> {
  const limit = pLimit(atATime);
  const reading: Promise<JobRecord | string | undefined>[] = [];
  for await (const name of records.list('jobs/')) {
    const id = name.slice('jobs/'.length, -'.json'.length);
    reading.push(limit(() => readJobRecord(records, id).catch((error: Error) => error.message)));
  }
  const read = await Promise.all(reading);
  return {
    jobs: read
      .filter((one) => typeof one === 'object')
      .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1)),
    unreadable: read.filter((one) => typeof one === 'string'),
  };
}
