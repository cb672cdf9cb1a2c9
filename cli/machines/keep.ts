import { clean } from '../../shared/clean.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { whatOf } from '../../shared/machines/idle/idleMachine.ts';
import { idleVms } from '../../shared/machines/idle/idleVms.ts';
import { faultOfDay, keepMachine, machinesCalled } from '../../shared/machines/idle/keepMachine.ts';
import { tpuRows, whyNotOfTpu } from '../../shared/machines/idle/tpuRows.ts';
import { protectUntilLabel } from '../../shared/machines/protection.ts';
import { tpuNodes } from '../../shared/machines/tpuNodes.ts';
import { Refusal } from '../../shared/refusal.ts';
import { connect, type Where } from '../connect.ts';

export type KeepOptions = Where & { until?: string };

/**
 * Protects a machine until the end of a day, whether or not a countdown runs.
 * @returns the exit code
 */
export async function keep(name: string, { until, ...where }: KeepOptions): Promise<number> {
  const day = until ?? new Date().toISOString().slice(0, 10);
  const fault = faultOfDay(day, Date.now());
  if (fault) throw new Refusal(fault);
  await connect(where);
  const vms = idleVms(config().project, await clients.compute());
  const { found, unseen } = await machinesCalled(vms, name);
  const [machine, other] = found;
  if (machine && other)
    throw new Refusal(`There are several: ${found.map(whatOf).join(', ')}. Name one of them so.`);
  if (!machine) {
    const { tpus } = await tpuRows(tpuNodes(config().project, await clients.tpu()));
    const tpu = tpus.find((one) => one.name === name || whatOf(one) === name);
    if (tpu) throw new Refusal(whyNotOfTpu(tpu, 'keep'));
    const missing = unseen.length > 0 ? `; these did not answer: ${unseen.join(', ')}` : '';
    throw new Refusal(`There is no machine ${clean(name)}${clean(missing)}.`);
  }
  await keepMachine(vms, machine, day);
  console.log(
    `${clean(whatOf(machine))} is kept until the end of ${day}, by its label ${protectUntilLabel}.`,
  );
  return 0;
}
