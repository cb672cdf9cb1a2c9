import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { jobRecordName } from '../../shared/jobs/jobRecord.ts';
import { activeFolder } from '../../shared/jobs/submitJob.ts';
import type { ListPage } from '../../shared/machines/computeEngine.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, minute, openJobs } from './jobKit.ts';
import { stray } from './stray.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());
const a = 'europe-west4-a';

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
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-1');
  await stray(cloud, 'gazeline-nobody-0a1b2c3d-2', { zone: 'us-central1-a' });
  await setCompute(cloud, { ...fast, unreachableZones: [a] });
  await jobs.pass(1);
  await jobs.later(11);
  expect((await jobs.read(id)).state).toBe('starting');
  // It is not even asked: that would only take time.
  expect(jobs.log.entries.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  await setCompute(cloud, fast);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-nobody-0a1b2c3d-1`]);
  await jobs.pass(2);
  expect((await jobs.read(id)).attempts).toMatchObject([{ outcome: 'vanished' }, { number: 2 }]);
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

test('a job whose zone is closed while it runs ends once its machine has ended by itself, and not before', async () => {
  const limits = { limits: { hours: 2, attempts: 1 } };
  const [silent, done, cancelled] = [
    await jobs.place(limits),
    await jobs.place(limits),
    await jobs.place(limits),
  ];
  /** Whoever is asked to end a machine there is refused, and asked again. */
  const sweepAfter = async (minutes: number) => {
    jobs.clock.ahead += minutes * minute;
    await jobs.sweep();
    jobs.queue.length = 0;
  };
  await setCompute(cloud, { ...fast, closedZones: [a] });
  await jobs.report(done, 1, 'running');
  await jobs.change(cancelled, { type: 'cancel', at: new Date(jobs.now()).toISOString() });
  await sweepAfter(2 * 60 + 45);
  expect((await jobs.read(silent)).state).toBe('starting');
  const attempt = (await jobs.read(done)).attempts[0];
  const report = { job: done, attempt: 1, sequence: 2, phase: 'finished', outcome: 'succeeded', at: 'now' };
  const reports = `jobs/${done}/attempts/1/reports`;
  await jobs.derived.file(`${reports}/000002.json`).save(JSON.stringify(report));

  // An outage is no answer, however long it lasts.
  await setCompute(cloud, { ...fast, unreachableZones: [a] });
  await sweepAfter(45);
  expect((await jobs.read(silent)).state).toBe('starting');
  await setCompute(cloud, { ...fast, closedZones: [a] });
  await sweepAfter(1);
  await sweepAfter(1);
  expect(await jobs.read(silent)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('ended by itself at'),
    attempts: [{ outcome: 'time-limit' }],
  });
  expect(await jobs.read(done)).toMatchObject({
    state: 'succeeded',
    attempts: [{ outcome: 'succeeded', releasedAt: attempt?.endsAt }],
  });
  expect(await jobs.read(cancelled)).toMatchObject({ state: 'cancelled' });
  await sweepAfter(1);
  const [active] = await jobs.storage.bucket('state').getFiles({ prefix: activeFolder });
  expect(active).toEqual([]);

  // What is there after all when the zone opens again is nobody's.
  await setCompute(cloud, fast);
  expect(await jobs.machines()).toHaveLength(3);
  await jobs.pass(1);
  await jobs.later(11);
  expect(await jobs.machines()).toEqual([]);
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
