import type { Records } from '../storage/records.ts';
import { readJobRecord } from './changeJob.ts';
import { activeFolder } from './submitJob.ts';

/** Whether a job that is not over may have a TPU. Most labs never have any, and may not even ask for their list. */
export async function mayHaveTpus(records: Records): Promise<boolean> {
  for await (const name of records.list(activeFolder)) {
    try {
      const record = await readJobRecord(records, name.slice(activeFolder.length, -'.json'.length));
      if (record?.job.accelerators.some((one) => 'tpu' in one)) return true;
    } catch {
      // What cannot be read may be anything.
      return true;
    }
  }
  return false;
}
