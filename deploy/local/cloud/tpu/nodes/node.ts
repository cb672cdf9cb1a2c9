import type { Context } from '../../service.ts';
import { acceleratorIn } from '../catalogue.ts';
import { nodeName, queuedName } from '../parts.ts';
import type { NodeBody } from './body.ts';

/** STOPPED is one whose guest has powered itself off: what Google's is then, is not said. */
export type NodeState =
  | 'CREATING'
  | 'READY'
  | 'STOPPING'
  | 'STOPPED'
  | 'PREEMPTED'
  | 'TERMINATED'
  | 'DELETING';

/** A node as it is stored. */
export type Node = {
  id: string;
  name: string;
  zone: string;
  state: NodeState;
  /** As it was asked for. */
  body: NodeBody;
  acceleratorType: string;
  provisioningModel: 'SPOT' | 'STANDARD';
  /** The name of the queued resource that made it; it may be gone meanwhile. */
  queuedResource?: string;
  created: string;
};

/** What has ended without being deleted. */
export const hasEnded = ({ state }: Node): boolean => state === 'PREEMPTED' || state === 'TERMINATED';

/** https://cloud.google.com/tpu/docs/reference/rest/v2/projects.locations.nodes */
export function nodeResource(context: Context, node: Node): object {
  const { id, zone, state, body, acceleratorType, provisioningModel, queuedResource, created } = node;
  const { networkConfig, serviceAccount, labels, metadata, ...rest } = body;
  const accelerator = acceleratorIn(zone, acceleratorType);
  const isSpot = provisioningModel === 'SPOT';
  return {
    ...rest,
    name: nodeName(context, node),
    id,
    state,
    createTime: created,
    apiVersion: 'V2',
    acceleratorType,
    ...(accelerator ? { acceleratorConfig: { type: accelerator.type, topology: accelerator.topology } } : {}),
    ...(state === 'READY' ? { health: 'HEALTHY' } : {}),
    networkConfig: {
      ...networkConfig,
      network: networkConfig?.network ?? `projects/${context.project}/global/networks/default`,
    },
    ...(state === 'READY' ? { networkEndpoints: [{ ipAddress: '10.128.0.2', port: 8470 }] } : {}),
    schedulingConfig: { ...(isSpot ? { preemptible: true, spot: true } : {}) },
    serviceAccount: {
      email: serviceAccount?.email ?? `gazeline@${context.project}.iam.gserviceaccount.com`,
      scope: serviceAccount?.scope ?? ['https://www.googleapis.com/auth/cloud-platform'],
    },
    labels: labels ?? {},
    metadata: metadata ?? {},
    ...(queuedResource ? { queuedResource: queuedName(context, { zone, name: queuedResource }) } : {}),
  };
}
