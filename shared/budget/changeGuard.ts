import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';
import { raise, release } from './guard.ts';
import { GuardRecord, guardRecordName, openPeriod } from './guardRecord.ts';
import { isAtLeast, type Level } from './levels.ts';
import { type PeriodKind, periodAt } from './period.ts';

export const budgetTopic = 'budget-notified';

/** A person lets the level down to `to`. @returns the record, or undefined if the level was not above it */
export async function releaseGuard(
  records: Records,
  change: { to: Level; by: string; why: string },
  now: number,
): Promise<GuardRecord | undefined> {
  let isChanged = false;
  const record = await records.update(guardRecordName, GuardRecord, (before): GuardRecord | undefined => {
    const after = before && release(before, change, now);
    isChanged = after !== undefined;
    return after;
  });
  return isChanged ? record : undefined;
}

/** A person raises the level, and what it asks for is done. @returns the record, or undefined if it was there already */
export async function raiseGuard(
  { records, publish, periodKind }: { records: Records; publish: Publish; periodKind: PeriodKind },
  change: { to: Level; by: string; why: string },
  now: number,
): Promise<GuardRecord | undefined> {
  const period = periodAt(now, periodKind);
  const record = await records.update(guardRecordName, GuardRecord, (before): GuardRecord | undefined => {
    const isOn = before && before.period.start >= period.start;
    return raise(isOn ? before : openPeriod(before, period, new Date(now).toISOString()), change, now);
  });
  if (!record || !isAtLeast(record.level, change.to)) return undefined;
  // Whether or not it was there already: the one who raised it before may have died before this.
  await publish(budgetTopic, [{ data: { check: {} } }]);
  return record;
}
