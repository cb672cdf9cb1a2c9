import type { Records } from '../../storage/records.ts';
import { IdleRecord, idleRecordName } from './idleRecord.ts';
import type { IdleVms } from './idleVms.ts';
import { readStopLabel, stopLabel, stopLabelValue } from './stopLabel.ts';

/**
 * A person needs a machine for so much longer, from now or from the end of its countdown, whichever is later. Its label
 * holds the countdown, as where somebody has changed it by hand; the record says who it was.
 * @param id of the machine, as its record has it
 * @returns when it is stopped now; undefined if it is not counted down, or not there any more
 */
export async function prolong(
  id: string,
  { by, minutes }: { by: string; minutes: number },
  { vms, records, now }: { vms: Pick<IdleVms, 'look' | 'label'>; records: Records; now: () => number },
): Promise<{ stopAt: string } | undefined> {
  const record = (await records.read(idleRecordName(id), IdleRecord))?.value;
  if (record?.do !== 'warn' || !record.stopAt) return undefined;
  const machine = await vms.look(record);
  if (machine?.id !== id) return undefined;
  const said = Math.max(Date.parse(record.stopAt), readStopLabel(machine.labels[stopLabel]) ?? 0, now());
  const label = stopLabelValue(said + minutes * 60_000);
  const stopAt = new Date(readStopLabel(label) ?? said).toISOString();
  await vms.label(machine, stopLabel, label);
  await records.update(idleRecordName(id), IdleRecord, (current): IdleRecord | undefined => {
    if (current?.do !== 'warn') return undefined;
    const line = { at: new Date(now()).toISOString(), do: 'warn', why: `${by} needs it until ${stopAt}` };
    return { ...current, stopAt, history: [...current.history, line] };
  });
  return { stopAt };
}
