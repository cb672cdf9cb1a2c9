import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { machineSweep } from '../../functions/machine-sweep.ts';
import { clients } from '../../shared/clients.ts';
import { jobRecordName } from '../../shared/jobs/jobRecord.ts';
import { activeFolder } from '../../shared/jobs/submitJob.ts';
import type { ListPage } from '../../shared/machines/computeEngine.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { clientsOf, insert, machine, setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, minute, openJobs } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());
const a = 'europe-west4-a';
const ours = { 'gazeline-lab': 'eye-lab' };

/** A machine that bears the lab's label, made by nobody knows whom. */
const stray = (name: string, more: { labels?: object; zone?: string; autoDelete?: boolean } = {}) => {
  const { labels = ours, zone = a, autoDelete = true } = more;
  const made = machine(name, undefined, { labels, machineType: `zones/${zone}/machineTypes/e2-standard-2` });
  const disks = made.disks.map((disk) => ({
    ...disk,
    autoDelete,
    initializeParams: { ...disk.initializeParams, labels },
  }));
  return insert(cloud, clientsOf(cloud), { ...made, disks }, { zone });
};

test('a 403 on page 2 concludes nothing of what was not seen; the rest is looked after', async () => {
  const [first, second, third] = [await jobs.place(), await jobs.place(), await jobs.place()];
  await jobs.removeByHand(second);
  jobs.clock.ahead += 10 * minute;
  const compute = await clients.compute();
  const onePage: ListPage = async (request) => {
    if (request.pageToken)
      await setFaults(cloud, {
        service: 'compute',
        kind: 'permissionDenied',
        path: '/aggregated/instances$',
      });
    return compute.listInstances({ ...request, maxResults: 1 });
  };
  const service = computeEngine(cloud.project, { ...compute, listInstances: onePage });
  await jobs.finish(first, 1, 'results-not-uploaded');
  await jobs.sweep({ machines: async () => service });
  expect((await jobs.read(second)).attempts[0]).not.toHaveProperty('outcome');
  expect(jobs.log.entries).toContainEqual(expect.objectContaining({ unseen: ['everywhere'] }));
  await setFaults(cloud);
  await jobs.sweep();
  expect((await jobs.read(second)).attempts[0]?.outcome).toBe('vanished');
  expect((await jobs.read(third)).state).toBe('starting');
});

test('a zone that does not answer concludes nothing, neither of jobs nor of orphans; other zones are looked after', async () => {
  const id = await jobs.place();
  await jobs.removeByHand(id);
  await stray('gazeline-nobody-0a1b2c3d-1');
  await stray('gazeline-nobody-0a1b2c3d-2', { zone: 'us-central1-a' });
  await setCompute(cloud, { ...fast, unreachableZones: [a] });
  await jobs.pass(1);
  await jobs.later(11);
  expect((await jobs.read(id)).state).toBe('starting');
  await setCompute(cloud, fast);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-nobody-0a1b2c3d-1`]);
  await jobs.pass(2);
  expect((await jobs.read(id)).attempts).toMatchObject([{ outcome: 'vanished' }, { number: 2 }]);
});

test('orphans are ended, never at first sight, and nothing that is not ours', async () => {
  const id = await jobs.place();
  await jobs.report(id, 1, 'running');
  await stray('gazeline-nobody-0a1b2c3d-1');
  await stray('gazeline-nobody-0a1b2c3d-2', { labels: { 'gazeline-lab': 'another-lab' } });
  await stray('notebook-of-jane');
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
  await stray(`gazeline-${id}-1`);
  await jobs.sweep();
  expect(await jobs.machines()).toHaveLength(1);
  await jobs.pass(2);
  expect(await jobs.machines()).toEqual([]);
});

test('a machine of the same name in another zone is not the job’s, and is ended', async () => {
  const id = await jobs.place();
  await stray(`gazeline-${id}-1`, { zone: 'europe-west4-b' });
  await jobs.pass(1);
  await jobs.later(11);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
  await stray(`gazeline-${id}-1`, { zone: 'us-central1-a' });
  await jobs.removeByHand(id);
  await jobs.pass(2);
  expect((await jobs.read(id)).attempts[0]?.outcome).toBe('vanished');
});

test('disks left behind are removed; those in use are not', async () => {
  const id = await jobs.place();
  await stray('gazeline-nobody-0a1b2c3d-1', { autoDelete: false });
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
  await stray('gazeline-nobody-0a1b2c3d-1', { zone: 'asia-east1-a' });
  await stray('gazeline-nobody-0a1b2c3d-2');
  await setCompute(cloud, { ...fast, closedZones: ['asia-east1-a'] });
  await jobs.pass(1);
  await jobs.later(11);
  expect(await jobs.machines()).toEqual(['asia-east1-a/gazeline-nobody-0a1b2c3d-1']);
});

test('a record that cannot be read, or a job in trouble, does not keep the others', async () => {
  const [broken, shut, fine] = [
    await jobs.place(),
    await jobs.place(),
    await jobs.place({ regions: ['us-central1'] }),
  ];
  await jobs.storage.bucket('state').file(jobRecordName(broken)).save('{"id": 7}');
  await jobs.removeByHand(fine);
  await setCompute(cloud, { ...fast, closedZones: [a] });
  await jobs.pass(2);
  expect((await jobs.read(fine)).attempts[0]?.outcome).toBe('vanished');
  expect((await jobs.read(shut)).state).toBe('starting');
  // Its machine is nobody's only when its record says so.
  await setCompute(cloud, fast);
  await jobs.pass(1);
  await jobs.later(11);
  expect(await jobs.machines()).toContain(`${a}/gazeline-${broken}-1`);
});

test('what a lost message leaves undone is asked for again: a new job, a dead search, an end without a release', async () => {
  const queued = await jobs.submit();
  jobs.queue.length = 0;
  await jobs.pass(1);
  expect((await jobs.read(queued)).state).toBe('starting');

  const searching = await jobs.submit();
  jobs.queue.length = 0;
  await jobs.change(searching, { type: 'place', at: new Date(jobs.now()).toISOString() });
  await jobs.sweep();
  expect(jobs.queue).toEqual([]);
  await jobs.pass(2);
  expect((await jobs.read(searching)).state).toBe('starting');

  const name = `jobs/${queued}/attempts/1/reports/000001.json`;
  const report = { job: queued, attempt: 1, sequence: 1, phase: 'finished', outcome: 'succeeded', at: 'now' };
  await jobs.derived.file(name).save(JSON.stringify(report));
  const machines = async () => Promise.reject(new Error('The process died'));
  await expect(jobs.hear(name, { machines })).rejects.toThrow('died');
  expect(await jobs.read(queued)).toMatchObject({ state: 'succeeded', attempts: [{}] });
  expect(await jobs.machines()).toHaveLength(2);
  await jobs.pass(1);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${searching}-1`]);
});

test('a job that is over is looked at no more', async () => {
  const id = await jobs.place();
  await jobs.finish(id, 1, 'succeeded');
  await jobs.sweep();
  for await (const name of jobs.records.list(activeFolder)) throw new Error(name);
  const before = await jobs.asked('instances.get');
  await jobs.sweep();
  expect(await jobs.asked('instances.get')).toBe(before);
});

test('an idle lab looks at its zones once an hour, and each minute while something is left behind', async () => {
  const half = { time: new Date('2026-01-01T12:30:00Z') };
  await stray('gazeline-nobody-0a1b2c3d-1');
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

test('cool-down is shared between jobs, and a machine that was had after all ends it', async () => {
  await setFaults(cloud, { service: 'compute', kind: 'stockOut', machine: { zone: a }, times: 1 });
  await jobs.place();
  expect(Object.keys(await jobs.cooldown())).toEqual([`${a} g2-standard-8 spot`]);
  await jobs.place();
  expect((await jobs.inserts()).map(({ zone }) => zone)).toEqual([a, 'europe-west4-b', 'europe-west4-b']);
  jobs.clock.ahead += 6 * minute;
  await jobs.place();
  expect(await jobs.cooldown()).toEqual({});
});
