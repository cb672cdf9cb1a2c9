import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { costOf } from '../../shared/jobs/spent.ts';
import { useLocalCloud } from '../localCloud.ts';
import { type Jobs, openJobs } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());

/** A second of it costs more than a cent and a half. */
const dear = { accelerators: ['A100:16'], spot: 'never', limits: { attempts: 2 } };

/** The platform's own bill, at the prices of the table. */
async function billed(id: string): Promise<number> {
  const { attempts } = await jobs.read(id);
  let dollars = 0;
  for (const { name, zone, startedAt, endedAt } of await jobs.bill()) {
    const attempt = attempts.find(({ number }) => name === `gazeline-${id}-${number}`);
    if (!attempt) continue;
    if (!endedAt) throw new Error(`${name} still runs`);
    expect(attempt.candidate?.zone).toBe(zone);
    const hours = (Date.parse(endedAt) - Date.parse(startedAt)) / 3_600_000;
    dollars += hours * (attempt.candidate?.price?.perHour ?? Number.NaN);
  }
  return dollars;
}

async function isPaid(id: string): Promise<void> {
  const { dollars, complete } = costOf(await jobs.read(id), jobs.now());
  const bill = await billed(id);
  expect(bill).toBeGreaterThan(0);
  expect(complete).toBe(true);
  expect(Math.abs(dollars - bill)).toBeLessThan(0.005);
}

test('the recorded cost equals the bill to the cent, however the machine ended', async () => {
  const ids = [
    await jobs.place(dear),
    await jobs.place(dear),
    await jobs.place(dear),
    await jobs.place(dear),
  ];
  const [finished = '', removed = '', cancelled = '', retried = ''] = ids;
  await sleep(300);
  await jobs.finish(finished, 1, 'succeeded');
  await jobs.cancel(cancelled);
  await jobs.deliver();
  await jobs.removeByHand(removed);
  await jobs.finish(retried, 1, 'preempted');
  await jobs.deliver();
  await sleep(300);
  await jobs.finish(retried, 1, 'failed', { attempt: 2, exitCode: 1 });
  // It is found to be gone minutes after it went.
  await jobs.pass(3);
  await jobs.finish(removed, 1, 'succeeded', { attempt: 2 });
  for (const id of ids) await isPaid(id);
});

test('the recorded cost equals the bill to the cent: preempted and deleted by the service, noticed late', async () => {
  const id = await jobs.place({ ...dear, spot: 'only' });
  await sleep(300);
  await jobs.preempt(id);
  await jobs.pass(5);
  await jobs.finish(id, 1, 'succeeded', { attempt: 2 });
  await isPaid(id);
});

test('the recorded cost equals the bill to the cent: off by itself, and deleted later', async () => {
  const settings = { ...jobs.starting.settings, startupScript: 'sleep 0.3; poweroff' };
  const id = await jobs.submit(dear);
  await jobs.deliver({ settings });
  const name = `gazeline-${id}-1`;
  const { zone = '' } = (await jobs.read(id)).attempts[0]?.candidate ?? {};
  while ((await jobs.service.look(zone, name))?.status !== 'TERMINATED') await sleep(50);
  await sleep(500);
  await jobs.finish(id, 1, 'succeeded');
  await isPaid(id);
});

test('the recorded cost equals the bill to the cent: who asked has died, and a report or the sweep noted it', async () => {
  const { service } = jobs;
  const insert: typeof service.insert = async (...args) => {
    await service.insert(...args);
    throw new Error('The process died');
  };
  const ids = [await jobs.submit(dear), await jobs.submit(dear)];
  jobs.queue.length = 0;
  for (const id of ids)
    await expect(jobs.start(id, { machines: async () => ({ ...service, insert }) })).rejects.toThrow('died');
  const [reported = '', cancelled = ''] = ids;
  await jobs.report(reported, 1, 'running');
  await jobs.cancel(cancelled);
  jobs.queue.length = 0;
  await sleep(300);
  await jobs.finish(reported, 2, 'succeeded');
  await jobs.pass(1);
  expect((await jobs.read(cancelled)).state).toBe('cancelled');
  for (const id of ids) await isPaid(id);
});
