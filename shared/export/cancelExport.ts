import type { Records } from '../storage/records.ts';
import { ExportRun, exportName, isOver, readExportRun } from './exportRun.ts';

/**
 * Ends an export at once: deliveries that are still to come find it over, and do nothing. What is in the folder by then
 * stays; of what is being sent at this moment, small objects may still arrive.
 * @returns the export as it is now: one that was over is as it was; undefined if there is none
 */
export const cancelExport = (
  records: Records,
  id: string,
  by: string,
  now: Date,
): Promise<ExportRun | undefined> =>
  records.update(exportName(id), ExportRun, (before): ExportRun | undefined =>
    before && !isOver(before)
      ? { ...before, state: 'cancelled', reason: `${by} cancelled it`, endedAt: now.toISOString() }
      : undefined,
  );

export const isCancelled = async (records: Records, id: string): Promise<boolean> =>
  (await readExportRun(records, id))?.state === 'cancelled';
