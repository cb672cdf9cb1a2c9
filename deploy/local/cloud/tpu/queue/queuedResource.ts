import type { Context } from '../../service.ts';
import type { NodeBody } from '../nodes/body.ts';
import { locationName, queuedName } from '../parts.ts';
import type { Status } from '../tpuError.ts';
import type { QueueingPolicy } from './body.ts';

export type QueuedState =
  | 'CREATING'
  | 'ACCEPTED'
  | 'WAITING_FOR_RESOURCES'
  | 'PROVISIONING'
  | 'ACTIVE'
  | 'SUSPENDING'
  | 'SUSPENDED'
  | 'FAILED'
  | 'DELETING';

/** A queued resource as it is stored. */
export type QueuedResource = {
  name: string;
  zone: string;
  state: QueuedState;
  /** Who brought it into this state. */
  initiator: 'USER' | 'SERVICE';
  created: string;
  /** When it fails if there was no TPU until then. */
  validUntil?: string;
  queueingPolicy?: QueueingPolicy;
  guaranteed?: object;
  provisioningModel: 'SPOT' | 'STANDARD';
  acceleratorType: string;
  nodeId: string;
  node: NodeBody;
  /** Why it has FAILED. */
  error?: Status;
};

/** It has not been given a TPU yet. */
export const isInQueue = ({ state }: QueuedResource): boolean =>
  state === 'CREATING' || state === 'ACCEPTED' || state === 'WAITING_FOR_RESOURCES';

/** States have data of their own, of which only that of FAILED holds anything. */
const dataOf: { [state in QueuedState]?: string } = {
  CREATING: 'creatingData',
  ACCEPTED: 'acceptedData',
  PROVISIONING: 'provisioningData',
  ACTIVE: 'activeData',
  SUSPENDING: 'suspendingData',
  SUSPENDED: 'suspendedData',
  FAILED: 'failedData',
  DELETING: 'deletingData',
};

/** https://cloud.google.com/tpu/docs/reference/rest/v2/projects.locations.queuedResources */
export function queuedResource(context: Context, resource: QueuedResource): object {
  const { zone, state, initiator, created, queueingPolicy, provisioningModel } = resource;
  const { guaranteed, nodeId, node, error } = resource;
  const data = dataOf[state];
  return {
    name: queuedName(context, resource),
    createTime: created,
    tpu: { nodeSpec: [{ parent: locationName(context, zone), nodeId, node }] },
    ...(provisioningModel === 'SPOT' ? { spot: {} } : { guaranteed: guaranteed ?? {} }),
    ...(queueingPolicy ? { queueingPolicy } : {}),
    state: {
      state,
      stateInitiator: initiator,
      ...(data ? { [data]: error && state === 'FAILED' ? { error } : {} } : {}),
    },
  };
}
