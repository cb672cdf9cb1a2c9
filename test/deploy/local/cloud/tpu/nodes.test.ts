import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { lives } from '../compute/kit.ts';
import { until } from '../pubsub/receiver.ts';
import {
  at,
  type Client,
  clientOf,
  finished,
  folderOf,
  isGone,
  node,
  nodeAt,
  preempt,
  queued,
  queuedAt,
  quick,
  setTpu,
  untilNode,
  untilQueued,
} from './kit.ts';

const cloud = useLocalCloud();
let client: Client;
beforeAll(async () => {
  client = clientOf(cloud);
  await setTpu(cloud, quick);
});
afterEach(async () => {
  await setFaults(cloud);
  await setTpu(cloud, quick);
});
const file = (name: string, path: string) => readFile(join(folderOf(cloud, name), path), 'utf8');
const written = (name: string, path: string) => until(() => file(name, path).catch(() => ''));

test('a queued resource makes its node, which runs its start-up script with a metadata server of its own', async () => {
  const script = `
    meta() { curl -sf -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/$1"; }
    meta name > name; meta attributes/accelerator-type > type; meta service-accounts/default/token > token
    curl -sf -X PUT --data busy -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/guest-attributes/gazeline/state"
    echo done > done`;
  const { data } = await client.queuedResources.create(
    queued(cloud, 'runs', script, { spot: {}, more: { labels: { lab: 'eyes' } } }),
  );
  expect(data).toMatchObject({
    name: expect.stringMatching(/^projects\/gazeline-local\/locations\/us-west4-a\/operations\//),
    done: false,
    metadata: { verb: 'create', target: queuedAt(cloud, 'runs').name },
  });
  expect(await finished(client, data)).toMatchObject({ response: { state: { state: 'ACCEPTED' } } });
  expect(await untilQueued(cloud, client, 'runs', 'ACTIVE')).toMatchObject({
    spot: {},
    state: { state: 'ACTIVE', stateInitiator: 'SERVICE', activeData: {} },
  });
  await written('runs', 'done');
  expect(await file('runs', 'name')).toBe('runs');
  expect(await file('runs', 'type')).toBe('v5litepod-4');
  expect(JSON.parse(await file('runs', 'token'))).toMatchObject({ token_type: 'Bearer' });
  expect((await client.nodes.get(nodeAt(cloud, 'runs'))).data).toMatchObject({
    state: 'READY',
    labels: { lab: 'eyes' },
    acceleratorConfig: { type: 'V5LITE_POD', topology: '2x2' },
    schedulingConfig: { spot: true },
    queuedResource: queuedAt(cloud, 'runs').name,
  });
  const attributes = await client.nodes.getGuestAttributes({
    ...nodeAt(cloud, 'runs'),
    requestBody: { queryPath: 'gazeline/' },
  });
  expect(attributes.data.guestAttributes?.[0]?.queryValue?.items).toEqual([
    { namespace: 'gazeline', key: 'state', value: 'busy' },
  ]);
});

test('a forced delete ends everything on the node, and both records are gone with its folder', async () => {
  const script = "trap 'echo told > told; exit 0' TERM; timeout 60 sleep 50 & echo $! > child; wait";
  await client.queuedResources.create(queued(cloud, 'goes', script));
  const child = await written('goes', 'child');
  const unforced = client.queuedResources.delete(queuedAt(cloud, 'goes'));
  await expect(unforced).rejects.toMatchObject({ status: 400, message: expect.stringContaining('ACTIVE') });

  const { data } = await client.queuedResources.delete({ ...queuedAt(cloud, 'goes'), force: true });
  expect((await client.queuedResources.get(queuedAt(cloud, 'goes'))).data.state).toMatchObject({
    state: 'DELETING',
    stateInitiator: 'USER',
  });
  const { metadata, response } = await finished(client, data);
  expect(response).toEqual({ '@type': 'type.googleapis.com/google.protobuf.Empty' });
  expect(lives(child)).toBe(false);
  expect(await isGone(client.queuedResources.get(queuedAt(cloud, 'goes')))).toBe(true);
  expect(await isGone(client.nodes.get(nodeAt(cloud, 'goes')))).toBe(true);
  await expect(file('goes', 'child')).rejects.toThrow('ENOENT');

  const bill = (await (await fetch(`${cloud.origin}/_local/tpu/bill`)).json()) as { name: string }[];
  expect(bill.find(({ name }) => name === 'goes')).toMatchObject({
    acceleratorType: 'v5litepod-4',
    provisioningModel: 'STANDARD',
    startedAt: expect.any(String),
    endedAt: metadata?.endTime,
  });
});

test('a preempted node sees it in its metadata; then its queued resource is suspended, and they are two records', async () => {
  const script = `
    trap 'echo told > told; exit 0' TERM
    curl -s -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/preempted?wait_for_change=true" > noticed &
    echo $! > child; sleep 60 & wait`;
  await client.queuedResources.create(queued(cloud, 'taken', script, { spot: {} }));
  await written('taken', 'child');
  await setTpu(cloud, { ...quick, preemptionNotice: 200 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await preempt(cloud, 'taken');
  await untilNode(cloud, client, 'taken', 'PREEMPTED');
  expect(await file('taken', 'noticed')).toBe('TRUE');
  expect(await file('taken', 'told')).toBe('told\n');
  const { state } = await untilQueued(cloud, client, 'taken', 'SUSPENDED');
  expect(state).toEqual({ state: 'SUSPENDED', stateInitiator: 'SERVICE', suspendedData: {} });

  const { data } = await client.queuedResources.delete({ ...queuedAt(cloud, 'taken'), force: true });
  await finished(client, data);
  expect((await client.nodes.get(nodeAt(cloud, 'taken'))).data.state).toBe('PREEMPTED');
  await finished(client, (await client.nodes.delete(nodeAt(cloud, 'taken'))).data);
  expect(await isGone(client.nodes.get(nodeAt(cloud, 'taken')))).toBe(true);
});

test('a queued resource may stay ACTIVE though its node was preempted', async () => {
  await client.queuedResources.create(queued(cloud, 'stays', 'sleep 60', { spot: {} }));
  await untilNode(cloud, client, 'stays', 'READY');
  await setTpu(cloud, { ...quick, suspension: null });
  await preempt(cloud, 'stays');
  await untilNode(cloud, client, 'stays', 'PREEMPTED');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await client.queuedResources.get(queuedAt(cloud, 'stays'))).data.state?.state).toBe('ACTIVE');
});

test('who deletes the node suspends its queued resource', async () => {
  await client.queuedResources.create(queued(cloud, 'by-hand', 'sleep 60'));
  await untilNode(cloud, client, 'by-hand', 'READY');
  await finished(client, (await client.nodes.delete(nodeAt(cloud, 'by-hand'))).data);
  expect((await untilQueued(cloud, client, 'by-hand', 'SUSPENDED')).state?.stateInitiator).toBe('USER');
  await finished(client, (await client.queuedResources.delete(queuedAt(cloud, 'by-hand'))).data);
});

test('a node that powers itself off is stopped, and costs until it is deleted', async () => {
  await client.queuedResources.create(queued(cloud, 'off', 'poweroff; sleep 60'));
  await untilNode(cloud, client, 'off', 'STOPPED');
  const billOf = async () =>
    ((await (await fetch(`${cloud.origin}/_local/tpu/bill`)).json()) as { name: string }[]).find(
      ({ name }) => name === 'off',
    );
  expect(await billOf()).not.toHaveProperty('endedAt');
  await finished(
    client,
    (await client.queuedResources.delete({ ...queuedAt(cloud, 'off'), force: true })).data,
  );
  expect(await billOf()).toHaveProperty('endedAt');
});

test('a node can be made without a queue, and its operation fails if there is none', async () => {
  const create = (nodeId: string) =>
    client.nodes.create({ parent: at(cloud), nodeId, requestBody: node('sleep 60') });
  const { response } = await finished(client, (await create('alone')).data);
  expect(response).toMatchObject({ '@type': expect.stringContaining('Node'), state: 'READY' });
  await setFaults(cloud, { service: 'tpu', kind: 'stockOut', machine: { name: 'none' } });
  const { error } = await finished(client, (await create('none')).data);
  expect(error).toMatchObject({
    code: 8,
    message: expect.stringContaining('There is no more capacity in the zone "us-west4-a"'),
  });
  expect(await isGone(client.nodes.get(nodeAt(cloud, 'none')))).toBe(true);
});
