import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { NotYet, once } from '../../shared/once.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { useLocalCloud } from '../localCloud.ts';

useLocalCloud();
let records: Records;
let last = 0;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state');
});

/** An effect whose outcome is seen by everybody, and that counts how often it ran. */
function effectOf(work: () => Promise<void> = async () => {}) {
  const state = { runs: 0, result: undefined as string | undefined };
  const effect = async () => {
    state.runs++;
    await work();
    state.result = `result of run ${state.runs}`;
    return state.result;
  };
  return { state, effect, outcome: async () => state.result, key: `effect-${last++}` };
}

const lease = 60_000;

test('of many at a time one does it, and the others come again and find the outcome', async () => {
  const { state, effect, outcome, key } = effectOf();
  const attempt = () => once(records, key, outcome, effect, { lease });
  const first = await Promise.allSettled(Array.from({ length: 8 }, attempt));
  for (const result of first) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(NotYet);
  expect(await Promise.all(Array.from({ length: 8 }, attempt))).toEqual(Array(8).fill('result of run 1'));
  expect(state.runs).toBe(1);
});

test('an effect that throws is released: its error comes through and the next one may try', async () => {
  let fails = true;
  const { state, effect, outcome, key } = effectOf(async () => {
    if (fails) throw new Error('the service is down');
  });
  await expect(once(records, key, outcome, effect, { lease })).rejects.toThrow('the service is down');
  fails = false;
  expect(await once(records, key, outcome, effect, { lease })).toBe('result of run 2');
  expect(state.runs).toBe(2);
});

test('when a holder died, the others wait for the end of its lease, and no longer', async () => {
  const died = new Promise<never>(() => {});
  const { effect, outcome, key } = effectOf();
  const start = Date.parse('2026-11-23T10:00:00Z');
  // Its claim is written before the effect begins, and nobody ever releases it.
  const begun = new Promise<void>((begins) => {
    const neverEnds = async () => {
      begins();
      return died;
    };
    once(records, key, outcome, neverEnds, { lease, now: () => start }).catch(() => {});
  });
  await begun;
  const at = (time: number) => once(records, key, outcome, effect, { lease, now: () => time });
  await expect(at(start + 1000)).rejects.toThrow(NotYet);
  await expect(at(start + lease - 1)).rejects.toThrow(NotYet);
  expect(await at(start + lease + 1)).toBe('result of run 1');
});

test('a holder that was thought dead does not take away the claim of its successor', async () => {
  const start = Date.parse('2026-11-23T10:00:00Z');
  const { outcome, key } = effectOf();
  const gate = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const slow = once(
    records,
    key,
    outcome,
    () => {
      begun.resolve();
      return gate.promise;
    },
    { lease, now: () => start },
  );
  await begun.promise;
  const gate2 = Promise.withResolvers<string>();
  const begun2 = Promise.withResolvers<void>();
  const successor = once(
    records,
    key,
    outcome,
    () => {
      begun2.resolve();
      return gate2.promise;
    },
    { lease, now: () => start + lease + 1 },
  );
  await begun2.promise;
  gate.resolve('slow');
  await slow;
  const third = once(records, key, outcome, async () => 'third', { lease, now: () => start + lease + 2 });
  await expect(third).rejects.toThrow(NotYet);
  gate2.resolve('successor');
  expect(await successor).toBe('successor');
});

test('what is known already costs neither a claim nor the effect', async () => {
  const { state, effect, key } = effectOf();
  expect(await once(records, key, async () => 'known', effect, { lease })).toBe('known');
  expect(state.runs).toBe(0);
});

test('no claim is left behind when nobody is at it', async () => {
  const { effect, outcome, key } = effectOf();
  await once(records, key, outcome, effect, { lease });
  for await (const name of records.list(`claims/${key}`)) throw new Error(name);
});
