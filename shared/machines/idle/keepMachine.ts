import { protectUntilLabel } from '../protection.ts';
import { type IdleMachine, whatOf } from './idleMachine.ts';
import type { IdleVms } from './idleVms.ts';

/** Why a day cannot be one until which a machine is kept; undefined if it can. */
export function faultOfDay(day: string, now: number): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day)))
    return `“${day}” is not a day. Write it as 2026-12-24.`;
  return Date.parse(day) + 24 * 3_600_000 < now ? `${day} is over.` : undefined;
}

/** Protects a machine until the end of a day, whether or not a countdown runs. */
export const keepMachine = (vms: IdleVms, machine: IdleMachine, day: string): Promise<void> =>
  vms.label(machine, protectUntilLabel, day);

/** Those that are called so, with or without their zone; and zones that did not answer. */
export async function machinesCalled(
  vms: Pick<IdleVms, 'list'>,
  name: string,
): Promise<{ found: IdleMachine[]; unseen: string[] }> {
  const { machines, unseen } = await vms.list();
  return { found: machines.filter((one) => one.name === name || whatOf(one) === name), unseen };
}
