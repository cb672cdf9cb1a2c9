import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';
import { changeJob } from './changeJob.ts';
import type { Job } from './job.ts';
import { jobDigest, jobId } from './jobId.ts';
import { JobRecord, jobRecordName, newRecord } from './jobRecord.ts';

/** Jobs that are not over, or of which something may be left; so that the sweep need not look at all there ever were. */
export const activeFolder = 'active-jobs/';
export const activeName = (id: string) => `${activeFolder}${id}.json`;

/** The same key was used for another job. */
export class KeyTaken extends Error {
  override name = 'KeyTaken';
}

/**
 * Writes a job down. It is the same job however often it is submitted with its key.
 * @param key chosen by whoever submits: a text of their own for each job that they mean
 * @throws KeyTaken if the key belongs to a job that is not the same
 */
export async function submitJob(
  records: Records,
  { job, key, owner }: { job: Job; key: string; owner: string },
  now: Date,
): Promise<JobRecord> {
  const id = jobId(job.name, key);
  const digest = jobDigest(job);
  // First, so that there is never a job that no sweep looks at.
  await records.write(activeName(id), { since: now.toISOString() }, '0');
  const record = await records.update(jobRecordName(id), JobRecord, (before): JobRecord | undefined =>
    before ? undefined : newRecord({ id, digest, job, owner, createdAt: now.toISOString() }),
  );
  if (record?.digest === digest) return record;
  throw new KeyTaken(`the key of ${id} was used for another job; choose another key, or send the same job`);
}

/** Messages of one job come one after the other. */
export const requestJob = (publish: Publish, id: string): Promise<void> =>
  publish('job-requested', [{ data: { job: id }, orderingKey: id }]);

/** @returns undefined if there is no such job */
export async function cancelJob(
  { records, publish }: { records: Records; publish: Publish },
  id: string,
  now: Date,
): Promise<JobRecord | undefined> {
  const changed = await changeJob(records, id, { type: 'cancel', at: now.toISOString() });
  if (changed) await requestJob(publish, id);
  return changed?.record;
}
