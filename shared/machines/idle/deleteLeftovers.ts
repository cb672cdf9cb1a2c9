import type { Machines } from '../machines.ts';
import { protectionOf } from '../protection.ts';
import { type IdleMachine, whatOf, workbenchOf } from './idleMachine.ts';
import { idleNotice } from './idleNotice.ts';
import { IdleRecord, idleRecordName } from './idleRecord.ts';
import type { IdleDependencies } from './lookAt.ts';
import { managedBy } from './managedBy.ts';

type LeftoverDependencies = IdleDependencies & { remove: Machines['remove'] };

/**
 * Deletes machines that the sweep itself has stopped long ago, that nobody has started since, and nobody protects; only if
 * the lab has asked for it. When a machine was stopped must be known. Of Workbench, it leaves that to the owner.
 */
export async function deleteLeftovers(
  machines: IdleMachine[],
  dependencies: LeftoverDependencies,
): Promise<void> {
  const { policy, records, remove, notify, project, isRehearsal, log, now } = dependencies;
  const { deleteAfter } = policy;
  if (deleteAfter === undefined) return;
  for (const machine of machines) {
    const { zone, name, id, status, stoppedAt } = machine;
    const what = whatOf(machine);
    const isOff = status === 'TERMINATED' || status === 'STOPPED';
    if (!isOff || !stoppedAt || now() - Date.parse(stoppedAt) < deleteAfter) continue;
    if (protectionOf(machine, now()) || managedBy(machine) || workbenchOf(machine)) continue;
    try {
      const record = (await records.read(idleRecordName(id), IdleRecord))?.value;
      if (!record || !wasStoppedBy(record, machine)) continue;
      log.warning('it was stopped long ago, and is deleted', { machine: what, stoppedAt, isRehearsal });
      if (isRehearsal) continue;
      const { gone, failure } = await remove(zone, name);
      if (!gone) {
        log.error('a leftover could not be deleted, and will be again', {
          machine: what,
          reason: failure?.words,
        });
        continue;
      }
      const at = new Date(now()).toISOString();
      const deleted: IdleRecord = { ...record, outcome: { at, what: 'deleted' } };
      await records.update(idleRecordName(id), IdleRecord, () => deleted);
      const why = `it was stopped at ${stoppedAt} because it was idle`;
      await notify(idleNotice('idle-done', [{ what, why, outcome: 'deleted' }], { project, at }));
    } catch (error) {
      log.error('a leftover could not be deleted, and will be again', { machine: what, error });
    }
  }
}

/** Its clock and ours may differ a little. */
const skew = 10 * 60_000;

/** And neither started nor stopped by somebody else since. */
const wasStoppedBy = ({ outcome }: IdleRecord, { startedAt, stoppedAt }: IdleMachine): boolean => {
  if (outcome?.what !== 'stopped' && outcome?.what !== 'stopping') return false;
  const asked = Date.parse(outcome.at);
  const stopped = Date.parse(stoppedAt ?? '');
  return Date.parse(startedAt ?? '') < asked && stopped > asked - skew && stopped < asked + 3 * skew;
};
