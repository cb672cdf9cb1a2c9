import type { tpu_v2 } from 'googleapis/build/src/apis/tpu/v2.js';
import type { Machine } from './machines.ts';

export type Node = tpu_v2.Schema$Node;
export type Queued = tpu_v2.Schema$QueuedResource;

/** It has no TPU yet. WAITING_FOR_RESOURCES was ACCEPTED before: https://cloud.google.com/tpu/docs/queued-resources */
export const isInQueue = (queued: Queued): boolean =>
  ['STATE_UNSPECIFIED', 'CREATING', 'ACCEPTED', 'WAITING_FOR_RESOURCES', 'PROVISIONING'].includes(
    stateOf(queued),
  );

/** What it was given is not there any more, or never was; it is only a record, and takes of the quota all the same. */
export const isOver = (queued: Queued): boolean =>
  ['FAILED', 'SUSPENDING', 'SUSPENDED'].includes(stateOf(queued));

export const stateOf = ({ state }: Queued): string => state?.state ?? 'STATE_UNSPECIFIED';

/** TERMINATED: it “has been terminated due to maintenance or has reached the end of its life cycle”. */
export const isTaken = (node: Node | undefined, queued: Queued | undefined): boolean =>
  node?.state === 'PREEMPTED' ||
  node?.state === 'TERMINATED' ||
  (queued !== undefined &&
    ['SUSPENDING', 'SUSPENDED'].includes(stateOf(queued)) &&
    queued.state?.stateInitiator === 'SERVICE');

/** The zone and the last part of `projects/P/locations/ZONE/nodes/NAME`. */
export const placeOf = (resource: string | null | undefined): { zone: string; name: string } => {
  const [, zone = '', name = ''] = /\/locations\/([^/]+)\/[^/]+\/([^/]+)$/.exec(resource ?? '') ?? [];
  return { zone, name };
};

/** A queued resource and its node are two records of one machine. Either may be there without the other. */
export function machineOf(node: Node | undefined, queued: Queued | undefined): Machine {
  const { zone, name } = placeOf(node?.name ?? queued?.name);
  const labels = node?.labels ?? labelsOf(queued);
  return {
    kind: 'tpu',
    name,
    zone,
    status: statusOf(node, queued),
    labels,
    createdAt: utc(queued?.createTime ?? node?.createTime),
    // It is paid from when it is READY, which is told nowhere. This is the last moment that is known before.
    ...(node?.createTime && node.state !== 'CREATING' ? { startedAt: utc(node.createTime) } : {}),
    hardware: {
      machineType: (node ?? queued?.tpu?.nodeSpec?.[0]?.node)?.acceleratorType ?? '',
      guestAccelerators: [],
      model: isSpot(node, queued) ? 'spot' : 'standard',
      localSsdGb: 0,
    },
  };
}

const isSpot = (node: Node | undefined, queued: Queued | undefined): boolean =>
  queued?.spot != null ||
  node?.schedulingConfig?.spot === true ||
  node?.schedulingConfig?.preemptible === true;

export const labelsOf = (queued: Queued | undefined): { [key: string]: string } =>
  queued?.tpu?.nodeSpec?.[0]?.node?.labels ?? {};

function statusOf(node: Node | undefined, queued: Queued | undefined): string {
  if (queued && stateOf(queued) === 'DELETING') return 'DELETING';
  if (node) return node.state ?? 'STATE_UNSPECIFIED';
  return queued && !isInQueue(queued) ? stateOf(queued) : 'WAITING';
}

const utc = (time: string | null | undefined) => new Date(time ?? 0).toISOString();
