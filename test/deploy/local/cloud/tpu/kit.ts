import { join } from 'node:path';
import { tpu_v2 } from 'googleapis/build/src/apis/tpu/v2.js';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { until } from '../pubsub/receiver.ts';
import { call } from '../storage/raw.ts';

export const zone = 'us-west4-a';
export const at = (cloud: Cloud, place = zone) => `projects/${cloud.project}/locations/${place}`;
export const folderOf = ({ dir }: { dir: string }, name: string) =>
  join(dir, 'machines', zone, `${name}.tpu`);

/** Google's own client, for a local cloud. */
export const clientOf = ({ origin }: Cloud) =>
  new tpu_v2.Tpu({ rootUrl: `${origin}/`, retry: false }).projects.locations;
export type Client = ReturnType<typeof clientOf>;

/** A small node that runs this script. */
export const node = (script: string | undefined, more: object = {}): tpu_v2.Schema$Node => ({
  acceleratorType: 'v5litepod-4',
  runtimeVersion: 'v2-alpha-tpuv5-lite',
  metadata: {
    'enable-guest-attributes': 'TRUE',
    ...(script === undefined ? {} : { 'startup-script': script }),
  },
  ...more,
});

/** The request of a queued resource with one node of the same name. */
export const queued = (
  cloud: Cloud,
  name: string,
  script: string | undefined,
  { more = {}, requestId, ...tier }: { more?: object; requestId?: string; [key: string]: unknown } = {},
) => ({
  parent: at(cloud),
  queuedResourceId: name,
  ...(requestId ? { requestId } : {}),
  requestBody: {
    ...tier,
    tpu: { nodeSpec: [{ parent: at(cloud), nodeId: name, node: node(script, more) }] },
  },
});

export const nodeAt = (cloud: Cloud, name: string) => ({ name: `${at(cloud)}/nodes/${name}` });
export const queuedAt = (cloud: Cloud, name: string) => ({ name: `${at(cloud)}/queuedResources/${name}` });

/** Waits until a queued resource is in this state. */
export const untilQueued = (cloud: Cloud, client: Client, name: string, state: string) =>
  until(async () => {
    const { data } = await client.queuedResources.get(queuedAt(cloud, name));
    return data.state?.state === state ? data : undefined;
  });

export const untilNode = (cloud: Cloud, client: Client, name: string, state: string) =>
  until(async () => {
    const { data } = await client.nodes.get(nodeAt(cloud, name)).catch(() => ({ data: undefined }));
    return data?.state === state ? data : undefined;
  });

/** Waits until an operation is done. */
export const finished = (client: Client, { name }: tpu_v2.Schema$Operation) =>
  until(async () => {
    const { data } = await client.operations.get({ name: name ?? '' });
    return data.done ? data : undefined;
  });

export const isGone = (ask: Promise<unknown>) =>
  ask.then(
    () => false,
    ({ status }: { status: number }) => status === 404,
  );

export async function setTpu(cloud: Cloud, settings: object): Promise<void> {
  const { status, body } = await call('POST', `${cloud.origin}/_local/tpu/settings`, { json: settings });
  if (status !== 200) throw new Error(JSON.stringify(body));
}

export async function preempt(cloud: Cloud, name: string, place = zone): Promise<void> {
  const { status, body } = await call('POST', `${cloud.origin}/_local/tpu/preempt`, {
    json: { zone: place, name },
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
}

/** All states at once take no time, and a guest has a second to end. */
export const quick = { delays: { accepting: 10, queueing: 10, provisioning: 20 }, shutdown: 1000 };
