import { expect, test } from '@jest/globals';
import { createWorkers } from '../../../../deploy/local/cloud/workers.ts';

/** A thread that does what its job says and tells its number. */
const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, threadId } from 'node:worker_threads';
    parentPort.on('message', (job) => {
      if (job === 'die') process.exit(1);
      if (job === 'throw') setTimeout(() => { throw new Error('thrown aside'); });
      if (job === 'refuse') parentPort.postMessage({ error: 'refused' });
      if (job === 'work') parentPort.postMessage({ answer: threadId });
      if (job === 'hang') for (;;);
    });`)}`,
);

test('a thread is kept for the next job', async () => {
  const workers = createWorkers<string, number>(script, { size: 1, milliseconds: 20_000 });
  expect(await workers.ask('work')).toBe(await workers.ask('work'));
  await workers.close();
});

test.each([
  ['dies', 'die', 'died'],
  ['throws', 'throw', 'died'],
  ['refuses', 'refuse', 'threw'],
])('a thread that %s fails its job only, and another takes over', async (_, job, reason) => {
  const workers = createWorkers<string, number>(script, { size: 1, milliseconds: 20_000 });
  const before = await workers.ask('work');
  const results = await Promise.allSettled([workers.ask('work'), workers.ask(job), workers.ask('work')]);
  expect(results).toMatchObject([
    { status: 'fulfilled', value: before },
    { status: 'rejected', reason: { reason } },
    { status: 'fulfilled' },
  ]);
  expect(await workers.ask('work')).not.toBe(before);
  await workers.close();
});

test('a job that never ends is ended, and the next one is done', async () => {
  const workers = createWorkers<string, number>(script, { size: 1, milliseconds: 300 });
  await expect(workers.ask('hang')).rejects.toMatchObject({ reason: 'late' });
  await workers.close();
});

test('closing fails what is under way and what waits', async () => {
  const workers = createWorkers<string, number>(script, { size: 1, milliseconds: 20_000 });
  const results = Promise.allSettled([workers.ask('hang'), workers.ask('work')]);
  await workers.close();
  expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(workers.ask('work')).rejects.toMatchObject({ reason: 'closed' });
});
