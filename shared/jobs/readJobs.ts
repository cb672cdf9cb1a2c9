import pLimit from 'p-limit';
import { BadRecord, type Records } from '../storage/records.ts';
import { readJobRecord } from './changeJob.ts';
import type { JobRecord } from './jobRecord.ts';

const atATime = 16;

/** All jobs, the newest first. One that cannot be read must not hide the others: it is told why, in words. */
export async function readJobs(records: Records): Promise<{ jobs: JobRecord[]; unreadable: string[] }> {
  const ids: string[] = [];
  for await (const name of records.list('jobs/')) ids.push(name.slice('jobs/'.length, -'.json'.length));
  const limit = pLimit(atATime);
  const read = await Promise.all(ids.map((id) => limit(() => readJobRecord(records, id).catch(wordsOfBad))));
  return {
    jobs: read
      .filter((one) => typeof one === 'object')
      .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1)),
    unreadable: read.filter((one) => typeof one === 'string'),
  };
}

/** No answer is another thing: then there may well be a job. */
function wordsOfBad(error: unknown): string {
  if (error instanceof BadRecord) return error.message;
  throw error;
}
