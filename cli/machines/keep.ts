import { clean } from '../../shared/clean.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { whatOf } from '../../shared/machines/idle/idleMachine.ts';
import { idleVms } from '../../shared/machines/idle/idleVms.ts';
import { protectUntilLabel } from '../../shared/machines/protection.ts';
import { connect, type Where } from '../connect.ts';
import { Refusal } from '../refusal.ts';

export type KeepOptions = Where & { until?: string };

/**
 * Protects a machine until the end of a day, whether or not a countdown runs.
 * @returns the exit code
 */
export async function keep(name: string, { until, ...where }: KeepOptions): Promise<number> {
  const day = until ?? new Date().toISOString().slice(0, 10);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day)))
    throw new Refusal(`“${day}” is not a day. Write it as 2026-12-24.`);
  if (Date.parse(day) + 24 * 3_600_000 < Date.now()) throw new Refusal(`${day} is over.`);
  await connect(where);
  const vms = idleVms(config().project, await clients.compute());
  const { machines, unseen } = await vms.list();
  const found = machines.filter((one) => one.name === name || whatOf(one) === name);
  const [machine, other] = found;
  if (machine && other)
    throw new Refusal(`There are several: ${found.map(whatOf).join(', ')}. Name one of them so.`);
  if (!machine) {
    const missing = unseen.length > 0 ? `; these did not answer: ${unseen.join(', ')}` : '';
    throw new Refusal(`There is no machine ${clean(name)}${clean(missing)}.`);
  }
  await vms.label(machine, protectUntilLabel, day);
  console.log(
    `${clean(whatOf(machine))} is kept until the end of ${day}, by its label ${protectUntilLabel}.`,
  );
  return 0;
}
