import { beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { clients } from '../../../shared/clients.ts';
import { type Records, recordsIn } from '../../../shared/storage/records.ts';
import { forgetRequests, isUnconditionalWrite, requestsAt, setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();
const Counter = z.object({ count: z.number() });
let records: Records;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state', async () => {});
});

async function put(name: string, content: string | Buffer): Promise<void> {
  const file = (await clients.storage()).bucket('state').file(name);
  await file.save(content, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
}

test('what is not there is undefined, and is created once', async () => {
  expect(await records.read('new.json', Counter)).toBeUndefined();
  const generation = await records.write('new.json', { count: 1 }, '0');
  expect(generation).toMatch(/^\d+$/);
  expect(await records.write('new.json', { count: 2 }, '0')).toBeUndefined();
  expect(await records.read('new.json', Counter)).toEqual({ value: { count: 1 }, generation });
});

test('a write that names an old generation changes nothing', async () => {
  const first = (await records.write('old.json', { count: 1 }, '0')) ?? '';
  const second = await records.write('old.json', { count: 2 }, first);
  expect(BigInt(second ?? 0)).toBeGreaterThan(BigInt(first));
  expect(await records.write('old.json', { count: 3 }, first)).toBeUndefined();
  expect(await records.remove('old.json', first)).toBe(false);
  expect((await records.read('old.json', Counter))?.value).toEqual({ count: 2 });
});

test('twenty increments at once lose none, whoever is faster', async () => {
  const increment = () =>
    records.update('counter.json', Counter, (before) => ({ count: (before?.count ?? 0) + 1 }));
  const results = await Promise.all(Array.from({ length: 20 }, increment));
  expect(results.map(({ count }) => count).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  expect((await records.read('counter.json', Counter))?.value).toEqual({ count: 20 });
});

test('a change that returns undefined leaves the record as it is, and writes nothing', async () => {
  await records.write('kept.json', { count: 5 }, '0');
  await forgetRequests(cloud);
  expect(await records.update('kept.json', Counter, () => undefined)).toEqual({ count: 5 });
  expect(await records.update('nothing.json', Counter, () => undefined)).toBeUndefined();
  expect((await requestsAt(cloud, 'storage')).filter(({ method }) => method !== 'GET')).toEqual([]);
});

test.each([
  ['no JSON', '{"count": 1'],
  ['nothing', ''],
  ['of another shape', '{"count": "many"}'],
  ['binary', Buffer.from([0xff, 0xfe, 0x00])],
])(
  'a record that is %s is an error, and is neither taken for missing nor overwritten',
  async (what, content) => {
    const name = `broken/${what}.json`;
    await put(name, content);
    await expect(records.read(name, Counter)).rejects.toThrow(
      `gs://state/${name} is not a record as expected`,
    );
    await expect(records.update(name, Counter, () => ({ count: 0 }))).rejects.toThrow(
      'not a record as expected',
    );
    const [bytes] = await (await clients.storage()).bucket('state').file(name).download();
    expect(bytes).toEqual(Buffer.from(content));
  },
);

test('removing is removing once', async () => {
  const generation = await records.write('gone.json', { count: 1 }, '0');
  expect(await records.remove('gone.json', generation)).toBe(true);
  expect(await records.remove('gone.json', generation)).toBe(false);
  await records.write('gone.json', { count: 2 }, '0');
  expect(await records.remove('gone.json')).toBe(true);
  expect(await records.remove('gone.json')).toBe(false);
  expect(await records.read('gone.json', Counter)).toBeUndefined();
});

test('every name below a prefix is listed, in order, over more than one page', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `list/${String(i).padStart(4, '0')} ü#?%2F.json`);
  await Promise.all(names.map((name) => records.write(name, {}, '0')));
  const inPages = recordsIn(await pagesOf(7), 'state');
  const listed: string[] = [];
  for await (const name of inPages.list('list/')) listed.push(name);
  expect(listed).toEqual(names);
  for await (const name of records.list('no such prefix/')) throw new Error(name);
});

/** The real client, with the pages of its listings cut short. */
async function pagesOf(maxResults: number) {
  const { Storage } = await import('@google-cloud/storage');
  const { authClient, apiEndpoint } = await clients.storage();
  const storage = new Storage({
    authClient: authClient as never,
    apiEndpoint,
    useAuthWithCustomEndpoint: true,
  });
  storage.interceptors.push({
    request: (options) => ({ ...options, qs: { ...options.qs, maxResults } }) as never,
  });
  return storage;
}

test('a service that stumbles does not fail a record', async () => {
  await setFaults(cloud, { service: 'storage', kind: 'status', status: 503, times: 1 });
  expect(await records.write('stumble.json', { count: 1 }, '0')).toMatch(/^\d+$/);
  await setFaults(cloud);
});

test('a write whose answer was lost counts as written', async () => {
  await setFaults(cloud, { service: 'storage', kind: 'lostAnswer', method: 'POST', times: 1 });
  expect(await records.write('lost.json', { count: 7 }, '0')).toMatch(/^\d+$/);
  await setFaults(cloud);
});

test('a bucket that is not there takes no record', async () => {
  const nowhere = recordsIn(await clients.storage(), 'nowhere');
  await expect(nowhere.write('a.json', {}, '0')).rejects.toThrow();
  await expect(nowhere.update('a.json', Counter, () => ({ count: 1 }))).rejects.toThrow();
});

test('every write names a generation', async () => {
  await forgetRequests(cloud);
  await records.write('named.json', { count: 1 }, '0');
  await records.update('named.json', Counter, () => ({ count: 2 }));
  await records.remove('named.json');
  const requests = await requestsAt(cloud, 'storage');
  expect(requests.filter(({ method }) => method !== 'GET')).toHaveLength(3);
  expect(requests.filter(isUnconditionalWrite)).toEqual([]);
});
