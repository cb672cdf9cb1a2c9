import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { machineSweep } from '../../functions/machine-sweep.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { type Jobs, minute, openJobs } from './jobKit.ts';
import { ours, stray } from './stray.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());
const a = 'europe-west4-a';

test('22. orphans: what is ours and has no record is ended, never at first sight, and nothing that is not ours', async () => {
  const id = await jobs.place();
  await jobs.report(id, 1, 'running');
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-1');
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-2', { labels: { 'gazeline-lab': 'another-lab' } });
  await stray(cloud, 'notebook-of-jane');
  jobs.clock.ahead += 24 * 60 * minute;
  await jobs.sweep();
  expect(await jobs.machines()).toHaveLength(4);
  await jobs.later(9);
  expect(await jobs.machines()).toHaveLength(4);
  await jobs.pass(2);
  expect(await jobs.machines()).toEqual([
    `${a}/gazeline-nobody-0a1b2c3d-2`,
    `${a}/gazeline-${id}-1`,
    `${a}/notebook-of-jane`,
  ]);
});

test('a machine that comes back after its attempt was over is ended in a minute or two', async () => {
  const id = await jobs.place();
  await jobs.finish(id, 1, 'succeeded');
  await stray(cloud, `gazeline-${id}-1`);
  await jobs.sweep();
  expect(await jobs.machines()).toHaveLength(1);
  await jobs.pass(2);
  expect(await jobs.machines()).toEqual([]);
});

test('a machine of the same name in another zone is not the job’s, and is ended', async () => {
  const id = await jobs.place();
  await stray(cloud, `gazeline-${id}-1`, { zone: 'europe-west4-b' });
  await jobs.pass(1);
  await jobs.later(11);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
  await stray(cloud, `gazeline-${id}-1`, { zone: 'us-central1-a' });
  await jobs.removeByHand(id);
  await jobs.pass(2);
  expect((await jobs.read(id)).attempts[0]?.outcome).toBe('vanished');
});

test('disks left behind are removed; those in use are not', async () => {
  const id = await jobs.place();
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-1', { autoDelete: false });
  await jobs.service.remove(a, 'gazeline-nobody-0a1b2c3d-1');
  await jobs.sweep();
  expect(await jobs.disks()).toHaveLength(2);
  await jobs.later(9);
  await jobs.later(2);
  expect(await jobs.disks()).toEqual([`${a}/gazeline-${id}-1`]);
  expect((await jobs.inserts())[0]?.body.disks).toEqual([
    expect.objectContaining({
      initializeParams: expect.objectContaining({ labels: expect.objectContaining(ours) }),
    }),
  ]);
});

test('an orphan that cannot be ended does not keep the others', async () => {
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-1', { zone: 'asia-east1-a' });
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-2');
  await setFaults(cloud, { service: 'compute', kind: 'permissionDenied', path: '/zones/asia-east1-a/' });
  await jobs.pass(1);
  await jobs.later(11);
  await setFaults(cloud);
  expect(await jobs.machines()).toEqual(['asia-east1-a/gazeline-nobody-0a1b2c3d-1']);
});

test('an idle lab looks at its zones once an hour, and each minute while something is left behind', async () => {
  const half = { time: new Date('2026-01-01T12:30:00Z') };
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-1');
  await machineSweep(half, jobs.sweeping);
  expect(await jobs.asked('instances.aggregatedList')).toBe(0);
  await jobs.sweep();
  jobs.clock.ahead += 11 * minute;
  await machineSweep(half, jobs.sweeping);
  expect(await jobs.machines()).toEqual([]);
  await jobs.sweep();
  const before = await jobs.asked('instances.aggregatedList');
  await machineSweep(half, jobs.sweeping);
  expect(await jobs.asked('instances.aggregatedList')).toBe(before);
});
