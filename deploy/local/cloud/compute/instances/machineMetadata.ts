import type { Context } from '../../service.ts';
import type { MachineMetadata } from '../metadataTree.ts';
import { type Instance, isSpot, metadataOf } from './instance.ts';
import { accountOf } from './resource.ts';

export const projectNumber = '100000000000';

/** What an instance's metadata server says of it. */
export function machineMetadata(context: Context, instance: Instance): MachineMetadata {
  const { id, name, zone, machineType, body } = instance;
  const preemptible = isSpot(instance);
  const [account] = body.serviceAccounts ?? [];
  const { scheduling } = body;
  return {
    id,
    name,
    zone,
    machineType,
    project: context.project,
    numericProject: projectNumber,
    attributes: metadataOf(instance),
    preempted: false,
    scheduling: {
      preemptible,
      automaticRestart: scheduling.automaticRestart ?? !preemptible,
      onHostMaintenance: scheduling.onHostMaintenance ?? (preemptible ? 'TERMINATE' : 'MIGRATE'),
    },
    ...(account
      ? { serviceAccount: { email: accountOf(context, account.email), scopes: account.scopes } }
      : {}),
    guestAttributes: {},
  };
}
