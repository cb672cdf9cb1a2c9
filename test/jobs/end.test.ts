import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { costOf } from '../../shared/jobs/spent.ts';
import { clientsOf, insert, machine, setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, minute, openJobs, statesOf } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());

test('11. preempted in the middle, without a last word: a new attempt, and the time and money of both count', async () => {
  const id = await jobs.place({ checkpoints: 'checkpoints', limits: { hours: 2 } });
  await jobs.report(id, 1, 'running', { checkpoint: '2026-01-01T00:00:00Z' });
  await jobs.preempt(id);
  await jobs.sweep();
  // Its last report may still be on its way.
  expect((await jobs.read(id)).state).toBe('running');
  await jobs.pass(2);
  const record = await jobs.read(id);
  expect(record).toMatchObject({ state: 'starting', attempts: [{ outcome: 'preempted' }, { number: 2 }] });
  expect(record.attempts[0]?.reason).toBe('it was preempted in europe-west4-a');
  const [first, second] = await jobs.inserts();
  const told = (of: typeof first) =>
    Object.fromEntries(of?.body.metadata.items.map(({ key, value }) => [key, value]) ?? []);
  expect(told(second)).toMatchObject({ 'gazeline-attempt': '2', 'gazeline-checkpoints': 'checkpoints' });
  expect(told(first)).toMatchObject({ 'gazeline-attempt': '1' });
  // The second has what the first has left.
  const limit = second?.body.scheduling.maxRunDuration as { seconds: string } | undefined;
  expect(Number(limit?.seconds)).toBeLessThan(7200);
  await jobs.finish(id, 1, 'succeeded', { attempt: 2 });
  const { attempts, state } = await jobs.read(id);
  expect(state).toBe('succeeded');
  const hours = attempts.reduce(
    (sum, { insertedAt = '', releasedAt = '' }) =>
      sum + (Date.parse(releasedAt) - Date.parse(insertedAt)) / 3.6e6,
    0,
  );
  expect(costOf(await jobs.read(id), jobs.now()).dollars).toBeCloseTo(hours * 0.383444, 9);
});

test('11. a preemption of a prefix twin is not one of ours: gazeline-…-1 and gazeline-…-10', async () => {
  const id = await jobs.place();
  const spot = { scheduling: { provisioningModel: 'SPOT', instanceTerminationAction: 'DELETE' } };
  await insert(cloud, clientsOf(cloud), machine(`gazeline-${id}-10`, '', spot));
  await fetch(`${cloud.origin}/_local/compute/preempt`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ zone: 'europe-west4-a', name: `gazeline-${id}-10` }),
  });
  while ((await jobs.machines()).length > 1) await sleep(20);
  await jobs.removeByHand(id);
  await jobs.pass(2);
  expect((await jobs.read(id)).attempts[0]?.outcome).toBe('vanished');
  expect(await jobs.service.wasPreempted('europe-west4-a', `gazeline-${id}-10`)).toBe(true);
});

test('11. who says that it was preempted is followed at once; its limit of attempts holds', async () => {
  const id = await jobs.place({ limits: { attempts: 2 } });
  await jobs.finish(id, 1, 'preempted');
  expect((await jobs.read(id)).state).toBe('queued');
  await jobs.deliver();
  await jobs.finish(id, 1, 'preempted', { attempt: 2 });
  await jobs.deliver();
  expect(await jobs.read(id)).toMatchObject({
    state: 'failed',
    reason: 'the machine says: preempted; it was attempt 2, the last',
  });
  expect(await jobs.inserts()).toHaveLength(2);
  expect(await jobs.machines()).toEqual([]);
});

test('12. finished but upload failed: not succeeded, the machine stays for the rescue time, then it goes', async () => {
  const id = await jobs.place();
  const reason = 'Cloud Storage answered 403. The results are on the machine: gcloud compute ssh …';
  await jobs.finish(id, 1, 'results-not-uploaded', { exitCode: 0, reason });
  expect(await jobs.read(id)).toMatchObject({
    state: 'failed',
    reason,
    attempts: [{ outcome: 'results-not-uploaded' }],
  });
  await jobs.pass(1);
  await jobs.later(13);
  expect(await jobs.machines()).toHaveLength(1);
  await jobs.pass(2);
  expect(await jobs.machines()).toEqual([]);
  expect((await jobs.read(id)).attempts[0]).toHaveProperty('releasedAt');
  expect(await jobs.inserts()).toHaveLength(1);
});

test('12. a machine that has rescued what it could and is off goes at once', async () => {
  const id = await jobs.place();
  await jobs.finish(id, 1, 'results-not-uploaded', { exitCode: 0 });
  const [machine] = await jobs.machines();
  const name = machine?.split('/')[1] ?? '';
  const stop = `${cloud.origin}/compute/v1/projects/${cloud.project}/zones/europe-west4-a/instances/${name}/stop`;
  await fetch(stop, { method: 'POST' });
  while ((await jobs.service.look('europe-west4-a', name))?.status !== 'TERMINATED') await sleep(20);
  await jobs.pass(1);
  expect(await jobs.machines()).toEqual([]);
});

test('13. vanished without a word: lost after the last attempt, and another attempt before', async () => {
  const id = await jobs.place({ limits: { attempts: 2 } });
  await jobs.report(id, 1, 'running');
  await jobs.removeByHand(id);
  await jobs.sweep();
  expect((await jobs.read(id)).state).toBe('running');
  await jobs.pass(2);
  expect((await jobs.read(id)).attempts).toMatchObject([{ outcome: 'vanished' }, { number: 2 }]);
  await jobs.removeByHand(id, 2);
  await jobs.pass(2);
  const record = await jobs.read(id);
  expect(record).toMatchObject({
    state: 'lost',
    reason: expect.stringContaining('it was attempt 2, the last'),
  });
  expect(statesOf(record)).toEqual([
    'queued',
    'placing',
    'starting',
    'running',
    'queued',
    'placing',
    'starting',
    'lost',
  ]);
});

test('13. vanished, and what it wrote last is no report: it is lost all the same', async () => {
  const id = await jobs.place({ limits: { attempts: 1 } });
  await jobs.report(id, 1, 'running');
  await jobs.derived.file(`jobs/${id}/attempts/1/reports/000002.json`).save('{"phase": "finished"');
  await jobs.removeByHand(id);
  await jobs.pass(2);
  expect((await jobs.read(id)).state).toBe('lost');
});

test('13. vanished, and the message of its last report was lost: the report is found', async () => {
  const id = await jobs.place();
  const report = { job: id, attempt: 1, sequence: 1, phase: 'finished', outcome: 'succeeded', at: 'now' };
  await jobs.derived.file(`jobs/${id}/attempts/1/reports/000001.json`).save(JSON.stringify(report));
  await jobs.removeByHand(id);
  await jobs.pass(2);
  expect((await jobs.read(id)).state).toBe('succeeded');
});

test('13. silent though it runs: it is not touched, however long it says nothing', async () => {
  const id = await jobs.place();
  await jobs.report(id, 1, 'running');
  jobs.clock.ahead += 3 * 60 * minute;
  await jobs.pass(3);
  expect((await jobs.read(id)).state).toBe('running');
  expect(await jobs.machines()).toHaveLength(1);
  expect(await jobs.asked('instances.delete')).toBe(0);
});

test('13. gone at the end of its time: failed of its limit, and not tried again', async () => {
  const id = await jobs.place({ limits: { hours: 1 } });
  await jobs.report(id, 1, 'running');
  await jobs.removeByHand(id);
  jobs.clock.ahead += 61 * minute;
  await jobs.pass(1);
  expect(await jobs.read(id)).toMatchObject({
    state: 'failed',
    reason: 'it reached the limit of its time or money',
  });
  expect(await jobs.inserts()).toHaveLength(1);
});

test('VM deleted by hand while it reports its end: what it says is heard, and it is another attempt', async () => {
  const id = await jobs.place();
  await jobs.removeByHand(id);
  await jobs.finish(id, 1, 'cancelled', { reason: 'It was told to end' });
  await jobs.deliver();
  expect(await jobs.read(id)).toMatchObject({
    state: 'starting',
    attempts: [{ outcome: 'cancelled' }, { number: 2 }],
  });
});

test('15. out-of-order reports: what counts is attempt and sequence, never the clock of the machine', async () => {
  const id = await jobs.place();
  const hour = 60 * minute;
  const at = (hours: number) => new Date(Date.now() + hours * hour).toISOString();
  await jobs.report(id, 3, 'running', { at: at(-10) });
  await jobs.report(id, 2, 'fetching', { at: at(10) });
  expect(await jobs.read(id)).toMatchObject({ state: 'running', attempts: [{ sequence: 3 }] });
  await jobs.finish(id, 5, 'preempted', { at: at(-10) });
  await jobs.report(id, 4, 'uploading', { at: at(10) });
  expect((await jobs.read(id)).state).toBe('queued');
  await jobs.deliver();
  // Of the first attempt, after the second has begun.
  await jobs.finish(id, 6, 'succeeded', { at: at(10) });
  expect(await jobs.read(id)).toMatchObject({ state: 'starting', attempts: [{ outcome: 'preempted' }, {}] });
  expect(await jobs.machines()).toEqual([`europe-west4-a/gazeline-${id}-2`]);
  await jobs.finish(id, 1, 'succeeded', { attempt: 2 });
  expect((await jobs.read(id)).state).toBe('succeeded');
});

test('15. finished before started: the report is faster than the answer to the insert', async () => {
  const id = await jobs.submit();
  jobs.queue.length = 0;
  const { service } = jobs;
  const insert: typeof service.insert = async (...args) => {
    const answer = await service.insert(...args);
    await jobs.finish(id, 4, 'succeeded');
    await jobs.report(id, 1, 'starting');
    return answer;
  };
  await jobs.start(id, { machines: async () => ({ ...service, insert }) });
  const record = await jobs.read(id);
  expect(statesOf(record)).toEqual(['queued', 'placing', 'succeeded']);
  expect(await jobs.machines()).toEqual([]);
  const [{ insertedAt, releasedAt } = {}] = record.attempts;
  const [run] = (await jobs.bill()).filter(({ name }) => name === `gazeline-${id}-1`);
  expect([insertedAt, releasedAt]).toEqual([run?.startedAt, run?.endedAt]);
});

test('a report that is none, or of a job that is not known, is put aside and changes nothing', async () => {
  const id = await jobs.place();
  const name = `jobs/${id}/attempts/1/reports/000001.json`;
  await jobs.derived.file(name).save('{"phase": "finished"');
  await expect(jobs.hear(name)).rejects.toMatchObject({ name: 'Unprocessable' });
  await expect(jobs.report('nobody-0a1b2c3d', 1, 'running')).rejects.toMatchObject({ name: 'Unprocessable' });
  expect((await jobs.read(id)).state).toBe('starting');
});

test('16. boot failure is explained: the last lines of the serial port are the reason, long before the run limit', async () => {
  const settings = {
    ...jobs.starting.settings,
    // More than the port keeps: what is left of it begins somewhere in the middle.
    startupScript:
      'head -c 1500000 /dev/zero | tr "\\0" x | fold -w 1000; echo; echo no route to the bucket; exit 3',
  };
  const id = await jobs.submit();
  await jobs.deliver({ settings });
  const printed = () => jobs.service.bootLines('europe-west4-a', `gazeline-${id}-1`);
  while (!(await printed()).join().includes('exit status 3')) await sleep(50);
  await jobs.later(9);
  expect((await jobs.read(id)).state).toBe('starting');
  await jobs.pass(2);
  const record = await jobs.read(id);
  expect(record.state).toBe('failed');
  expect(record.reason).toMatch(/^the machine did not start its work\. It printed last:\n/);
  expect(record.reason).toContain('startup-script: no route to the bucket');
  expect(record.reason).toContain('exit status 3');
  expect(record.reason?.length).toBeLessThan(2200);
  expect(await jobs.machines()).toEqual([]);
});

test('16. a machine whose kernel does not come up says so too, after three times as long', async () => {
  await setFaults(cloud, { service: 'compute', kind: 'bootFailure' });
  const id = await jobs.place();
  await jobs.later(20);
  expect((await jobs.read(id)).state).toBe('starting');
  jobs.clock.ahead += 10 * minute;
  await jobs.pass(1);
  expect(await jobs.read(id)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('Kernel panic'),
    attempts: [{ outcome: 'boot-failed' }],
  });
});

test('a machine that is slow to end is not said to be gone', async () => {
  const id = await jobs.place();
  await setCompute(cloud, { ...fast, delays: { provisioning: 20, staging: 20, stopping: 400 } });
  await jobs.finish(id, 1, 'succeeded');
  const record = await jobs.read(id);
  const [run] = (await jobs.bill()).filter(({ name }) => name === `gazeline-${id}-1`);
  expect(record.attempts[0]?.releasedAt).toBe(run?.endedAt);
  expect(await jobs.machines()).toEqual([]);
});
