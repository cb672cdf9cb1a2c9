import type { Records } from '../storage/records.ts';
import { GuardRecord, guardRecordName } from './guardRecord.ts';
import { isAtLeast } from './levels.ts';

export type OpenForWork = { isOpen: true } | { isOpen: false; reason: string; liftsAt: string };

/** Whether machines may be started for new work; if not, why, and when that is over at the latest. */
export async function isOpenForWork(records: Records, now: number): Promise<OpenForWork> {
  const record = (await records.read(guardRecordName, GuardRecord))?.value;
  if (!record || !isAtLeast(record.level, 'no-new-work')) return { isOpen: true };
  const { level, period, reason = '' } = record;
  // Of the new period nothing is heard yet, so nothing is spent.
  if (Date.parse(period.end) <= now) return { isOpen: true };
  return {
    isOpen: false,
    reason:
      `the budget guard is at ${level} (${reason}): no new work is started before ${period.end}, ` +
      'unless a person releases it or the budget is raised and released',
    liftsAt: period.end,
  };
}
