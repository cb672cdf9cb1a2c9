import { beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { keepWaiting, wakeWaiting } from '../../../shared/annotation/waiting.ts';
import { clients } from '../../../shared/clients.ts';
import { type Records, recordsIn } from '../../../shared/storage/records.ts';
import { useLocalCloud } from '../../localCloud.ts';

useLocalCloud();
const Stimulus = z.object({ name: z.string(), generation: z.string() });
const at = (time: string) => new Date(`2026-11-${time}Z`);
let records: Records;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state');
});

async function wake(now: Date): Promise<string[]> {
  const names: string[] = [];
  const count = await wakeWaiting(records, Stimulus, now, async ({ name, generation }) => {
    names.push(`${name}@${generation}`);
  });
  expect(count).toBe(names.length);
  return names.sort();
}

test('what waits is woken on a later day, once, and not before', async () => {
  await keepWaiting(records, { name: 'a/b.png', generation: '1' } as never, at('20T10:00:00'));
  await keepWaiting(records, { name: 'c.txt', generation: '1' } as never, at('20T23:59:59'));
  await keepWaiting(records, { name: 'd.png', generation: '1' } as never, at('21T00:00:00'));
  expect(await wake(at('20T23:59:59'))).toEqual([]);
  expect(await wake(at('21T00:00:00'))).toEqual(['a/b.png@1', 'c.txt@1']);
  expect(await wake(at('21T12:00:00'))).toEqual([]);
  expect(await wake(at('25T00:00:00'))).toEqual(['d.png@1']);
});

test('a stimulus waits once a day, with its newest generation, whatever it is called', async () => {
  const names = ['../../x', 'a'.repeat(1000), 'ü/#?.png', 'ü/#?.PNG'];
  for (const generation of ['1', '2'])
    for (const name of names) await keepWaiting(records, { name, generation } as never, at('26T10:00:00'));
  expect(await wake(at('27T00:00:00'))).toEqual(names.map((name) => `${name}@2`).sort());
});

test('one that could not be woken waits on', async () => {
  await keepWaiting(records, { name: 'e.png', generation: '1' } as never, at('28T10:00:00'));
  const fails = wakeWaiting(records, Stimulus, at('29T00:00:00'), async () => {
    throw new Error('not published');
  });
  await expect(fails).rejects.toThrow('not published');
  expect(await wake(at('29T00:00:00'))).toEqual(['e.png@1']);
});
