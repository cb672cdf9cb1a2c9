import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { costOf } from '../../shared/jobs/spent.ts';
import { setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, minute, openJobs, soldOut } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());
// Whatever it was doing: nothing is left, nothing comes afterwards, and what it cost is what is billed.
afterEach(async () => {
  const before = (await jobs.inserts()).length;
  await jobs.pass(3);
  expect([await jobs.machines(), await jobs.disks()]).toEqual([[], []]);
  expect(await jobs.inserts()).toHaveLength(before);
});

const isCancelled = async (id: string) => {
  const record = await jobs.read(id);
  expect(record.state).toBe('cancelled');
  for (const { number, candidate, insertedAt, releasedAt } of record.attempts) {
    const [run] = (await jobs.bill()).filter(({ name }) => name === `gazeline-${id}-${number}`);
    if (run)
      expect([candidate?.zone, insertedAt, releasedAt]).toEqual([run.zone, run.startedAt, run.endedAt]);
    else expect(costOf(record, jobs.now())).toEqual({ dollars: 0, complete: true });
  }
  return record;
};

test('14. cancel at any point: before anything was asked for', async () => {
  const id = await jobs.submit();
  await jobs.cancel(id);
  await isCancelled(id);
  await jobs.deliver();
  expect(await jobs.inserts()).toEqual([]);
});

test('14. cancel at any point: during the search, between two zones', async () => {
  await setFaults(cloud, ...soldOut('europe-west4-a'));
  const id = await jobs.submit();
  const { service } = jobs;
  const insert: typeof service.insert = async (...args) => {
    const answer = await service.insert(...args);
    await jobs.cancel(id);
    return answer;
  };
  await jobs.deliver({ machines: async () => ({ ...service, insert }) });
  await isCancelled(id);
  expect((await jobs.inserts()).map(({ zone }) => zone)).toEqual(['europe-west4-a']);
});

test('14. cancel at any point: while its machine is being made', async () => {
  await setCompute(cloud, { ...fast, delays: { provisioning: 300, staging: 300 } });
  const id = await jobs.submit();
  jobs.queue.length = 0;
  const starting = jobs.start(id);
  while ((await jobs.machines()).length === 0) await sleep(20);
  await jobs.cancel(id);
  // Whoever asks for it sees to its end: looked for now, it might not be there yet.
  expect(await jobs.deliver()).toHaveLength(1);
  await starting;
  await isCancelled(id);
});

test('14. cancel at any point: after the function that asked has died', async () => {
  const id = await jobs.submit();
  jobs.queue.length = 0;
  const { service } = jobs;
  const insert: typeof service.insert = async (...args) => {
    await service.insert(...args);
    throw new Error('The process died');
  };
  await expect(jobs.start(id, { machines: async () => ({ ...service, insert }) })).rejects.toThrow('died');
  await jobs.cancel(id);
  await jobs.deliver();
  expect((await jobs.read(id)).state).toBe('placing');
  await jobs.pass(1);
  await isCancelled(id);
  expect(await jobs.inserts()).toHaveLength(1);
});

test('14. cancel at any point: while it waits for capacity', async () => {
  await setFaults(cloud, ...soldOut('europe-west4-a', 'europe-west4-b', 'europe-west4-c'));
  const id = await jobs.submit();
  await jobs.deliver();
  expect((await jobs.read(id)).state).toBe('waiting-for-capacity');
  await jobs.cancel(id);
  await isCancelled(id);
  await setFaults(cloud);
});

test.each(['fetching', 'running', 'uploading'] as const)(
  '14. cancel at any point: while it is %s; a late word of success changes nothing',
  async (phase) => {
    const id = await jobs.place();
    await jobs.report(id, 1, phase);
    await jobs.cancel(id);
    await jobs.cancel(id);
    expect((await jobs.read(id)).state).not.toBe('cancelled');
    await jobs.deliver();
    await isCancelled(id);
    await jobs.finish(id, 2, 'succeeded');
    await isCancelled(id);
  },
);

test('14. cancel at any point: its success is faster than its end, and it is cancelled all the same', async () => {
  const id = await jobs.place();
  await jobs.cancel(id);
  await jobs.finish(id, 2, 'succeeded');
  await jobs.deliver();
  await isCancelled(id);
});

test('14. cancel at any point: between two attempts', async () => {
  const id = await jobs.place();
  await jobs.finish(id, 1, 'preempted');
  expect((await jobs.read(id)).state).toBe('queued');
  await jobs.cancel(id);
  await isCancelled(id);
  await jobs.deliver();
});

test('14. cancel at any point: preempted, and its machine not gone yet', async () => {
  const id = await jobs.place();
  await setCompute(cloud, { ...fast, unreachableZones: ['europe-west4-a'] });
  await jobs.finish(id, 1, 'preempted').catch(() => {});
  await jobs.cancel(id);
  await expect(jobs.deliver()).rejects.toThrow('unreachable');
  // It may be there: nobody says that it is over.
  await jobs.pass(2).catch(() => {});
  expect((await jobs.read(id)).state).toBe('queued');
  await setCompute(cloud, fast);
  await jobs.pass(2);
  await isCancelled(id);
});

test('14. cancel at any point: a lost message is made good by the sweep', async () => {
  const id = await jobs.place();
  await jobs.report(id, 1, 'running');
  await jobs.cancel(id);
  jobs.queue.length = 0;
  await jobs.sweep();
  await isCancelled(id);
});

test('14. cancel at any point: after its end it changes nothing', async () => {
  const id = await jobs.place();
  await jobs.finish(id, 1, 'succeeded');
  await jobs.cancel(id);
  await jobs.deliver();
  const record = await jobs.read(id);
  expect(record.state).toBe('succeeded');
  expect(record).not.toHaveProperty('cancelRequestedAt');
  jobs.clock.ahead += minute;
});
