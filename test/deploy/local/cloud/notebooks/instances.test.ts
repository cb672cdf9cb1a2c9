import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { requestsAt } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { type Clients, clientsOf, quick, setCompute, until, wait } from '../compute/kit.ts';
import { clientOf, create, done, parentOf, setNotebooks, zone } from './kit.ts';

const cloud = useLocalCloud();
let compute: Clients;
beforeAll(async () => {
  compute = clientsOf(cloud);
  await setCompute(cloud, { ...quick, delays: { provisioning: 300, staging: 0 } });
  await setNotebooks(cloud, { registering: 300 });
});
const nameOf = (id: string) => `${parentOf(cloud)}/instances/${id}`;
const get = async (id: string) => (await clientOf(cloud).instances.get({ name: nameOf(id) })).data;
const machineOf = async (instance: string) =>
  (await compute.instances.get({ project: cloud.project, zone, instance }))[0];
const isGone = (look: Promise<unknown>) =>
  look.then(
    () => false,
    ({ code, status }: { code?: number; status?: number }) => code === 5 || status === 404,
  );

test('an instance is a machine of the same name, which Compute Engine lists and which really runs', async () => {
  const created = await clientOf(cloud).instances.create({
    parent: parentOf(cloud),
    instanceId: 'analysis',
    requestBody: {
      labels: { lab: 'eyes' },
      instanceOwners: ['ada@example.com'],
      gceSetup: {
        machineType: 'n1-standard-4',
        acceleratorConfigs: [{ type: 'NVIDIA_TESLA_T4', coreCount: '1' }],
        dataDisks: [{ diskSizeGb: '200', diskType: 'PD_SSD' }],
        metadata: { 'idle-timeout-seconds': '10800', 'startup-script': 'touch began' },
        disablePublicIp: true,
      },
    },
  });
  expect(created.data).toMatchObject({
    done: false,
    metadata: { verb: 'create', target: nameOf('analysis'), endpoint: 'CreateInstance', apiVersion: 'v2' },
  });
  expect((await get('analysis')).state).toBe('INITIALIZING');
  await until(async () => (await get('analysis')).state === 'PROVISIONING');
  const operation = await done(cloud, created.data);
  expect(operation.error).toBeUndefined();
  expect(operation.response).toMatchObject({
    '@type': 'type.googleapis.com/google.cloud.notebooks.v2.Instance',
    name: nameOf('analysis'),
    state: 'ACTIVE',
  });

  const machine = await machineOf('analysis');
  const instance = await get('analysis');
  expect(instance).toMatchObject({
    state: 'ACTIVE',
    healthState: 'HEALTHY',
    labels: { lab: 'eyes' },
    instanceOwners: ['ada@example.com'],
    proxyUri: `${cloud.origin}/_local/notebooks/open/${zone}/analysis`,
    gceSetup: {
      machineType: 'n1-standard-4',
      instanceId: String(machine.id),
      acceleratorConfigs: [{ type: 'NVIDIA_TESLA_T4', coreCount: '1' }],
      bootDisk: { diskSizeGb: '150' },
      dataDisks: [{ diskSizeGb: '200', diskType: 'PD_SSD' }],
      disablePublicIp: true,
    },
  });
  expect(machine).toMatchObject({
    status: 'RUNNING',
    labels: {
      lab: 'eyes',
      'notebooks-product': 'workbench-instances',
      'resource-name': 'analysis',
      'consumer-project-id': cloud.project,
    },
    tags: { items: ['deeplearning-vm', 'notebook-instance'] },
  });
  expect(machine.guestAccelerators?.map(({ acceleratorType }) => acceleratorType?.split('/').at(-1))).toEqual(
    ['nvidia-tesla-t4'],
  );
  expect(machine.disks?.map(({ diskSizeGb }) => Number(diskSizeGb))).toEqual([150, 200]);
  expect(machine.networkInterfaces?.[0]?.accessConfigs ?? []).toEqual([]);
  const metadata = Object.fromEntries((machine.metadata?.items ?? []).map(({ key, value }) => [key, value]));
  expect(metadata).toMatchObject({
    'proxy-mode': 'mail',
    'proxy-user-mail': 'ada@example.com',
    'notebooks-api-version': 'v2',
    'idle-timeout-seconds': '10800',
  });
  await until(() =>
    readFile(join(cloud.dir, 'machines', zone, 'analysis', 'began')).then(
      () => true,
      () => false,
    ),
  );
});

test('it is stopped and started, by Workbench or behind its back, and a second wish is the same operation', async () => {
  const { instances } = clientOf(cloud);
  const { data: stop } = await instances.stop({ name: nameOf('analysis') });
  expect((await done(cloud, stop)).error).toBeUndefined();
  expect(await get('analysis')).toMatchObject({ state: 'STOPPED', healthState: 'HEALTH_STATE_UNSPECIFIED' });
  expect((await machineOf('analysis')).status).toBe('TERMINATED');
  const { data: start } = await instances.start({ name: nameOf('analysis') });
  expect((await done(cloud, start)).response).toMatchObject({ state: 'ACTIVE' });

  const at = { project: cloud.project, zone, instance: 'analysis' };
  const [{ latestResponse }] = await compute.instances.stop(at);
  await wait(cloud, compute, latestResponse.name ?? '');
  expect((await get('analysis')).state).toBe('STOPPED');

  const { data: again } = await instances.start({ name: nameOf('analysis') });
  expect((await get('analysis')).state).toBe('STARTING');
  await expect(instances.stop({ name: nameOf('analysis') })).rejects.toThrow('unable to queue the operation');
  await until(async () => (await machineOf('analysis')).status === 'RUNNING');
  expect((await get('analysis')).state).toBe('STARTING');
  expect((await clientOf(cloud).operations.get({ name: again.name ?? '' })).data.done).toBe(false);
  await done(cloud, again);
  expect((await get('analysis')).state).toBe('ACTIVE');
  await setNotebooks(cloud, { unhealthy: ['analysis'] });
  expect((await get('analysis')).healthState).toBe('UNHEALTHY');
  await setNotebooks(cloud, {});
  await setCompute(cloud, quick);
});

test('its idle time-out and labels are changed, and its machine is told', async () => {
  const { instances } = clientOf(cloud);
  const change = (updateMask: string, requestBody: object) =>
    instances.patch({ name: nameOf('analysis'), updateMask, requestBody });
  const { data } = await change('gce_setup.metadata,labels', {
    gceSetup: { metadata: { 'idle-timeout-seconds': '3600' } },
    labels: { lab: 'ears' },
  });
  expect(await done(cloud, data)).toMatchObject({ metadata: { verb: 'update' } });
  const { labels, metadata } = await machineOf('analysis');
  expect(labels).toMatchObject({ lab: 'ears', 'notebooks-product': 'workbench-instances' });
  const items = Object.fromEntries((metadata?.items ?? []).map(({ key, value }) => [key, value]));
  expect(items).toMatchObject({ 'idle-timeout-seconds': '3600', 'proxy-mode': 'mail' });
  expect(items).not.toHaveProperty('startup-script');
  expect(await get('analysis')).toMatchObject({
    labels: { lab: 'ears' },
    gceSetup: { metadata: { 'idle-timeout-seconds': '3600' } },
  });
  await expect(change('gceSetup.machineType', {})).rejects.toThrow('has no change of gceSetup.machineType');
  await expect(change('', {})).rejects.toThrow('update_mask');
});

test('it is deleted with its machine and disks, and one whose machine was deleted by hand says so', async () => {
  await create(cloud, 'by-hand');
  const at = { project: cloud.project, zone, instance: 'by-hand' };
  const [{ latestResponse }] = await compute.instances.delete(at);
  await wait(cloud, compute, latestResponse.name ?? '');
  expect((await get('by-hand')).state).toBe('DELETED');
  for (const id of ['by-hand', 'analysis']) {
    const { data } = await clientOf(cloud).instances.delete({ name: nameOf(id) });
    expect(await done(cloud, data)).toMatchObject({
      response: { '@type': 'type.googleapis.com/google.protobuf.Empty' },
    });
    expect(await isGone(get(id))).toBe(true);
    expect(await isGone(machineOf(id))).toBe(true);
  }
  const [disks] = await compute.disks.list({ project: cloud.project, zone });
  expect(disks).toEqual([]);
});

test('what a test asks of Workbench can be seen, and is not counted as asked of Compute Engine', async () => {
  const seen = await requestsAt(cloud, 'notebooks');
  expect(seen.map(({ detail }) => (detail as { op?: string } | undefined)?.op)).toEqual(
    expect.arrayContaining(['instances.create', 'instances.stop', 'instances.start', 'operations.get']),
  );
  const asked = (await requestsAt(cloud, 'compute')).map(({ detail }) => (detail as { op?: string })?.op);
  expect(asked).not.toContain('instances.insert');
  const { data } = await clientOf(cloud).operations.list({ name: parentOf(cloud) });
  expect(data.operations?.every(({ done }) => done)).toBe(true);
});
