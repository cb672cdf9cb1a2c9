import type { Records } from '../../storage/records.ts';
import { IdleRecord, idleFolder, idleRecordName } from './idleRecord.ts';

/** So long somebody may want to know what became of a machine. */
const remembered = 30 * 24 * 3_600_000;

/** Removes the records of machines that are not there any more. Only where every zone has answered is that known. */
export async function forgetGone(
  ids: string[],
  { records, now }: { records: Records; now: () => number },
): Promise<void> {
  const there = new Set(ids.map(idleRecordName));
  for await (const name of records.list(idleFolder)) {
    if (there.has(name)) continue;
    const record = await records.read(name, IdleRecord);
    if (record && now() - Date.parse(record.value.decidedAt) > remembered)
      await records.remove(name, record.generation);
  }
}
