import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { quick, setCompute } from '../compute/kit.ts';
import { clientOf, create, done, parentOf, setNotebooks, zone } from './kit.ts';

const cloud = useLocalCloud();
const usual = async () => {
  await setFaults(cloud);
  await setCompute(cloud, quick);
  await setNotebooks(cloud, {});
};
beforeAll(usual);
afterEach(usual);
const get = (id: string, place = zone) =>
  clientOf(cloud).instances.get({ name: `${parentOf(cloud, place)}/instances/${id}` });
const list = async (place = '-', more: object = {}) =>
  (await clientOf(cloud).instances.list({ parent: parentOf(cloud, place), ...more })).data;

test('a stock-out and a quota are told by the operation, and then there is no instance', async () => {
  await setFaults(cloud, { service: 'compute', kind: 'stockOut', machine: { name: 'sold-out' } });
  expect(await create(cloud, 'sold-out')).toMatchObject({
    error: { code: 8, message: expect.stringContaining('does not have enough resources available') },
  });
  await expect(get('sold-out')).rejects.toMatchObject({ status: 404 });
  await setCompute(cloud, { ...quick, quotas: [{ metric: 'NVIDIA_L4_GPUS', limit: 0 }] });
  const l4 = {
    gceSetup: { machineType: 'g2-standard-4', acceleratorConfigs: [{ type: 'NVIDIA_L4', coreCount: '1' }] },
  };
  expect(await create(cloud, 'no-quota', l4)).toMatchObject({
    error: { code: 8, message: expect.stringContaining("Quota 'NVIDIA_L4_GPUS' exceeded") },
  });
  expect(await list()).toEqual({});
  await setCompute(cloud, quick);
  expect((await create(cloud, 'no-quota', l4)).error).toBeUndefined();
});

test('a stopped instance that cannot start, because its zone is sold out, stays stopped', async () => {
  await create(cloud, 'waits');
  const name = `${parentOf(cloud)}/instances/waits`;
  await done(cloud, (await clientOf(cloud).instances.stop({ name })).data);
  await setFaults(cloud, { service: 'compute', kind: 'stockOut', machine: { name: 'waits' } });
  const { data } = await clientOf(cloud).instances.start({ name });
  expect((await done(cloud, data)).error?.message).toMatch(/ZONE_RESOURCE_POOL_EXHAUSTED/);
  expect((await get('waits')).data.state).toBe('STOPPED');
});

test('zones that do not answer stand on a page of their own, which is the last', async () => {
  await create(cloud, 'elsewhere', {}, 'us-central1-a');
  await create(cloud, 'other', {}, 'us-central1-b');
  await setNotebooks(cloud, { unreachableZones: ['us-central1-a'] });
  const first = await list();
  expect(first.instances?.map(({ name }) => name?.split('/').at(-1))).not.toContain('elsewhere');
  expect(first.unreachable).toBeUndefined();
  const last = await list('-', { pageToken: first.nextPageToken });
  expect(last).toEqual({ unreachable: [parentOf(cloud, 'us-central1-a')] });
  await expect(list('us-central1-a')).rejects.toMatchObject({ status: 503 });
  await expect(get('elsewhere', 'us-central1-a')).rejects.toMatchObject({ status: 503 });

  await setNotebooks(cloud, {});
  const { nextPageToken } = await list('-', { pageSize: 1, filter: 'name:us-central1' });
  const second = await list('-', { pageSize: 1, filter: 'name:us-central1', pageToken: nextPageToken });
  expect(second.instances?.map(({ name }) => name?.split('/').at(-1))).toEqual(['other']);
  expect((await list('us-central1-b')).instances).toHaveLength(1);
});

test('a request that comes again with its id is the same operation', async () => {
  const request = { parent: parentOf(cloud), instanceId: 'once', requestId: randomUUID(), requestBody: {} };
  const { data: first } = await clientOf(cloud).instances.create(request);
  const { data: second } = await clientOf(cloud).instances.create(request);
  expect(second.name).toBe(first.name);
  await done(cloud, first);
  await expect(
    clientOf(cloud).instances.create({ ...request, requestId: randomUUID() }),
  ).rejects.toMatchObject({
    status: 409,
  });
});

test('what cannot be is refused, by Workbench at once or by Compute Engine in the operation', async () => {
  const refused = (instanceId: string, requestBody: object, place = zone) =>
    expect(create(cloud, instanceId, requestBody, place)).rejects;
  await refused('Not_a_name', {}).toThrow('Invalid instance id');
  await refused('typo', { gceSetup: { machinetype: 'e2-standard-4' } }).toThrow('machinetype');
  await refused('nowhere', {}, 'mars-north1-a').toThrow('is not found or access is unauthorized');
  expect(await create(cloud, 'strange', { gceSetup: { machineType: 'x9-huge-1' } })).toMatchObject({
    error: { code: 3, message: expect.stringContaining('machineType') },
  });
  await setFaults(cloud, { service: 'notebooks', kind: 'permissionDenied' });
  await expect(list()).rejects.toMatchObject({ status: 403 });
});

test('a protected instance is not deleted', async () => {
  await create(cloud, 'kept', { enableDeletionProtection: true });
  const name = `${parentOf(cloud)}/instances/kept`;
  await expect(clientOf(cloud).instances.delete({ name })).rejects.toThrow('protected against deletion');
});
