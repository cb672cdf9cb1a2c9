import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, minute, openJobs, soldOut, statesOf } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());
const [a, b, c] = ['europe-west4-a', 'europe-west4-b', 'europe-west4-c'];
const zonesAsked = async () => (await jobs.inserts()).map(({ zone }) => zone);
const stockOut = (zone: string | undefined, more: object = {}) => ({
  service: 'compute',
  kind: 'stockOut',
  machine: { zone },
  ...more,
});

test('5. zone failover order and memory: the hint first, and what was sold out is left alone by all jobs', async () => {
  await setFaults(
    cloud,
    stockOut(a, { zonesAvailable: [c] }),
    stockOut(c, { code: 'ZONE_RESOURCE_POOL_EXHAUSTED' }),
  );
  await jobs.place();
  expect(await zonesAsked()).toEqual([a, c, b]);
  await jobs.place();
  expect(await zonesAsked()).toEqual([a, c, b, b]);
  // Spot machines being sold out says nothing of others.
  await jobs.submit({ spot: 'never' });
  await jobs.deliver();
  expect(await zonesAsked()).toEqual([a, c, b, b, a, c, b]);
  jobs.clock.ahead = 6 * minute;
  await setFaults(cloud);
  await jobs.place();
  expect((await zonesAsked()).at(-1)).toBe(a);
});

test('5. a regional quota skips the region', async () => {
  const metric = 'PREEMPTIBLE_NVIDIA_L4_GPUS';
  await setCompute(cloud, { ...fast, quotas: [{ metric, region: 'us-central1', limit: 1 }] });
  const both = { regions: ['us-central1', 'europe-west4'] };
  await jobs.place(both);
  await jobs.place(both);
  expect(await zonesAsked()).toEqual(['us-central1-a', 'us-central1-a', a]);
});

test('5. GPUS_ALL_REGIONS ends the search for GPUs at once, used up or none at all', async () => {
  await setCompute(cloud, { ...fast, quotas: [{ metric: 'GPUS_ALL_REGIONS', limit: 1, when: 'now' }] });
  await jobs.place();
  const accelerators = ['L4', 'T4'];
  const waits = await jobs.submit({ accelerators });
  await jobs.deliver();
  expect(await zonesAsked()).toEqual([a, a]);
  expect(await jobs.read(waits)).toMatchObject({
    state: 'waiting-for-capacity',
    reason: expect.stringContaining('GPUS_ALL_REGIONS of all regions is 1, and used up'),
  });

  await jobs.clear();
  await setCompute(cloud, { ...fast, quotas: [{ metric: 'GPUS_ALL_REGIONS', limit: 0 }] });
  const none = await jobs.submit({ accelerators });
  await jobs.deliver();
  expect(await zonesAsked()).toEqual([a]);
  expect((await jobs.read(none)).state).toBe('failed');
  await jobs.place({ accelerators: ['L4', 'T4', 'cpu'] });
  expect((await jobs.inserts()).at(-1)?.body.machineType).toContain('e2-standard-4');
});

test('6. all zones stocked out: the whole list is tried, it waits longer each time, and fails with all tries at the end', async () => {
  await setFaults(cloud, ...soldOut(a, b, c));
  const id = await jobs.submit({ accelerators: ['L4', 'T4'] });
  await jobs.deliver();
  expect(await zonesAsked()).toEqual([a, b, c, a, b, c]);
  const waiting = await jobs.read(id);
  expect(waiting).toMatchObject({
    state: 'waiting-for-capacity',
    reason: expect.stringMatching(
      /^no machine in any of 3 zones now; asked 6 times\. The last answer: It is sold out/,
    ),
    retryAt: expect.any(String),
  });
  const gaps: number[] = [];
  for (let round = 0; round < 6; round++) {
    const { retryAt = '' } = await jobs.read(id);
    gaps.push(Date.parse(retryAt) - jobs.now());
    // Too early, whoever asks: the back-off holds.
    await jobs.sweep();
    jobs.queue.push({ job: id });
    await jobs.deliver();
    expect((await jobs.read(id)).retryAt).toBe(retryAt);
    jobs.clock.ahead += Date.parse(retryAt) - jobs.now() + 100;
    await jobs.sweep();
    await jobs.deliver();
  }
  for (const [index, gap] of gaps.slice(1).entries()) expect(gap).toBeGreaterThan(1.3 * (gaps[index] ?? 0));
  jobs.clock.ahead += 24 * 60 * minute;
  await jobs.sweep();
  await jobs.deliver();
  const record = await jobs.read(id);
  expect(record).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^no capacity: /) });
  expect(record.attempts).toHaveLength(1);
  expect(new Set(record.attempts[0]?.tries.map(({ zone }) => zone))).toEqual(new Set([a, b, c]));
  expect(record.attempts[0]?.tried).toBe((await jobs.inserts()).length);
  expect([await jobs.machines(), await jobs.disks()]).toEqual([[], []]);
});

test('retry after waiting: when the time has come the sweep asks for it, and with capacity it starts', async () => {
  await setFaults(cloud, ...soldOut(a, b, c));
  const id = await jobs.submit();
  await jobs.deliver();
  await setFaults(cloud);
  await jobs.sweep();
  expect(jobs.queue).toEqual([]);
  await jobs.pass(6);
  const record = await jobs.read(id);
  expect(record.state).toBe('starting');
  expect(record).not.toHaveProperty('waitingSince');
  expect(statesOf(record).slice(0, 4)).toEqual(['queued', 'placing', 'waiting-for-capacity', 'placing']);
});

test('7. quota 0: one request, and the reason names metric, region, limit and where to ask; never again by itself', async () => {
  const metric = 'PREEMPTIBLE_NVIDIA_L4_GPUS';
  await setCompute(cloud, { ...fast, quotas: [{ metric, limit: 0 }] });
  const id = await jobs.submit({ spot: 'only' });
  await jobs.deliver();
  const record = await jobs.read(id);
  expect(record.state).toBe('failed');
  for (const part of [
    /PREEMPTIBLE[-_]NVIDIA[-_]L4/,
    'europe-west4',
    /\b0: there is none/,
    '/iam-admin/quotas',
  ])
    expect(record.reason).toMatch(part);
  await jobs.pass(3);
  expect(await jobs.inserts()).toHaveLength(1);
});

test('7. quota 0 of spot machines alone: a job that only prefers them gets another one', async () => {
  const metric = 'PREEMPTIBLE_NVIDIA_L4_GPUS';
  await setCompute(cloud, { ...fast, quotas: [{ metric, limit: 0 }] });
  await jobs.place({ spot: 'prefer' });
  const models = (await jobs.inserts()).map(({ body }) => body.scheduling.provisioningModel);
  expect(models).toEqual(['SPOT', 'STANDARD']);
});

test('7. quota 0 of one GPU says nothing of another one on the same machine type', async () => {
  await setCompute(cloud, { ...fast, quotas: [{ metric: 'PREEMPTIBLE_NVIDIA_T4_GPUS', limit: 0 }] });
  await jobs.place({ accelerators: ['T4', 'V100'], spot: 'only' });
  expect(await jobs.inserts()).toHaveLength(2);
});

test('7. a quota that our own last machine still uses is waited for, shortly', async () => {
  const metric = 'PREEMPTIBLE_NVIDIA_L4_GPUS';
  await setCompute(cloud, { ...fast, quotas: [{ metric, limit: 1 }] });
  const first = await jobs.place();
  const second = await jobs.submit();
  await jobs.deliver();
  expect(await jobs.read(second)).toMatchObject({
    state: 'waiting-for-capacity',
    reason: expect.stringContaining('is 1, and used up'),
  });
  await jobs.finish(first, 1, 'succeeded');
  await jobs.pass(4);
  expect((await jobs.read(second)).state).toBe('starting');
});

test('7. a quota that no list shows is not zero: H100 are asked for', async () => {
  await jobs.place({ accelerators: ['H100:8'] });
  expect((await jobs.inserts())[0]).toMatchObject({
    status: 200,
    body: { machineType: expect.stringContaining('a3-highgpu-8g') },
  });
});

test.each([
  ['never', ['STANDARD', 'STANDARD', 'STANDARD', 'STANDARD']],
  ['only', ['SPOT', 'SPOT', 'SPOT', 'SPOT']],
  ['prefer', ['SPOT', 'SPOT', 'STANDARD', 'STANDARD']],
])(
  '9. spot policy %s: the record says which model each attempt used, and so does the wire',
  async (spot, models) => {
    const id = await jobs.place({ spot, limits: { attempts: 4 } });
    for (let attempt = 1; attempt < 4; attempt++) {
      await jobs.finish(id, 1, 'preempted', { attempt });
      await jobs.deliver();
    }
    const wire = (await jobs.inserts()).map(({ body }) => body.scheduling.provisioningModel);
    expect(wire).toEqual(models);
    const { attempts } = await jobs.read(id);
    expect(attempts.map(({ candidate }) => candidate?.model.toUpperCase())).toEqual(models);
  },
);

test('9. after ten minutes without a spot machine, a job that prefers them takes another one', async () => {
  await setFaults(cloud, { service: 'compute', kind: 'stockOut', machine: { provisioningModel: 'SPOT' } });
  const [prefers, only] = [await jobs.submit({ spot: 'prefer' }), await jobs.submit({ spot: 'only' })];
  await jobs.deliver();
  await jobs.pass(8);
  expect((await jobs.read(prefers)).state).toBe('waiting-for-capacity');
  await jobs.pass(8);
  expect((await jobs.read(prefers)).attempts[0]?.candidate?.model).toBe('standard');
  expect((await jobs.read(only)).state).toBe('waiting-for-capacity');
});

test('a zone that was taken from the project is left out, and asked no second time', async () => {
  await setCompute(cloud, { ...fast, closedZones: [a] });
  const id = await jobs.place({ limits: { attempts: 2 } });
  await jobs.finish(id, 1, 'preempted');
  await jobs.deliver();
  expect(await zonesAsked()).toEqual([a, b, b]);
});

test('a zone that is not there any more, or does not have the machine, does not end the search', async () => {
  const { prices } = jobs.starting;
  const there = ['europe-west1-a', 'europe-west1-d', c] as string[];
  const zones = { ...prices.zones, 'g2-standard': there, L4: there };
  const regions = ['europe-west1', 'europe-west4'];
  const id = await jobs.submit({ regions });
  await jobs.deliver({ prices: { ...prices, zones }, regions });
  const asked = (await jobs.inserts()).map(({ zone, status }) => [zone, status]);
  expect(asked).toEqual([
    ['europe-west1-a', 400],
    ['europe-west1-d', 400],
    [c, 200],
  ]);
  expect((await jobs.read(id)).state).toBe('starting');
});

test('the clock of the function is behind everybody else’s: a machine comes, ends and is paid for', async () => {
  jobs.clock.ahead = -10 * minute;
  const id = await jobs.place();
  await jobs.sweep();
  await jobs.finish(id, 1, 'succeeded');
  await jobs.sweep();
  const record = await jobs.read(id);
  expect(record.state).toBe('succeeded');
  expect(await jobs.machines()).toEqual([]);
  const [{ insertedAt = '', releasedAt = '' } = {}] = record.attempts;
  expect(Date.parse(releasedAt)).toBeGreaterThan(Date.parse(insertedAt));
});
