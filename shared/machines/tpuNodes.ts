import { setTimeout } from 'node:timers/promises';
import type { tpu_v2 } from 'googleapis/build/src/apis/tpu/v2.js';
import { type Failure, failureOf } from './failure.ts';
import { signsOf } from './failureSigns.ts';
import type { Machine, Machines, Paid, Removed, Seen } from './machines.ts';
import {
  isOver,
  isTaken,
  labelsOf,
  machineOf,
  type Node,
  placeOf,
  type Queued,
  stateOf,
} from './tpuMachine.ts';

type CreateRequest = tpu_v2.Params$Resource$Projects$Locations$Queuedresources$Create;
type Operation = tpu_v2.Schema$Operation;

/** A TPU takes minutes to come and to go. */
const firstPause = 250;
const longestPause = 5000;
const removalPatience = 5 * 60_000;

type TpuNodesOptions = { wait: (ms: number) => Promise<unknown>; pageSize: number };

/**
 * TPU nodes, each made by a queued resource of the same name, and gone when both are. A queued resource that has failed or
 * is suspended still takes its part of the quota (https://github.com/marin-community/marin/issues/87), so none is left.
 */
export function tpuNodes(
  project: string,
  { projects: { locations } }: tpu_v2.Tpu,
  { wait = setTimeout, pageSize = 500 }: Partial<TpuNodesOptions> = {},
): Machines<CreateRequest> & Paid {
  const { nodes, queuedResources, operations } = locations;
  const nodeName = (zone: string, name: string) => `projects/${project}/locations/${zone}/nodes/${name}`;
  const queuedName = (zone: string, name: string) =>
    `projects/${project}/locations/${zone}/queuedResources/${name}`;
  const getNode = (zone: string, name: string): Promise<Node | undefined> =>
    orNothing(async () => (await nodes.get({ name: nodeName(zone, name) })).data);
  const getQueued = (zone: string, name: string): Promise<Queued | undefined> =>
    orNothing(async () => (await queuedResources.get({ name: queuedName(zone, name) })).data);
  const getOperation = (name: string): Promise<Operation | undefined> =>
    orNothing(async () => (await operations.get({ name })).data);
  const getBoth = (zone: string, name: string) =>
    Promise.all([getNode(zone, name), getQueued(zone, name)] as const);

  /** @returns what `ask` gives as soon as it is something, or undefined when the time is over */
  async function until<T>(patience: number, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    const end = Date.now() + patience;
    for (let pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      try {
        const answer = await ask();
        if (answer !== undefined) return answer;
      } catch (error) {
        // What is under way goes on whether or not somebody hears of it.
        if (!isPassing(failureOf(error))) throw error;
      }
      if (Date.now() >= end) return undefined;
      await wait(pause);
    }
  }

  /** @returns the operation, or nothing of one that was asked for before; or that there is none, or that nobody knows */
  async function request(
    asked: CreateRequest,
    zone: string,
    name: string,
  ): Promise<{ operation?: Operation } | { failure: Failure } | 'unknown'> {
    try {
      return { operation: (await queuedResources.create(asked)).data };
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      // Whatever was said, it may be there: from before, or since the answer to a try was lost.
      let queued: Queued | undefined;
      try {
        queued = await getQueued(zone, name);
      } catch (error) {
        return neverThere.includes(failureOf(error)?.kind ?? 'unknown') ? { failure } : 'unknown';
      }
      return queued && isSame(labelsOf(queued), asked) ? {} : { failure };
    }
  }

  /** @returns undefined as long as nothing is decided */
  async function decided(
    zone: string,
    name: string,
    operation: Operation | undefined,
  ): Promise<'there' | Failure | undefined> {
    const queued = await getQueued(zone, name);
    if (queued) {
      if (stateOf(queued) === 'ACTIVE') return 'there';
      return isOver(queued) ? whyOver(queued) : undefined;
    }
    // Not there yet, not any more, or since it was refused after all.
    const done = operation?.name ? await getOperation(operation.name) : undefined;
    if (done && !done.done) return undefined;
    const failure = done && failureOf(done);
    return failure ? final(failure) : deletedMeanwhile(zone);
  }

  async function look(zone: string, name: string): Promise<Machine | undefined> {
    const [node, queued] = await getBoth(zone, name);
    return node || queued ? machineOf(node, queued) : undefined;
  }

  async function remove(zone: string, name: string): Promise<Removed> {
    const begun: string[] = [];
    const isAsked = { node: false, queued: false };
    let failure: Failure | undefined;
    const gone = await until(removalPatience, async () => {
      const [node, queued] = await getBoth(zone, name);
      if (!node && !queued) return true;
      try {
        if (queued && !isAsked.queued && stateOf(queued) !== 'DELETING') {
          begun.push(...(await begin(queuedResources.delete({ name: queuedName(zone, name), force: true }))));
          isAsked.queued = true;
        }
        // Only nodes that run go with their queued resource; one that was preempted may stay.
        if (node && !queued && !isAsked.node && node.state !== 'DELETING') {
          begun.push(...(await begin(nodes.delete({ name: nodeName(zone, name) }))));
          isAsked.node = true;
        }
        for (const operation of begun) {
          failure = failureOf((await getOperation(operation)) ?? {});
          if (failure) return false;
        }
      } catch (error) {
        failure = failureOf(error);
        if (!failure || isPassing(failure)) throw error;
        return false;
      }
      return undefined;
    });
    if (!gone) return { gone: false, ...(failure ? { failure } : {}) };
    const at = (await Promise.all(begun.map(getOperation))).map(endOf).sort().at(-1);
    return { gone: true, ...(at ? { at } : {}) };
  }

  async function seen(): Promise<Seen & { isOff: boolean }> {
    const parent = `projects/${project}/locations/-`;
    const page = (pageToken: string | undefined) => ({
      parent,
      pageSize,
      ...(pageToken ? { pageToken } : {}),
    });
    const theirNodes = await all(async (token) => {
      const { data } = await nodes.list(page(token));
      return { ...data, items: data.nodes };
    });
    const theirQueued = await all(async (token) => {
      const { data } = await queuedResources.list(page(token));
      return { ...data, items: data.queuedResources };
    });
    const keyOf = ({ name }: { name?: string | null }) => Object.values(placeOf(name)).join('/');
    const nodeOf = new Map(theirNodes.items.map((node) => [keyOf(node), node]));
    const queuedOf = new Map(theirQueued.items.map((queued) => [keyOf(queued), queued]));
    const unseen = [...new Set([...theirNodes.unseen, ...theirQueued.unseen])];
    return {
      machines: [...new Set([...nodeOf.keys(), ...queuedOf.keys()])].map((key) =>
        machineOf(nodeOf.get(key), queuedOf.get(key)),
      ),
      disks: [],
      unseen,
      wasSeen: (zone) => !unseen.includes(everywhere) && !unseen.includes(zone),
      isOff: theirNodes.isOff && theirQueued.isOff,
    };
  }

  return {
    async insert(asked, patience) {
      const { zone, name } = placeOf(`${asked.parent}/queuedResources/${asked.queuedResourceId}`);
      const requested = await request(asked, zone, name);
      if (requested === 'unknown') return 'unknown';
      if ('failure' in requested) return requested.failure;
      const answer = await until(patience, () => decided(zone, name, requested.operation));
      if (answer === undefined) return 'unknown';
      if (answer === 'there') return 'there';
      // As long as it is there it says why; so whoever asks again hears it again.
      const { gone } = await remove(zone, name);
      return gone ? answer : 'unknown';
    },

    look,
    remove,
    /** The boot disk is part of the node, and none is ever listed. */
    removeDisk: async () => ({ gone: true }),

    covers: ['tpu'],

    async list(lab) {
      const { machines, isOff: _, ...rest } = await seen();
      // The service cannot be asked for those with a label.
      return { ...rest, machines: machines.filter(({ labels }) => labels['gazeline-lab'] === lab) };
    },

    async listAll() {
      const { isOff, ...all } = await seen();
      // Most projects have never had TPUs, and this API not switched on. It does not say that there are none.
      return isOff ? { ...all, unseen: [] } : all;
    },

    async wasPreempted(zone, name) {
      return isTaken(...(await getBoth(zone, name)));
    },

    /** Nodes have no serial port that could be read. */
    bootLines: async () => [],
  };
}

/** In place of a zone: the list itself could not be read to its end. */
const everywhere = 'everywhere';

type Page<T> = { items?: T[] | undefined; nextPageToken?: string | null; unreachable?: string[] | null };

/** Whatever of a list can be had. What could not is named, and never taken for empty. */
async function all<T>(list: (token: string | undefined) => Promise<Page<T>>) {
  const items: T[] = [];
  const unseen: string[] = [];
  let isOff = false;
  try {
    for (let token: string | undefined; ; ) {
      const page = await list(token);
      items.push(...(page.items ?? []));
      unseen.push(...(page.unreachable ?? []).map((location) => location.split('/').at(-1) ?? ''));
      if (!page.nextPageToken) break;
      token = page.nextPageToken;
    }
  } catch (error) {
    if (!failureOf(error)) throw error;
    isOff = isSwitchedOff(error);
    unseen.push(everywhere);
  }
  return { items, unseen, isOff };
}

/** https://cloud.google.com/apis/docs/troubleshooting#service_disabled */
const isSwitchedOff = (error: unknown): boolean =>
  signsOf(error).some(
    ({ codes, message }) =>
      codes.some((code) => code === 'SERVICE_DISABLED' || code === 'accessNotConfigured') ||
      /API has not been used in project .* or it is disabled/.test(message),
  );

/** Who may not even look cannot have made anything. */
const neverThere: Failure['kind'][] = ['permission', 'zone-closed', 'bad-request'];

/** Begins a removal. @returns the name of its operation, or nothing if there is nothing to remove */
async function begin(removal: Promise<{ data: Operation }>): Promise<string[]> {
  const begun = await orNothing(() => removal);
  return begun?.data.name ? [begun.data.name] : [];
}

function endOf(operation: Operation | undefined): string {
  const { endTime } = (operation?.metadata ?? {}) as { endTime?: string };
  return endTime ? new Date(endTime).toISOString() : '';
}

/** The one that was asked for, by the labels that tell job and attempt, and not somebody else's with its name. */
const isSame = (labels: { [key: string]: string }, { requestBody }: CreateRequest): boolean =>
  Object.entries(labelsOf(requestBody)).every(([key, value]) => labels[key] === value);

const isPassing = (failure: Failure | undefined) =>
  failure?.kind === 'transient' || failure?.kind === 'rate' || failure?.kind === 'stock-out';

function whyOver(queued: Queued): Failure {
  const failure = failureOf(queued);
  if (failure) return final(failure);
  const words = 'The TPU was taken away while it was made.';
  return { kind: 'stock-out', scope: 'zone', hints: [], words, raw: stateOf(queued) };
}

/** Of what has failed for good, in the words that fit: that there was no TPU in time is no trouble of the network. */
function final(failure: Failure): Failure {
  // A node of that name is still there; it goes with the queued resource.
  if (failure.kind === 'exists') return { ...failure, kind: 'transient' };
  if (failure.kind !== 'transient' && failure.kind !== 'unknown') return failure;
  const words = `There was no TPU in this zone${failure.raw ? ` (${failure.raw.slice(0, 300)})` : ''}.`;
  return { ...failure, kind: 'stock-out', scope: 'zone', words };
}

const deletedMeanwhile = (zone: string): Failure => ({
  kind: 'transient',
  scope: 'zone',
  hints: [],
  words: `The queued resource in ${zone} was deleted while it was waited for.`,
  raw: '',
});

async function orNothing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (failureOf(error)?.kind === 'not-found') return undefined;
    throw error;
  }
}
