import { whenItIs } from '../../compute/instances/runLimit.ts';
import { newId } from '../../compute/parts.ts';
import type { Context } from '../../service.ts';
import type { Key } from '../../zonal.ts';
import { aborted, expired, quotaFailure, stockOut } from '../failure.ts';
import { foreseen, soldOut } from '../faulty.ts';
import type { Nodes } from '../nodes/life.ts';
import { hasEnded, type Node } from '../nodes/node.ts';
import type { Operation, Operations } from '../operations.ts';
import { nodeName, queuedName } from '../parts.ts';
import { exceeded } from '../quotas.ts';
import type { Settings } from '../settings.ts';
import type { Tables } from '../tables.ts';
import { failedPrecondition, type Status } from '../tpuError.ts';
import { isInQueue, type QueuedResource, type QueuedState, queuedResource } from './queuedResource.ts';

/** How queued resources wait, are given a node, and end. Each of these returns at once. */
export type Queue = {
  create(resource: QueuedResource, operation: Operation): void;
  /** @throws 400 if it has a node and is not forced */
  remove(key: Key, isForced: boolean, begin: () => Operation): Operation;
  /** What was sold out may be there by now. */
  look(): void;
  /** Its node has been preempted by the service, or deleted by a user. */
  nodeEnded(node: Node, initiator: 'USER' | 'SERVICE'): void;
  pending(): number;
  close(): void;
};

type Runtime = {
  /** What comes next. */
  timer?: NodeJS.Timeout;
  /** Takes back that it is too late some day. */
  unlimit?: () => void;
  /** The operation that makes it, and those that delete it. */
  creating?: Operation;
  deleting: Operation[];
};

export function createQueue(
  context: Context,
  tables: Tables,
  operations: Operations,
  settings: Settings,
  nodes: Nodes,
): Queue {
  const table = tables.queuedResources;
  const runtimes = new Map<string, Runtime>();
  let isClosed = false;
  const idOf = ({ zone, name }: Key) => `${zone}/${name}`;
  const runtimeOf = (key: Key): Runtime => {
    const runtime = runtimes.get(idOf(key)) ?? { deleting: [] };
    runtimes.set(idOf(key), runtime);
    return runtime;
  };
  const clear = (key: Key) => {
    const runtime = runtimeOf(key);
    clearTimeout(runtime.timer);
    delete runtime.timer;
    return runtime;
  };
  const after = (key: Key, ms: number, work: () => void) => {
    const runtime = clear(key);
    if (isClosed) return;
    runtime.timer = setTimeout(() => {
      delete runtime.timer;
      work();
    }, ms);
  };
  const move = (key: Key, state: QueuedState, more: Partial<QueuedResource> = {}) => {
    const before = table.get(key);
    if (!before) return undefined;
    const resource: QueuedResource = { ...before, initiator: 'SERVICE', ...more, state };
    table.put(resource);
    return resource;
  };

  const enter = (resource: QueuedResource) => {
    const { zone, name, validUntil } = resource;
    const key = { zone, name };
    if (validUntil)
      runtimeOf(key).unlimit = whenItIs(validUntil, () => {
        const now = table.get(key);
        if (now && isInQueue(now)) fail(key, expired(validUntil));
      });
    after(key, settings.delays.accepting, () => accept(key));
  };

  const accept = (key: Key) => {
    const resource = move(key, 'ACCEPTED');
    const runtime = runtimeOf(key);
    if (!resource) return;
    if (runtime.creating) operations.finish(runtime.creating, { response: asResponse(context, resource) });
    delete runtime.creating;
    after(key, settings.delays.queueing, () => {
      move(key, 'WAITING_FOR_RESOURCES');
      after(key, settings.delays.queueing, () => provision(key));
    });
  };

  const fail = (key: Key, error: Status) => {
    const { unlimit, creating } = clear(key);
    unlimit?.();
    move(key, 'FAILED', { error });
    if (creating) operations.finish(creating, { error });
  };

  const provision = (key: Key) => {
    const resource = table.get(key);
    if (resource?.state !== 'WAITING_FOR_RESOURCES') return;
    const quota = exceeded(tables, settings, resource);
    if (quota?.when === 'late') return fail(key, quotaFailure(quota));
    const wanted = { ...resource, name: resource.nodeId };
    const none = soldOut(settings, wanted);
    if (none?.fails) return fail(key, stockOut(key.zone));
    // It waits, until the settings change or it is too late.
    if (none) return;
    if (tables.nodes.get({ zone: key.zone, name: resource.nodeId }))
      return fail(key, {
        code: 6,
        message: `Resource '${nodeName(context, { zone: key.zone, name: resource.nodeId })}' already exists`,
      });
    move(key, 'PROVISIONING');
    nodes.create(nodeOf(resource), foreseen(context, wanted), (failure) => {
      if (table.get(key)?.state !== 'PROVISIONING') return;
      runtimeOf(key).unlimit?.();
      if (failure) fail(key, failure);
      else move(key, 'ACTIVE');
    });
  };

  const gone = (key: Key, at?: string) => {
    const { deleting } = clear(key);
    table.remove(key);
    runtimes.delete(idOf(key));
    for (const operation of deleting) operations.finish(operation, {}, at);
  };

  const remove: Queue['remove'] = (key, isForced, begin) => {
    const resource = table.get(key);
    const node = resource && nodeFor(tables, resource);
    if (resource && node && !isForced && !isInQueue(resource) && !isOver(resource))
      throw failedPrecondition(
        `The queued resource ${queuedName(context, key)} is in state ${resource.state} and has nodes; delete them first or use force.`,
      );
    const runtime = clear(key);
    const operation = begin();
    runtime.deleting.push(operation);
    if (resource?.state === 'DELETING') return operation;
    runtime.unlimit?.();
    move(key, 'DELETING', { initiator: 'USER' });
    if (runtime.creating) operations.finish(runtime.creating, { error: aborted(queuedName(context, key)) });
    delete runtime.creating;
    // “All running nodes … will be deleted first”: one that has ended is a record of its own, and stays.
    if (node && isForced && !hasEnded(node)) nodes.remove(node, (at) => gone(key, at));
    else after(key, settings.delays.deleting, () => gone(key));
    return operation;
  };

  const recover = () => {
    for (const operation of tables.operations.all()) operations.finish(operation, {});
    for (const resource of table.all()) {
      if (resource.state === 'DELETING') table.remove(resource);
      else if (resource.state === 'SUSPENDING') move(resource, 'SUSPENDED');
      else if (isInQueue(resource) || resource.state === 'PROVISIONING') {
        move(resource, 'CREATING');
        enter(resource);
      }
    }
  };
  recover();

  return {
    create(resource, operation) {
      table.put(resource);
      runtimeOf(resource).creating = operation;
      enter(resource);
    },
    remove,
    look() {
      for (const resource of table.all())
        if (resource.state === 'WAITING_FOR_RESOURCES' && !runtimeOf(resource).timer) provision(resource);
    },
    nodeEnded({ zone, queuedResource: name = '' }, initiator) {
      const key = { zone, name };
      const wait = initiator === 'USER' ? 0 : settings.suspension;
      if (wait === null || !['ACTIVE', 'PROVISIONING'].includes(table.get(key)?.state ?? '')) return;
      after(key, wait, () => {
        move(key, 'SUSPENDING', { initiator });
        after(key, settings.delays.deleting, () => void move(key, 'SUSPENDED', { initiator }));
      });
    },
    pending: () => [...runtimes.values()].filter(({ timer }) => timer).length,
    close() {
      isClosed = true;
      for (const { timer, unlimit } of runtimes.values()) {
        clearTimeout(timer);
        unlimit?.();
      }
    },
  };
}

const isOver = ({ state }: QueuedResource) => state === 'FAILED' || state === 'SUSPENDED';

const nodeFor = ({ nodes }: Tables, { zone, nodeId, name }: QueuedResource): Node | undefined => {
  const node = nodes.get({ zone, name: nodeId });
  return node?.queuedResource === name ? node : undefined;
};

function nodeOf(resource: QueuedResource): Node {
  const { name, zone, nodeId, node, acceleratorType, provisioningModel } = resource;
  return {
    id: newId(),
    name: nodeId,
    zone,
    state: 'CREATING',
    body: node,
    acceleratorType,
    provisioningModel,
    queuedResource: name,
    created: new Date().toISOString(),
  };
}

const asResponse = (context: Context, resource: QueuedResource) => ({
  '@type': 'type.googleapis.com/google.cloud.tpu.v2.QueuedResource',
  ...queuedResource(context, resource),
});
