import { GuardRecord, guardRecordName } from '../shared/budget/guardRecord.ts';
import { isAtLeast } from '../shared/budget/levels.ts';
import { deleteLeftovers } from '../shared/machines/idle/deleteLeftovers.ts';
import { forgetGone } from '../shared/machines/idle/forgetGone.ts';
import type { IdleDependencies } from '../shared/machines/idle/lookAt.ts';
import { urgent } from '../shared/machines/idle/policy.ts';
import { sweepIdle } from '../shared/machines/idle/sweepIdle.ts';
import { type TpuDependencies, tellOfTpus } from '../shared/machines/idle/tellOfTpus.ts';
import type { Machines } from '../shared/machines/machines.ts';
import type { Records } from '../shared/storage/records.ts';

export type IdleSweepDependencies = IdleDependencies &
  Pick<TpuDependencies, 'tpus' | 'prices'> & { remove: Machines['remove'] };

/**
 * Stops the machines of the project that nobody uses, whoever made them. It is not part of `machine-sweep`, which looks
 * after jobs each minute and must not wait for Monitoring, nor for a machine that takes minutes to stop.
 */
export async function idleSweep(
  { time }: { time: Date },
  dependencies: IdleSweepDependencies,
): Promise<void> {
  const { records, policy, isRehearsal, log, now } = dependencies;
  const isUrgent = await isBudgetSpent(records, now());
  const given = { ...dependencies, policy: isUrgent ? urgent(policy) : policy };
  const { machines, results, unseen, complete } = await sweepIdle(async () => true, given);
  if (unseen.length > 0) log.warning('not all zones answered; nothing is concluded of them', { unseen });
  if (results.length > 0) log.info('idle machines', { results, complete, isUrgent, isRehearsal });
  await deleteLeftovers(machines, given);
  try {
    await tellOfTpus(given);
  } catch (error) {
    log.error('people could not be told of TPUs, and will be', { error });
  }
  // Once a day.
  const isNight = time.getUTCHours() === 4 && time.getUTCMinutes() < 5;
  if (isNight && unseen.length === 0)
    await forgetGone(
      machines.map(({ id }) => id),
      given,
    );
}

/** The guard stops idle machines sooner; what it has warned of must not be called in use by a slower look. */
async function isBudgetSpent(records: Records, now: number): Promise<boolean> {
  const guard = (await records.read(guardRecordName, GuardRecord))?.value;
  return guard !== undefined && Date.parse(guard.period.end) > now && isAtLeast(guard.level, 'stop-idle');
}
