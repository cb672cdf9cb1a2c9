import type { Stopped } from '../machines.ts';
import { decide } from './decide.ts';
import { type IdleMachine, workbenchOf } from './idleMachine.ts';
import { decided, IdleRecord, idleRecordName } from './idleRecord.ts';
import { countdownOf, type IdleDependencies, type Look } from './lookAt.ts';

/** Longer than a machine may take to stop. */
const lease = 10 * 60_000;

type Outcome = { what: 'stopped' | 'stopping' | 'failed'; words?: string };

/**
 * Stops a machine whose countdown is over, once, however many sweeps are at it; and looks at it once more before, for
 * somebody may have come back in the last second.
 * @returns undefined if it was not stopped after all
 */
export async function stopIdleMachine(
  { machine, decision, before, generation }: Look,
  isWanted: () => Promise<boolean>,
  dependencies: IdleDependencies,
): Promise<Outcome | undefined> {
  const { records, vms, policy, now } = dependencies;
  if (before?.busyUntil && Date.parse(before.busyUntil) > now()) return undefined;
  const name = idleRecordName(machine.id);
  const at = new Date(now()).toISOString();
  const record = decided(before, machine, decision, { isRehearsal: false, now: now() });
  const busyUntil = new Date(now() + lease).toISOString();
  if (!(await records.write(name, { ...record, busyUntil }, generation))) return undefined;
  let outcome: Outcome | undefined;
  try {
    const latest = await vms.look(machine);
    if (latest?.id !== machine.id || !(await isWanted())) return undefined;
    const counted = { ...latest, ...countdownOf(latest, record, false) };
    if (decide(counted, decision.evidence, policy, now()).do !== 'stop') return undefined;
    outcome = outcomeOf(await stopMachine(latest, dependencies));
    return outcome;
  } finally {
    await records.update(name, IdleRecord, (current: IdleRecord | undefined): IdleRecord | undefined => {
      if (!current) return undefined;
      const { busyUntil: _, ...rest } = current;
      return outcome ? { ...rest, outcome: { at, ...outcome } } : rest;
    });
  }
}

export async function stopMachine(
  machine: IdleMachine,
  {
    compute,
    workbench,
    discardLocalSsd,
  }: Pick<IdleDependencies, 'compute' | 'workbench' | 'discardLocalSsd'>,
): Promise<Stopped> {
  const { zone, name } = machine;
  const instance = workbenchOf(machine);
  const stopped = instance === undefined ? undefined : await workbench.stop(zone, instance);
  return stopped ?? compute.stop(zone, name, { discardLocalSsd });
}

/** An operation that has ended with an error has stopped nothing. */
const outcomeOf = ({ stopped, failure }: Stopped): Outcome =>
  failure ? { what: 'failed', words: failure.words } : { what: stopped ? 'stopped' : 'stopping' };
