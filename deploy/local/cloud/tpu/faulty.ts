import type { Context } from '../service.ts';
import { regionOf } from './catalogue.ts';
import { preemptedInCreation, stockOut } from './failure.ts';
import type { Settings } from './settings.ts';
import type { Status } from './tpuError.ts';

type Wanted = {
  zone: string;
  name: string;
  acceleratorType: string;
  provisioningModel: 'SPOT' | 'STANDARD';
};

/** By what faults choose their nodes. */
export function struck({ zone, name, acceleratorType, provisioningModel }: Wanted) {
  const region = regionOf(zone);
  return {
    path: `/locations/${zone}/nodes/${name}`,
    machine: { name, zone, region, machineType: acceleratorType, acceleratorType, provisioningModel },
  };
}

/** What the settings say of it; undefined if it is to be had. */
export const soldOut = ({ soldOut }: Settings, wanted: Wanted) =>
  soldOut.find(
    (one) =>
      (one.zone ?? wanted.zone) === wanted.zone &&
      (one.acceleratorType ?? wanted.acceleratorType) === wanted.acceleratorType &&
      (one.provisioningModel ?? wanted.provisioningModel) === wanted.provisioningModel,
  );

/** What making this node will fail of, if it will. */
export function foreseen({ faults }: Context, wanted: Wanted): Status | undefined {
  const fault = faults.strike('tpu', ['stockOut', 'vanish'], struck(wanted));
  if (fault?.kind === 'vanish') return preemptedInCreation();
  return fault && stockOut(wanted.zone);
}
