import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { clients } from '../../../shared/clients.ts';
import { tpuNodes } from '../../../shared/machines/tpuNodes.ts';
import { until } from '../../deploy/local/cloud/pubsub/receiver.ts';
import {
  at,
  type Client,
  finished,
  isGone,
  nodeAt,
  preempt,
  queued,
  queuedAt,
  quick,
  setTpu,
  untilNode,
  untilQueued,
  zone,
} from '../../deploy/local/cloud/tpu/kit.ts';
import { forgetRequests, setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';
import { nameOf, operationsAt, requestFor, sentTo } from './tpuKit.ts';

const cloud = useLocalCloud();
let client: Client;
let tpus: ReturnType<typeof tpuNodes>;
beforeAll(async () => {
  const tpu = await clients.tpu();
  client = tpu.projects.locations;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20)));
  tpus = tpuNodes(cloud.project, tpu, { wait, pageSize: 1 }) as typeof tpus;
});
beforeEach(() => setTpu(cloud, quick));
afterEach(async () => {
  await setFaults(cloud);
  await setTpu(cloud, quick);
  for (const { name } of (await tpus.list('eyes')).machines) await tpus.remove(zone, name);
  await forgetRequests(cloud);
});
const patience = 5000;
const soldOut = () => setTpu(cloud, { ...quick, soldOut: [{ zone }] });
const areGone = async (name: string) =>
  (await isGone(client.queuedResources.get(queuedAt(cloud, name)))) &&
  (await isGone(client.nodes.get(nodeAt(cloud, name))));
/** A machine that was asked for and has come. */
async function running(id: string): Promise<string> {
  expect(await tpus.insert(requestFor(cloud, id), patience)).toBe('there');
  return nameOf(id);
}

test('a TPU is there when its queued resource is ACTIVE, and every field of the request has reached the service', async () => {
  const request = requestFor(cloud, 'comes');
  expect(await tpus.insert(request, patience)).toBe('there');
  const [created] = await sentTo(cloud, 'POST');
  expect(created?.url).toBe(
    `/v2/${request.parent}/queuedResources?queuedResourceId=gazeline-comes-1&requestId=${request.requestId}`,
  );
  expect(created?.detail).toEqual({ op: 'queuedResources.create', body: request.requestBody });
  expect(await operationsAt(cloud)).toEqual(['queuedResources.create']);
  const { data } = await client.nodes.get(nodeAt(cloud, 'gazeline-comes-1'));
  expect(await tpus.look(zone, 'gazeline-comes-1')).toEqual({
    kind: 'tpu',
    name: 'gazeline-comes-1',
    zone,
    status: 'READY',
    labels: {
      'gazeline-lab': 'eyes',
      'gazeline-job': 'comes',
      'gazeline-attempt': '1',
      'gazeline-owner': 'me-lab-org',
    },
    createdAt: expect.any(String),
    startedAt: data.createTime,
    hardware: {
      machineType: data.acceleratorType,
      guestAccelerators: [],
      model: 'spot',
      localSsdGb: 0,
    },
  });
  expect(data.metadata).toMatchObject({ 'gazeline-seconds': '3600', 'startup-script': 'sleep 60' });
  expect(await tpus.bootLines(zone, 'gazeline-comes-1')).toEqual([]);
});

test.each([
  [
    'that is sold out',
    'sold-out',
    { soldOut: [{ fails: true }] },
    [],
    { kind: 'stock-out', scope: 'zone', raw: expect.stringContaining('no more capacity') },
  ],
  [
    'that is preempted while it is made',
    'vanishes',
    {},
    [{ kind: 'vanish' }],
    { kind: 'stock-out', scope: 'zone' },
  ],
  [
    'for which there is too little quota, told late',
    'over-quota',
    { quotas: [{ metric: 'TPUV5sPreemptibleLitepodPerProjectPerZoneForTPUAPI', limit: 2, when: 'late' }] },
    [],
    {
      kind: 'quota',
      scope: 'zone',
      limit: 2,
      metric: 'TPUV5sPreemptibleLitepodPerProjectPerZoneForTPUAPI',
    },
  ],
])('of a TPU %s it is said why, and no queued resource is left', async (_, id, settings, faults, failure) => {
  await setTpu(cloud, { ...quick, ...settings });
  await setFaults(cloud, ...faults.map((fault) => ({ service: 'tpu', ...fault })));
  expect(await tpus.insert(requestFor(cloud, id), patience)).toMatchObject(failure);
  expect(await areGone(nameOf(id))).toBe(true);
  expect(await operationsAt(cloud)).toEqual(['queuedResources.create', 'queuedResources.delete']);
  const [removal] = await sentTo(cloud, 'DELETE');
  expect(removal?.url).toBe(`/v2/${queuedAt(cloud, nameOf(id)).name}?force=true`);
});

test('that there was no TPU until the request ran out is a stock-out, in whatever words', async () => {
  await soldOut();
  const answer = await tpus.insert(requestFor(cloud, 'late', { validUntil: '0.2s' }), patience);
  expect(answer).toMatchObject({
    kind: 'stock-out',
    scope: 'zone',
    words: expect.stringContaining('There was no TPU in this zone'),
  });
  expect(await areGone(nameOf('late'))).toBe(true);
});

test.each([
  [
    'quota',
    { quotas: [{ metric: 'TPUV5sPreemptibleLitepodPerProjectPerZoneForTPUAPI', limit: 0 }] },
    [],
    { kind: 'quota-zero', scope: 'zone', limit: 0 },
  ],
  ['a zone that is closed', { closedZones: [zone] }, [], { kind: 'zone-closed', scope: 'zone' }],
  [
    'a permission',
    {},
    [{ kind: 'permissionDenied', method: 'POST' }],
    {
      kind: 'permission',
      scope: 'fatal',
      words: expect.stringContaining('lacks the permission tpu.queuedResources.create'),
    },
  ],
  ['too many requests', {}, [{ kind: 'rateLimit', method: 'POST' }], { kind: 'rate' }],
])('a refusal at once, for %s, is told and nothing is deleted', async (_, settings, faults, failure) => {
  await setTpu(cloud, { ...quick, ...settings });
  await setFaults(cloud, ...faults.map((fault) => ({ service: 'tpu', ...fault })));
  expect(await tpus.insert(requestFor(cloud, 'refused'), patience)).toMatchObject(failure);
  expect(await operationsAt(cloud)).toEqual(['queuedResources.create']);
});

test('a kind of TPU that the zone does not have closes the zone, not the job', async () => {
  const request = requestFor(cloud, 'elsewhere');
  const spec = request.requestBody.tpu?.nodeSpec?.[0];
  if (spec?.node) spec.node.acceleratorType = 'v4-8';
  expect(await tpus.insert(request, patience)).toMatchObject({ kind: 'zone-closed', scope: 'zone' });
});

test('when patience is over nothing is known, and the same request finds the one that waits', async () => {
  await soldOut();
  const request = requestFor(cloud, 'waits');
  expect(await tpus.insert(request, 100)).toBe('unknown');
  expect(await tpus.look(zone, nameOf('waits'))).toMatchObject({
    status: 'WAITING',
    labels: { 'gazeline-job': 'waits' },
  });
  expect(await operationsAt(cloud, /delete/)).toEqual([]);
  await setTpu(cloud, quick);
  expect(await tpus.insert(request, patience)).toBe('there');
  expect((await tpus.list('eyes')).machines).toHaveLength(1);
});

test('a request id that is forgotten finds it by its name', async () => {
  await setTpu(cloud, { ...quick, rememberRequestIds: false });
  const request = requestFor(cloud, 'again');
  expect(await tpus.insert(request, patience)).toBe('there');
  expect(await tpus.insert(request, patience)).toBe('there');
  const created = await sentTo(cloud, 'POST');
  expect(created.map(({ status }) => status)).toEqual([200, 409]);
});

test('even a quota that its own request has used up does not leave it alone', async () => {
  await soldOut();
  const request = requestFor(cloud, 'own');
  expect(await tpus.insert(request, 100)).toBe('unknown');
  await setFaults(cloud, { service: 'tpu', kind: 'rateLimit', method: 'POST' });
  await setTpu(cloud, quick);
  expect(await tpus.insert(request, patience)).toBe('there');
});

test('what somebody else has made under its name is left alone', async () => {
  const name = nameOf('taken');
  await client.queuedResources.create(queued(cloud, name, 'sleep 60'));
  await untilQueued(cloud, client, name, 'ACTIVE');
  expect(await tpus.insert(requestFor(cloud, 'taken'), patience)).toMatchObject({ kind: 'exists' });
  expect(await operationsAt(cloud, /delete/)).toEqual([]);
  expect((await tpus.list('eyes')).machines).toEqual([]);
  await tpus.remove(zone, name);
});

test('a request whose answer was lost is looked for; if nobody answers, nothing is known', async () => {
  await setFaults(cloud, { service: 'tpu', kind: 'lostAnswer', method: 'POST', times: 1 });
  expect(await tpus.insert(requestFor(cloud, 'lost'), patience)).toBe('there');
  expect(await operationsAt(cloud)).toEqual(['queuedResources.create']);

  const cut = { service: 'tpu', kind: 'cut', method: 'POST', times: 1 };
  await setFaults(cloud, cut);
  expect(await tpus.insert(requestFor(cloud, 'never'), patience)).toMatchObject({ kind: 'transient' });
  await setFaults(cloud, cut, { service: 'tpu', kind: 'status', method: 'GET' });
  expect(await tpus.insert(requestFor(cloud, 'never'), patience)).toBe('unknown');
});

test('answers that do not come while it waits are waited for', async () => {
  await setFaults(cloud, { service: 'tpu', kind: 'status', method: 'GET', times: 5 });
  expect(await tpus.insert(requestFor(cloud, 'patient'), patience)).toBe('there');
});

test('one that was suspended before anybody saw it run is a stock-out, and nothing is left', async () => {
  await soldOut();
  const request = requestFor(cloud, 'brief');
  const name = nameOf('brief');
  expect(await tpus.insert(request, 50)).toBe('unknown');
  await setTpu(cloud, quick);
  await untilNode(cloud, client, name, 'READY');
  await preempt(cloud, name);
  await untilQueued(cloud, client, name, 'SUSPENDED');
  expect(await tpus.insert(request, patience)).toMatchObject({ kind: 'stock-out', scope: 'zone' });
  expect(await areGone(name)).toBe(true);
});

test('one that is deleted while it is waited for is no stock-out', async () => {
  await soldOut();
  const inserted = tpus.insert(requestFor(cloud, 'cancelled'), patience);
  await until(async () => (await tpus.look(zone, nameOf('cancelled')))?.status === 'WAITING');
  expect(await tpus.remove(zone, nameOf('cancelled'))).toMatchObject({ gone: true });
  expect(await inserted).toMatchObject({ kind: 'transient' });
});

test.each([
  ['ACTIVE', null],
  ['SUSPENDED', 0],
])(
  'a node that is PREEMPTED while its queued resource is %s was taken, and both go',
  async (state, suspension) => {
    const name = await running(`preempted-${state.toLowerCase()}`);
    expect(await tpus.wasPreempted(zone, name)).toBe(false);
    await setTpu(cloud, { ...quick, suspension });
    await preempt(cloud, name);
    await untilNode(cloud, client, name, 'PREEMPTED');
    await untilQueued(cloud, client, name, state);
    expect(await tpus.look(zone, name)).toMatchObject({ status: 'PREEMPTED' });
    expect(await tpus.wasPreempted(zone, name)).toBe(true);
    expect(await tpus.remove(zone, name)).toEqual({ gone: true, at: expect.any(String) });
    expect(await areGone(name)).toBe(true);
    expect(await operationsAt(cloud, /delete/)).toEqual(['queuedResources.delete', 'nodes.delete']);
  },
);

test('a node that was deleted by hand was not taken, and its record goes', async () => {
  const name = await running('by-hand');
  await finished(client, (await client.nodes.delete(nodeAt(cloud, name))).data);
  await untilQueued(cloud, client, name, 'SUSPENDED');
  expect(await tpus.look(zone, name)).toMatchObject({ status: 'SUSPENDED' });
  expect(await tpus.wasPreempted(zone, name)).toBe(false);
  expect(await tpus.remove(zone, name)).toMatchObject({ gone: true });
  expect(await tpus.look(zone, name)).toBeUndefined();
});

test('a node without its queued resource is a machine, and goes', async () => {
  const name = await running('left');
  await preempt(cloud, name);
  await untilQueued(cloud, client, name, 'SUSPENDED');
  await finished(client, (await client.queuedResources.delete(queuedAt(cloud, name))).data);
  expect(await tpus.look(zone, name)).toMatchObject({ status: 'PREEMPTED' });
  expect((await tpus.list('eyes')).machines).toMatchObject([{ name, status: 'PREEMPTED' }]);
  expect(await tpus.remove(zone, name)).toMatchObject({ gone: true });
  expect(await areGone(name)).toBe(true);
});

test('a removal ends when the bill does; there it is DELETING, and once gone nothing is asked', async () => {
  const name = await running('goes');
  await setTpu(cloud, { ...quick, delays: { ...quick.delays, deleting: 200 } });
  const removal = tpus.remove(zone, name);
  await until(async () => (await tpus.look(zone, name))?.status === 'DELETING');
  // Somebody else at the same time waits for the same.
  expect(await tpus.remove(zone, name)).toMatchObject({ gone: true });
  const { gone, at: endedAt } = await removal;
  expect(gone).toBe(true);
  const bill = (await (await fetch(`${cloud.origin}/_local/tpu/bill`)).json()) as { name: string }[];
  expect(bill.find((one) => one.name === name)).toMatchObject({ endedAt });
  await forgetRequests(cloud);
  expect(await tpus.remove(zone, name)).toEqual({ gone: true });
  expect(await operationsAt(cloud)).toEqual([]);
});

test('a removal that is refused is not taken for one, and an answer that was lost is asked for again', async () => {
  const name = await running('kept');
  await setFaults(cloud, { service: 'tpu', kind: 'permissionDenied', method: 'DELETE' });
  expect(await tpus.remove(zone, name)).toMatchObject({ gone: false, failure: { kind: 'permission' } });
  expect(await tpus.look(zone, name)).toMatchObject({ status: 'READY' });
  await setFaults(cloud, { service: 'tpu', kind: 'lostAnswer', method: 'DELETE', times: 1 });
  expect(await tpus.remove(zone, name)).toMatchObject({ gone: true });
  expect(await areGone(name)).toBe(true);
});

test('a list goes over all zones and pages, and holds what has the label, waiting or running', async () => {
  const name = await running('one');
  await running('two');
  await soldOut();
  expect(await tpus.insert(requestFor(cloud, 'three'), 50)).toBe('unknown');
  await client.queuedResources.create(queued(cloud, 'other', undefined, { more: { labels: { lab: 'x' } } }));
  await forgetRequests(cloud);
  const { machines, disks, unseen, wasSeen } = await tpus.list('eyes');
  expect(machines.map(({ name, status }) => [name, status]).sort()).toEqual([
    [name, 'READY'],
    [nameOf('three'), 'WAITING'],
    [nameOf('two'), 'READY'],
  ]);
  expect({ disks, unseen, seen: wasSeen(zone) }).toEqual({ disks: [], unseen: [], seen: true });
  const urls = (await sentTo(cloud)).map(({ url }) => url);
  expect(urls.every((url) => url.startsWith(`/v2/${at(cloud, '-')}/`))).toBe(true);
  expect(urls.filter((url) => url.includes('/nodes?'))).toHaveLength(2);
  expect(urls.filter((url) => url.includes('/queuedResources?'))).toHaveLength(4);
  await setTpu(cloud, quick);
  await tpus.remove(zone, 'other');
});

test('all TPUs are listed for what they cost, and where the API is switched off it is said that nobody knows', async () => {
  const name = await running('costly');
  await client.queuedResources.create(
    queued(cloud, 'by-hand', undefined, { more: { labels: { lab: 'x' } } }),
  );
  await untilNode(cloud, client, 'by-hand', 'READY');
  const { machines } = await tpus.listAll();
  expect(machines.map(({ name }) => name)).toEqual(expect.arrayContaining([name, 'by-hand']));
  await setFaults(cloud, { service: 'tpu', kind: 'status', status: 403, reason: 'accessNotConfigured' });
  const off = await tpus.listAll();
  expect({ machines: off.machines, unseen: off.unseen, seen: off.wasSeen(zone) }).toEqual({
    machines: [],
    unseen: [],
    seen: false,
  });
  await setFaults(cloud, { service: 'tpu', kind: 'permissionDenied' });
  expect((await tpus.listAll()).unseen).toEqual(['everywhere']);
  await setFaults(cloud);
  await tpus.remove(zone, 'by-hand');
});

test('of zones that do not answer, and of lists that end early, nothing is concluded', async () => {
  const name = await running('hidden');
  await setTpu(cloud, { ...quick, unreachableZones: [zone] });
  const seen = await tpus.list('eyes');
  expect({ machines: seen.machines, unseen: seen.unseen }).toEqual({ machines: [], unseen: [zone] });
  expect([seen.wasSeen(zone), seen.wasSeen('us-central1-a')]).toEqual([false, true]);
  await expect(tpus.look(zone, name)).rejects.toMatchObject({ status: 503 });
  await setTpu(cloud, quick);
  await setFaults(cloud, { service: 'tpu', kind: 'permissionDenied', path: '/queuedResources$' });
  const half = await tpus.list('eyes');
  expect(half.machines).toMatchObject([{ name, status: 'READY' }]);
  expect(half.unseen).toEqual(['everywhere']);
  expect(half.wasSeen('us-central1-a')).toBe(false);
});
