import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { makeManifest } from '../../shared/api/manifest.ts';
import { clients } from '../../shared/clients.ts';
import { setFaults } from '../kit.ts';
import { put, useApi } from './useApi.ts';

const api = useApi();
const generations: Record<string, string> = {};

beforeAll(async () => {
  for (const name of ['recordings/p1.tsv', 'recordings/p2.tsv', 'stimuli/a b/ü.png', 'top.txt'])
    generations[name] = await put('raw', name, `content of ${name}`);
});

type Item = { name: string; generation: string; size: number; md5: string; crc32c: string };
const list = async (url: string) => {
  const items: Item[] = [];
  let token = '';
  do {
    const { json } = await api.ask(
      'reader',
      'GET',
      `${url}${token && `&pageToken=${encodeURIComponent(token)}`}`,
    );
    items.push(...json.items);
    token = json.nextPageToken ?? '';
  } while (token);
  return items;
};

test('objects are listed page by page, each with what it can be checked by', async () => {
  const items = await list('/v1/datasets/raw/objects?pageSize=1');
  expect(items.map(({ name }) => name)).toEqual(Object.keys(generations).sort());
  const md5 = createHash('md5').update('content of top.txt').digest('base64');
  expect(items.at(-1)).toMatchObject({ generation: generations['top.txt'], size: 18, md5 });
  const { json } = await api.ask('reader', 'GET', '/v1/datasets/raw/objects?delimiter=/');
  expect(json).toMatchObject({ items: [{ name: 'top.txt' }], prefixes: ['recordings/', 'stimuli/'] });
});

test.each([
  'raw/objects?pageToken=abc',
  'raw/objects?pageSize=0',
  'raw/objects?pageSize=1001',
  'raw/objects?pagesize=1',
])('a query that is not as expected is a 400 that says what is: %s', async (query) => {
  const { status, json, headers } = await api.ask('reader', 'GET', `/v1/datasets/${query}`);
  expect([status, headers['content-type']]).toEqual([400, 'application/problem+json']);
  expect(json).toMatchObject({
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    errors: [{ path: expect.stringMatching(/^query/), message: expect.any(String) }],
  });
});

test('a bucket that is neither raw nor derived cannot be named', async () => {
  expect((await api.ask('admin', 'GET', '/v1/datasets/state/objects')).status).toBe(400);
});

test('a manifest stays the same when the bucket changes', async () => {
  await put('raw', 'study/one', 'first');
  await put('raw', 'study/two', 'second');
  const body = { prefix: 'study/' };
  const { json: manifest } = await api.ask('reader', 'POST', '/v1/datasets/raw/manifests', { body });
  const before = await list(`/v1/manifests/${manifest.id}/objects?pageSize=1`);
  await put('raw', 'study/one', 'changed');
  await put('raw', 'study/three', 'new');
  await (await clients.storage())
    .bucket('raw')
    .file('study/two')
    .delete({ ifGenerationMatch: before[1]?.generation as never });
  expect((await api.ask('reader', 'GET', `/v1/manifests/${manifest.id}`)).json).toEqual(manifest);
  const after = await list(`/v1/manifests/${manifest.id}/objects?pageSize=1`);
  expect(after).toEqual(before);
  expect(manifest).toMatchObject({ bucket: 'raw', prefix: 'study/', count: 2, bytes: 11 });
  const lines = after.map(
    ({ name, generation, size, md5, crc32c }) => `${JSON.stringify([name, generation, size, md5, crc32c])}\n`,
  );
  expect(manifest.sha256).toBe(createHash('sha256').update(lines.join('')).digest('hex'));

  const { json: second } = await api.ask('reader', 'POST', '/v1/datasets/raw/manifests', { body });
  expect(second.sha256).not.toBe(manifest.sha256);
  // What was replaced, and what was removed, can still be read.
  const objects = after.map(({ name, generation }) => ({ name, generation }));
  const { json: signed } = await api.ask('reader', 'POST', '/v1/signed-urls', {
    body: { action: 'read', bucket: 'raw', objects },
  });
  const contents = signed.items.map(async ({ url }: { url: string }) => (await fetch(url)).text());
  expect(await Promise.all(contents)).toEqual(['first', 'second']);
});

test('a manifest is of one moment, though the bucket changes while it is listed', async () => {
  const bucket = (await clients.storage()).bucket('derived');
  const real = bucket.getFiles.bind(bucket);
  for (let index = 0; index < 4; index++) await put('derived', `moving/${index}`, `${index}`);
  let changes = 0;
  // Between the pages of the first look, the first object changes after it was listed, and the last before.
  const moving = Object.assign(Object.create(bucket), {
    getFiles: async (query: object) => {
      const page = await real({ ...query, maxResults: 2 });
      if (changes < 2) {
        changes++;
        await put('derived', 'moving/0', `changed ${changes}`);
        await put('derived', 'moving/3', `changed ${changes}`);
      }
      return page;
    },
  }) as typeof bucket;
  const { records } = api;
  const manifest = await makeManifest(
    { id: '0'.repeat(24), kind: 'derived', prefix: 'moving/' },
    { bucket: moving, records, now: Date.now },
  );
  const kept = await list(`/v1/manifests/${manifest.id}/objects?pageSize=10`);
  const now = await list('/v1/datasets/derived/objects?prefix=moving/');
  expect(kept).toEqual(now);
  expect(changes).toBe(2);
});

test('a prefix that changes all the time is refused, and nothing is left of the attempts', async () => {
  const bucket = (await clients.storage()).bucket('derived');
  const real = bucket.getFiles.bind(bucket);
  let count = 0;
  const restless = Object.assign(Object.create(bucket), {
    getFiles: async (query: object) => {
      await put('derived', 'restless', String(count++));
      return real(query);
    },
  }) as typeof bucket;
  const { records } = api;
  const id = '1'.repeat(24);
  const asked = makeManifest(
    { id, kind: 'derived', prefix: '' },
    { bucket: restless, records, now: Date.now },
  );
  await expect(asked).rejects.toMatchObject({ status: 409 });
  const left: string[] = [];
  for await (const name of records.list(`manifests/${id}`)) left.push(name);
  expect(left).toEqual([]);
});

test('an ETag spares what is known already', async () => {
  const first = await api.ask('reader', 'GET', '/v1/datasets/raw/objects?prefix=recordings/');
  const { etag = '' } = first.headers;
  expect(etag).toMatch(/^"[\w-]{20,}"$/);
  const ask = (known: string) =>
    api.ask('reader', 'GET', '/v1/datasets/raw/objects?prefix=recordings/', {
      headers: { 'if-none-match': known },
    });
  for (const known of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
    const { status, text, headers } = await ask(known);
    expect([known, status, text, headers.etag]).toEqual([known, 304, '', etag]);
  }
  expect((await ask('"other"')).status).toBe(200);
  await put('raw', 'recordings/p3.tsv', 'new');
  expect((await ask(etag)).status).toBe(200);
});

test('what is written goes to the derived bucket, whole, and only over what the writer knew', async () => {
  const content = 'weights of a model';
  const md5 = createHash('md5').update(content).digest('base64');
  const ask = (object: object, bucket = 'derived') =>
    api.ask('runner', 'POST', '/v1/signed-urls', { body: { action: 'write', bucket, objects: [object] } });
  const { json } = await ask({
    name: 'models/a.h5',
    ifGenerationMatch: '0',
    md5,
    contentType: 'application/x-hdf5',
  });
  const [{ url }] = json.items;
  const broken = await fetch(url, { method: 'PUT', body: 'weights of a muddle' });
  expect(broken.status).toBe(400);
  const [{ url: again }] = (await ask({ name: 'models/a.h5', ifGenerationMatch: '0', md5 })).json.items;
  expect((await fetch(again, { method: 'PUT', body: content })).status).toBe(200);
  expect((await ask({ name: 'models/a.h5', ifGenerationMatch: '0' })).status).toBe(412);

  const raw = await ask({ name: 'recordings/p1.tsv', ifGenerationMatch: '0' }, 'raw');
  expect([raw.status, raw.json.detail]).toEqual([403, expect.stringContaining('mirror of the study folder')]);
  for (const name of ['annotations/story.txt.json', 'jobs/a/results/manifest.json'])
    expect((await ask({ name, ifGenerationMatch: '0' })).status).toBe(403);
  expect((await ask({ name: 'a\nb', ifGenerationMatch: '0' })).status).toBe(400);
});

test('a signed URL reads that object in that generation, for a quarter of an hour', async () => {
  const name = 'stimuli/a b/ü.png';
  const generation = generations[name] ?? '';
  const { json } = await api.ask('reader', 'POST', '/v1/signed-urls', {
    body: { action: 'read', bucket: 'raw', objects: [{ name, generation }] },
  });
  const [{ url }] = json.items;
  expect(await (await fetch(url)).text()).toBe(`content of ${name}`);
  expect((await fetch(url.replace('/raw/', '/state/'))).status).toBe(403);
  expect((await fetch(url.replace(generation, '1'))).status).toBe(403);
  expect(new URL(url).searchParams.get('X-Goog-Expires')).toBe('900');
  expect(Date.parse(json.expires) - Date.now()).toBeLessThanOrEqual(900_000);
});

test('when the storage does not answer, it is said without a word of it', async () => {
  await setFaults(api.cloud, {
    service: 'storage',
    kind: 'status',
    path: '^/storage/v1/b/raw/o$',
    status: 403,
  });
  const { status, json } = await api.ask('reader', 'GET', '/v1/datasets/raw/objects');
  await setFaults(api.cloud);
  expect([status, json.detail]).toEqual([500, 'It failed. The log of the function says why.']);
});
