import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coalesce } from '../../shared/coalesce.ts';

test('a thousand callers at once cost two runs', async () => {
  let runs = 0;
  const call = coalesce(async () => {
    runs++;
    await sleep(1);
  });
  await Promise.all(Array.from({ length: 1000 }, call));
  expect(runs).toBe(2);
});

test('a caller sees a run that began after its call, and no two runs overlap', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(fc.nat(3), { maxLength: 20 }), async (scheduler, pauses) => {
      let begun = 0;
      let going = 0;
      const call = coalesce(async () => {
        begun++;
        expect(++going).toBe(1);
        await scheduler.schedule(Promise.resolve());
        going--;
      });
      const callers = pauses.map(async (pause) => {
        for (let i = 0; i < pause; i++) await scheduler.schedule(Promise.resolve());
        const before = begun;
        await call();
        expect(begun).toBeGreaterThan(before);
      });
      await scheduler.waitFor(Promise.all(callers));
    }),
    { numRuns: 50 },
  );
});

test('no two runs overlap when callers call again the moment that theirs is over', async () => {
  let going = 0;
  const call = coalesce(async () => {
    expect(++going).toBe(1);
    await sleep(0);
    going--;
  });
  const caller = async () => {
    for (let i = 0; i < 5; i++) await call();
  };
  await Promise.all([caller(), caller(), caller()]);
});

test('a run that fails fails its own callers and not the next ones', async () => {
  const outcomes = ['fails', 'works', 'works'];
  const call = coalesce(async () => {
    await sleep(1);
    if (outcomes.shift() === 'fails') throw new Error('once');
  });
  const [first, second] = await Promise.allSettled([call(), call()]);
  expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  await expect(call()).resolves.toBeUndefined();
});
