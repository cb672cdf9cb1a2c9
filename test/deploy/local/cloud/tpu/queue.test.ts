import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import {
  at,
  type Client,
  clientOf,
  finished,
  isGone,
  nodeAt,
  queued,
  queuedAt,
  quick,
  setTpu,
  untilQueued,
  zone,
} from './kit.ts';

const cloud = useLocalCloud();
let client: Client;
beforeAll(async () => {
  client = clientOf(cloud);
});
afterEach(async () => {
  await setFaults(cloud);
});
const create = (name: string, more: Parameters<typeof queued>[3] = {}) =>
  client.queuedResources.create(queued(cloud, name, undefined, more));
const remove = async (name: string) =>
  finished(client, (await client.queuedResources.delete({ ...queuedAt(cloud, name), force: true })).data);

test('what is sold out waits, and is given a node when there is one', async () => {
  await setTpu(cloud, { ...quick, soldOut: [{ zone, acceleratorType: 'v5litepod-4' }] });
  await create('waits', { queueingPolicy: { validUntilDuration: '600s' } });
  await untilQueued(cloud, client, 'waits', 'WAITING_FOR_RESOURCES');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await isGone(client.nodes.get(nodeAt(cloud, 'waits')))).toBe(true);
  const pending = (await (await fetch(`${cloud.origin}/_local/pending`)).json()) as { tpu: number };
  expect(pending.tpu).toBe(0);
  await setTpu(cloud, quick);
  await untilQueued(cloud, client, 'waits', 'ACTIVE');
  await remove('waits');
});

test('what has waited until its time is over fails, and its record stays', async () => {
  await setTpu(cloud, { ...quick, soldOut: [{ provisioningModel: 'SPOT' }] });
  await create('late', { spot: {}, queueingPolicy: { validUntilDuration: '0.3s' } });
  const { state } = await untilQueued(cloud, client, 'late', 'FAILED');
  expect(state?.failedData?.error).toMatchObject({ message: expect.stringContaining('valid interval') });
  await finished(client, (await client.queuedResources.delete(queuedAt(cloud, 'late'))).data);
});

test.each([
  ['sold out by the settings', { soldOut: [{ fails: true }] }, [], 8, 'There is no more capacity'],
  ['sold out by a fault', {}, [{ service: 'tpu', kind: 'stockOut' }], 8, 'There is no more capacity'],
  ['preempted while it is made', {}, [{ service: 'tpu', kind: 'vanish' }], 3, 'in state PREEMPTED'],
  [
    'over a quota that is told late',
    { quotas: [{ metric: 'TPUV5sLitepodPerProjectPerZoneForTPUAPI', limit: 3, when: 'late' }] },
    [],
    8,
    "Quota 'TPUV5sLitepodPerProjectPerZoneForTPUAPI' exhausted. Limit 3 in zone us-west4-a",
  ],
])('what is %s has FAILED, and says why in its state', async (_, settings, faults, code, message) => {
  await setTpu(cloud, { ...quick, ...settings });
  await setFaults(cloud, ...faults);
  await create('fails');
  const { state } = await untilQueued(cloud, client, 'fails', 'FAILED');
  expect(state?.failedData?.error).toMatchObject({ code, message: expect.stringContaining(message) });
  expect(await isGone(client.nodes.get(nodeAt(cloud, 'fails')))).toBe(true);
  await remove('fails');
});

test('a quota is counted as long as there is a record, also of what has failed', async () => {
  const metric = 'TPUV5sPreemptibleLitepodPerProjectPerZoneForTPUAPI';
  await setTpu(cloud, { ...quick, quotas: [{ metric, zone, limit: 4 }], soldOut: [{ fails: true }] });
  await create('first', { spot: {} });
  await untilQueued(cloud, client, 'first', 'FAILED');
  await expect(create('second', { spot: {} })).rejects.toMatchObject({
    status: 429,
    message: `Quota limit '${metric}' has been exceeded. Limit: 4 in zone ${zone}.`,
  });
  await create('on-demand');
  await remove('first');
  await create('second', { spot: {} });
  for (const name of ['second', 'on-demand']) await remove(name);
});

test('the same request id gives the same operation; forgotten, the name is taken', async () => {
  await setTpu(cloud, quick);
  const requestId = randomUUID();
  const [first, second] = [await create('twice', { requestId }), await create('twice', { requestId })];
  expect(second.data.name).toBe(first.data.name);
  await setTpu(cloud, { ...quick, rememberRequestIds: false });
  await expect(create('twice', { requestId })).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining('already exists'),
  });
  await remove('twice');
});

test('what waits is deleted without a word, and the operation that made it is over', async () => {
  await setTpu(cloud, { ...quick, delays: { ...quick.delays, accepting: 5000 } });
  const { data } = await create('early');
  await finished(client, (await client.queuedResources.delete(queuedAt(cloud, 'early'))).data);
  expect((await finished(client, data)).error).toMatchObject({ code: 10 });
  expect(await isGone(client.queuedResources.get(queuedAt(cloud, 'early')))).toBe(true);
});

const spec = (more: object) => ({ more });
test.each([
  ['a misspelled field', spec({ runtimeVersoin: 'x' }), 400, 'Unknown name "runtimeVersoin"'],
  ['a TPU of another zone', spec({ acceleratorType: 'v4-8' }), 400, 'the accelerator v4-8 was not found in'],
  ['a runtime that is not there', spec({ runtimeVersion: 'x' }), 400, 'runtime version "x"'],
  ['a label with capitals', spec({ labels: { a: 'B' } }), 400, 'label "a": "B"'],
  ['two tiers', { spot: {}, guaranteed: {} }, 400, 'Only one tier'],
  ['a duration that is none', { queueingPolicy: { validUntilDuration: 600 } }, 400, 'validUntilDuration'],
  ['a request id that is none', { requestId: 'x' }, 400, 'not a valid UUID'],
  ['a reservation', { reservationName: 'x' }, 501, 'no reservations'],
])('%s is refused in words', async (_, more, status, message) => {
  await setTpu(cloud, quick);
  await expect(create('refused', more)).rejects.toMatchObject({
    status,
    message: expect.stringContaining(message),
  });
});

test('zones that are closed, unreachable or not for this account say so', async () => {
  await setTpu(cloud, { ...quick, closedZones: [zone] });
  await expect(create('no')).rejects.toMatchObject({
    status: 403,
    message: `Location ${zone} is not found or access is unauthorized.`,
  });
  await setTpu(cloud, { ...quick, unreachableZones: [zone] });
  await expect(create('no')).rejects.toMatchObject({ status: 503 });
  await setTpu(cloud, quick);
  await setFaults(cloud, { service: 'tpu', kind: 'permissionDenied', times: 1 });
  await expect(create('no')).rejects.toMatchObject({
    status: 403,
    message: expect.stringContaining("Permission 'tpu.queuedResources.create' denied"),
  });
  await setFaults(cloud, { service: 'tpu', kind: 'rateLimit', times: 1 });
  await expect(create('no')).rejects.toMatchObject({ status: 429 });
});

test('lists over all zones have pages, and name the zones that do not answer', async () => {
  await setTpu(cloud, quick);
  const names = ['list-a', 'list-b', 'list-c'];
  for (const name of names) await create(name);
  for (const name of names) await untilQueued(cloud, client, name, 'ACTIVE');
  const parent = at(cloud, '-');
  const first = (await client.nodes.list({ parent, pageSize: 2 })).data;
  expect(first.nodes?.map(({ name }) => name)).toEqual(
    ['list-a', 'list-b'].map((name) => nodeAt(cloud, name).name),
  );
  const rest = await client.nodes.list({ parent, pageToken: first.nextPageToken ?? '' });
  expect(rest.data.nodes?.map(({ name }) => name)).toEqual([nodeAt(cloud, 'list-c').name]);
  expect(rest.data.nextPageToken).toBeUndefined();
  const one = await client.queuedResources.list({ parent: at(cloud, 'us-central1-a') });
  expect(one.data).toEqual({});

  await setTpu(cloud, { ...quick, unreachableZones: [zone] });
  expect((await client.queuedResources.list({ parent })).data).toEqual({ unreachable: [at(cloud)] });
  await setTpu(cloud, quick);
  for (const name of names) await remove(name);
});

test('locations, accelerator types and runtime versions can be listed', async () => {
  await setTpu(cloud, quick);
  const { data } = await client.list({ name: `projects/${cloud.project}` });
  expect(data.locations?.map(({ locationId }) => locationId)).toContain(zone);
  const types = (await client.acceleratorTypes.list({ parent: at(cloud) })).data.acceleratorTypes;
  expect(types?.map(({ type }) => type)).toEqual(['v5litepod-1', 'v5litepod-4', 'v5litepod-8']);
  const versions = (await client.runtimeVersions.list({ parent: at(cloud) })).data.runtimeVersions;
  expect(versions?.map(({ version }) => version)).toContain('v2-alpha-tpuv5-lite');
});
