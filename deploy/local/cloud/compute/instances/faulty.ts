import type { Context } from '../../service.ts';
import { regionOf } from '../catalogue/zones.ts';
import { ComputeError } from '../computeError.ts';
import { type Failure, quotaFailure, quotaMessage, stockOut, unsupported, vanished } from '../failure.ts';
import { pathTo } from '../parts.ts';
import { exceeded } from '../quotas.ts';
import type { Settings } from '../settings.ts';
import type { Tables } from '../tables.ts';
import { type Instance, provisioningModel } from './instance.ts';

/** By what faults choose their machines. */
export function struck(instance: Instance) {
  const { zone, name, machineType, accelerators } = instance;
  const [accelerator] = accelerators;
  return {
    path: `/zones/${zone}/instances/${name}`,
    machine: {
      name,
      zone,
      region: regionOf(zone),
      machineType,
      ...(accelerator ? { acceleratorType: accelerator.type } : {}),
      provisioningModel: provisioningModel(instance),
    },
  };
}

/**
 * What the operation that makes or starts this machine will fail of, if it will. It is known from the start, so that
 * the same faults in the same order strike the same machines.
 * @throws 403 for a quota that is told at once
 */
export function foreseen(
  context: Context,
  tables: Tables,
  settings: Settings,
  instance: Instance,
): Failure | undefined {
  const { faults, project } = context;
  const path = pathTo(context, `zones/${instance.zone}/instances/${instance.name}`);
  const quota = exceeded(tables.instances.all(), settings, instance);
  if (quota?.when === 'now') throw new ComputeError(403, 'quotaExceeded', quotaMessage(quota));
  if (quota) return quotaFailure(quota);
  const what = struck(instance);
  const fault = faults.strike('compute', ['stockOut', 'vanish'], what);
  if (fault?.kind === 'vanish') return vanished(path);
  if (fault?.code === 'UNSUPPORTED_OPERATION') return unsupported(path);
  return fault && stockOut({ ...instance, project }, fault.code, fault.zonesAvailable);
}
