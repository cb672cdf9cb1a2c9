import type { Records } from '../storage/records.ts';
import { ExportRun, exportName, isOver } from './exportRun.ts';

/**
 * Ends an export at once: deliveries that are still to come find it over, and do nothing. What is in the folder by then
 * stays, and so does an object that is being sent at this moment and has all its bytes there.
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
