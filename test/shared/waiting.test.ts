import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { keepWaiting, wakeWaiting } from '../../shared/waiting.ts';
import { rememberLog } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

useLocalCloud();
const at = (time: string) => new Date(`2026-11-${time}Z`);
const log = rememberLog();
let records: Records;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state');
});

const keep = (key: string, data: string, time: string, topic = 'stimulus-arrived') =>
  keepWaiting(records, { topic, key, data }, at(time));

async function wake(now: Date): Promise<string[]> {
  const messages: string[] = [];
  const count = await wakeWaiting(records, now, log, async (topic, data) => {
    messages.push(`${topic}: ${data}`);
  });
  expect(count).toBe(messages.length);
  return messages.sort();
}

test('what waits is woken on a later day, once, and not before', async () => {
  await keep('a/b.png', 'a', '20T10:00:00');
  await keep('c.txt', 'c', '20T23:59:59', 'file-changed');
  await keep('d.png', 'd', '21T00:00:00');
  expect(await wake(at('20T23:59:59'))).toEqual([]);
  expect(await wake(at('21T00:00:00'))).toEqual(['file-changed: c', 'stimulus-arrived: a']);
  expect(await wake(at('21T12:00:00'))).toEqual([]);
  expect(await wake(at('25T00:00:00'))).toEqual(['stimulus-arrived: d']);
});

test('of what waits for one thing on one day, the newest is kept, whatever it is called', async () => {
  const keys = ['../../x', 'a'.repeat(1000), 'ü/#?.png', 'ü/#?.PNG'];
  for (const generation of ['1', '2'])
    for (const key of keys) await keep(key, `${key}@${generation}`, '26T10:00:00');
  expect(await wake(at('27T00:00:00'))).toEqual(keys.map((key) => `stimulus-arrived: ${key}@2`).sort());
});

test('what could not be woken waits on, and keeps nothing else from being woken', async () => {
  await keep('e.png', 'e', '28T10:00:00');
  await keep('f.png', 'f', '28T10:00:00');
  const woken: unknown[] = [];
  await wakeWaiting(records, at('29T00:00:00'), log, async (_topic, data) => {
    if (data === 'e') throw new Error('not published');
    woken.push(data);
  });
  expect(woken).toEqual(['f']);
  expect(await wake(at('29T00:00:00'))).toEqual(['stimulus-arrived: e']);
});

test('a record that nobody can read is told of, and keeps nothing else from being woken', async () => {
  await records.write('waiting/2026-11-29/stimulus-arrived/0.json', { nonsense: true }, '0');
  await keep('g.png', 'g', '29T10:00:00');
  expect(await wake(at('30T00:00:00'))).toEqual(['stimulus-arrived: g']);
  expect(log.entries.at(-1)).toMatchObject({ severity: 'ERROR', record: expect.stringContaining('/0.json') });
});
