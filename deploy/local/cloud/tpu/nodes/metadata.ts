import { projectNumber } from '../../compute/instances/machineMetadata.ts';
import type { MachineMetadata } from '../../compute/metadataTree.ts';
import type { Context } from '../../service.ts';
import type { Node } from './node.ts';

/** What the metadata server of a node's one host says of it. */
export function nodeMetadata(context: Context, node: Node): MachineMetadata {
  const { id, name, zone, body, acceleratorType, provisioningModel } = node;
  const { serviceAccount, metadata = {} } = body;
  return {
    id,
    name,
    zone,
    // Google's own names of these hosts are not in its API.
    machineType: acceleratorType,
    project: context.project,
    numericProject: projectNumber,
    attributes: { 'accelerator-type': acceleratorType, 'agent-worker-number': '0', ...metadata },
    preempted: false,
    scheduling: {
      preemptible: provisioningModel === 'SPOT',
      automaticRestart: provisioningModel !== 'SPOT',
      onHostMaintenance: 'TERMINATE',
    },
    serviceAccount: {
      email: serviceAccount?.email ?? `gazeline@${context.project}.iam.gserviceaccount.com`,
      scopes: serviceAccount?.scope ?? ['https://www.googleapis.com/auth/cloud-platform'],
    },
    guestAttributes: {},
  };
}
