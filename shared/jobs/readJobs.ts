import { readFolder, type Unreadable } from '../storage/readFolder.ts';
import type { Records } from '../storage/records.ts';
import { readJobRecord } from './changeJob.ts';
import type { JobRecord } from './jobRecord.ts';

/** All jobs, the newest first. */
export async function readJobs(records: Records): Promise<{ jobs: JobRecord[]; unreadable: Unreadable[] }> {
  const { found, unreadable } = await readFolder(records, 'jobs/', (id) => readJobRecord(records, id));
  return {
    jobs: found.sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1)),
    unreadable,
  };
}
