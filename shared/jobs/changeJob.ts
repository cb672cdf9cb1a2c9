import type { Records } from '../storage/records.ts';
import { advance, type JobEvent } from './advance.ts';
import { JobRecord, jobRecordName } from './jobRecord.ts';

/** @returns undefined if there is no such job */
export async function readJobRecord(records: Records, id: string): Promise<JobRecord | undefined> {
  return (await records.read(jobRecordName(id), JobRecord))?.value;
}

/**
 * Lets something happen to a job, if it still can by then.
 * @param isWanted looks at what the job is just before; false leaves it as it is
 * @returns the job as it is now, or undefined if there is none; `changed` tells whether this was the cause
 */
export async function changeJob(
  records: Records,
  id: string,
  event: JobEvent,
  isWanted: (record: JobRecord) => boolean = () => true,
): Promise<{ record: JobRecord; changed: boolean } | undefined> {
  let changed = false;
  const record = await records.update(jobRecordName(id), JobRecord, (before): JobRecord | undefined => {
    changed = false;
    if (!before || !isWanted(before)) return undefined;
    const after = advance(before, event);
    changed = after !== before;
    return changed ? after : undefined;
  });
  return record && { record, changed };
}
