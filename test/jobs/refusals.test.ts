import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, openJobs } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());
const a = 'europe-west4-a';
const atInsert = { service: 'compute', method: 'POST', path: `${a}/instances$` };

// What all forms of an answer mean stands in test/shared/machines/failure.test.ts; here is what follows from it.
test('8. 403 told apart: too many requests are asked again later, as another request', async () => {
  await setFaults(cloud, { ...atInsert, kind: 'rateLimit', times: 1 });
  const id = await jobs.submit();
  const early = await jobs.deliver();
  expect(early).toEqual([expect.objectContaining({ message: expect.stringContaining('Too many requests') })]);
  expect(await jobs.cooldown()).toEqual({});
  await jobs.deliver();
  expect((await jobs.read(id)).state).toBe('starting');
  const inserts = await jobs.inserts();
  expect(inserts.map(({ zone, status }) => [zone, status])).toEqual([
    [a, 403],
    [a, 200],
  ]);
  expect(inserts[0]?.requestId).not.toBe(inserts[1]?.requestId);
});

test('8. 403 told apart: a missing permission ends the job, and is named', async () => {
  await setFaults(cloud, { ...atInsert, kind: 'permissionDenied' });
  const id = await jobs.submit();
  await jobs.deliver();
  expect(await jobs.read(id)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('lacks the permission compute.instances.insert'),
  });
  await jobs.pass(3);
  expect(await jobs.inserts()).toHaveLength(1);
});

test('8. 403 told apart: a quota that is told at once is one that is told late', async () => {
  for (const when of ['now', 'late']) {
    await jobs.clear();
    await setCompute(cloud, { ...fast, quotas: [{ metric: 'PREEMPTIBLE_NVIDIA_L4_GPUS', limit: 0, when }] });
    const id = await jobs.submit({ spot: 'only' });
    await jobs.deliver();
    const { state, attempts } = await jobs.read(id);
    expect([state, attempts[0]?.tries.map(({ kind, scope }) => [kind, scope])]).toEqual([
      'failed',
      [['quota-zero', 'region']],
    ]);
  }
});

test('8. 400 is fatal; 503 is no capacity, and the next zone is asked', async () => {
  await setFaults(cloud, { ...atInsert, kind: 'status', status: 400, reason: 'invalid', times: 1 });
  const refused = await jobs.submit();
  await jobs.deliver();
  expect((await jobs.read(refused)).state).toBe('failed');
  expect(await jobs.inserts()).toHaveLength(1);

  await setFaults(cloud, { ...atInsert, kind: 'status', status: 503 });
  const id = await jobs.place();
  expect((await jobs.read(id)).attempts[0]).toMatchObject({
    candidate: { zone: 'europe-west4-b' },
    tries: [{ zone: a, kind: 'stock-out', scope: 'zone' }],
  });
});

test('8. an account that may insert and not wait has a machine, and is told what it lacks', async () => {
  const id = await jobs.submit();
  await setFaults(cloud, { service: 'compute', kind: 'permissionDenied', method: 'POST', path: '/wait$' });
  await expect(jobs.deliver()).rejects.toThrow('compute.zoneOperations.wait');
  // Nothing is concluded: it may be there.
  expect((await jobs.read(id)).state).toBe('placing');
});

test('a machine that vanishes while it is made, or is preempted then, is a stock-out of its zone', async () => {
  for (const fault of [
    { kind: 'vanish' },
    { kind: 'stockOut', code: 'UNSUPPORTED_OPERATION' },
    { kind: 'stockOut', code: 'ZONE_RESOURCE_POOL_EXHAUSTED' },
  ]) {
    await jobs.clear();
    await setFaults(cloud, { service: 'compute', machine: { zone: a }, ...fault });
    const id = await jobs.place();
    expect((await jobs.read(id)).attempts[0]?.tries).toEqual([
      expect.objectContaining({ kind: 'stock-out' }),
    ]);
    expect(await jobs.machines()).toEqual([`europe-west4-b/gazeline-${id}-1`]);
  }
});
