import type { Bucket, File } from '@google-cloud/storage';
import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from './raw.ts';

const cloud = useLocalCloud();
let bucket: Bucket;
let versioned: Bucket;
beforeAll(async () => {
  const storage = await clients.storage();
  [bucket] = await storage.createBucket('plain-bucket');
  [versioned] = await storage.createBucket('versioned-bucket', { versioning: { enabled: true } });
});

const url = (name: string, query = '') =>
  `${cloud.origin}/storage/v1/b/plain-bucket/o/${encodeURIComponent(name)}?${query}`;
const upload = (name: string, query = '') =>
  `${cloud.origin}/upload/storage/v1/b/plain-bucket/o?uploadType=media&name=${name}&${query}`;
const textOf = async (file: File) => (await file.download())[0].toString();
const save = async (file: File, text: string) => {
  await file.save(text, { resumable: false });
  return (await file.getMetadata())[0];
};

test('a body of null says nothing, as in a copy by Go’s client; other JSON that is no object is refused', async () => {
  await save(bucket.file('null source'), 'source');
  const copyTo = url('null source').replace('?', '/rewriteTo/b/plain-bucket/o/null%20target?');
  expect((await call('POST', copyTo, { json: null })).status).toBe(200);
  expect(await textOf(bucket.file('null target'))).toBe('source');
  expect((await call('POST', copyTo, { json: 5 })).status).toBe(400);
});

/** What each method answers to each precondition; G and M stand for what the object has. */
const conditions = [
  ['ifGenerationMatch=G', true],
  ['ifGenerationMatch=1', false],
  ['ifGenerationMatch=0', false],
  ['ifGenerationNotMatch=1', true],
  ['ifGenerationNotMatch=0', true],
  ['ifGenerationNotMatch=G', false],
  ['ifMetagenerationMatch=M', true],
  ['ifMetagenerationMatch=99', false],
  ['ifMetagenerationNotMatch=99', true],
  ['ifMetagenerationNotMatch=M', false],
  ['ifGenerationMatch=G&ifMetagenerationMatch=99', false],
] as const;

test.each(conditions)('%s is %s for reads and writes alike', async (condition, met) => {
  const tries = {
    get: () => call('GET', url('target', query)),
    media: () => call('GET', url('target', `alt=media&${query}`)),
    patch: () => call('PATCH', url('target', query), { json: {} }),
    put: () => call('PUT', url('target', query), { json: {} }),
    insert: () => call('POST', upload('target', query), { body: 'x' }),
    resumable: () => call('POST', upload('target', query).replace('=media', '=resumable')),
    compose: () =>
      call('POST', url('target', query).replace('?', '/compose?'), {
        json: { sourceObjects: [{ name: 'source' }] },
      }),
    rewrite: () => call('POST', url('source', query).replace('?', '/rewriteTo/b/plain-bucket/o/target?')),
    copy: () => call('POST', url('source', query).replace('?', '/copyTo/b/plain-bucket/o/target?')),
    move: () => call('POST', url('source', query).replace('?', '/moveTo/o/target?')),
    delete: () => call('DELETE', url('target', query)),
    // And those that look at the source.
    copyFrom: () =>
      call(
        'POST',
        url('target', query.replaceAll('=', '=').replaceAll(/if(?=[GM])/g, 'ifSource')).replace(
          '?',
          '/copyTo/b/plain-bucket/o/elsewhere?',
        ),
      ),
    moveFrom: () =>
      call(
        'POST',
        url('target', query.replaceAll(/if(?=[GM])/g, 'ifSource')).replace('?', '/moveTo/o/elsewhere?'),
      ),
  };
  let query = '';
  for (const [name, attempt] of Object.entries(tries)) {
    await save(bucket.file('source'), 'source');
    const { generation, metageneration } = await save(bucket.file('target'), 'target');
    query = condition.replace('=G', `=${generation}`).replace('=M', `=${metageneration}`);
    const { status } = await attempt();
    const isRead = name === 'get' || name === 'media';
    const refused = isRead && condition.includes('Not') ? 304 : 412;
    const done = name === 'delete' ? 204 : 200;
    expect([name, status]).toEqual([name, met ? done : refused]);
    if (!met) expect((await bucket.file('target').getMetadata())[0].generation).toBe(generation);
  }
});

test('ifGenerationMatch=0 lets exactly one of many concurrent uploads win', async () => {
  const tries = Array.from({ length: 20 }, (_, number) =>
    call('POST', upload('contested', 'ifGenerationMatch=0'), { body: `by ${number}` }),
  );
  const answers = await Promise.all(tries);
  const winners = answers.flatMap(({ status }, number) => (status === 200 ? [number] : []));
  expect(winners).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
  expect(await textOf(bucket.file('contested'))).toBe(`by ${winners[0]}`);
});

test('metadata changes key by key, and each change counts', async () => {
  const file = bucket.file('described');
  await file.save('x', {
    resumable: false,
    metadata: { contentType: 'text/plain', metadata: { a: '1', b: '2' } },
  });
  await file.setMetadata({ cacheControl: 'no-store', metadata: { b: null, c: '3' } });
  const [metadata] = await file.getMetadata();
  expect(metadata).toMatchObject({
    contentType: 'text/plain',
    cacheControl: 'no-store',
    metageneration: '2',
  });
  expect(metadata.metadata).toEqual({ a: '1', c: '3' });
  await call('PATCH', url('described'), { json: { cacheControl: null, metadata: null } });
  const { body } = await call('PUT', url('described'), { json: { contentLanguage: 'de' } });
  expect(body).toMatchObject({ contentLanguage: 'de', metageneration: '4' });
  expect([body.cacheControl, body.metadata, body.contentType]).toEqual([undefined, undefined, undefined]);
});

test.each([
  [400, { metadata: { long: 'x'.repeat(8193) } }],
  [400, { metadata: { list: ['x'] } }],
  [400, { metadata: 'text' }],
  [400, { contentType: 'text/plain\r\nSet-Cookie: x' }],
  [400, { customTime: 'yesterday' }],
  [400, { storageClass: 'FAST' }],
  [501, { retention: { mode: 'Unlocked' } }],
  [400, { temporaryHold: 'yes' }],
])('it answers %i to the metadata %j', async (status, json) => {
  await save(bucket.file('unchanged'), 'x');
  expect(await call('PATCH', url('unchanged'), { json })).toMatchObject({ status });
  expect((await bucket.file('unchanged').getMetadata())[0].metageneration).toBe('1');
});

test('metadata that headers cannot hold do no harm to a download', async () => {
  const json = {
    metadata: { 'no token': 'x', ümlaut: 'ü', fine: 'ü\r\nx: y' },
    contentDisposition: 'filename="ü"',
  };
  await save(bucket.file('odd'), 'bytes');
  await call('PATCH', url('odd'), { json });
  const { body, headers } = await call('GET', url('odd', 'alt=media'));
  expect(body).toBe('bytes');
  expect(Buffer.from(headers.get('x-goog-meta-fine') ?? '', 'latin1').toString()).toBe('ü  x: y');
});

test('without versioning, what is overwritten or deleted is soft-deleted and can be restored', async () => {
  const file = bucket.file('precious');
  const { generation } = await save(file, 'first');
  await save(file, 'second');
  await file.delete();
  expect(await file.exists()).toEqual([false]);

  const [found] = await bucket.getFiles({ softDeleted: true, prefix: 'precious' });
  expect(found.map(({ metadata }) => metadata.size)).toEqual(['5', '6']);
  const [gone] = await file.getMetadata({ softDeleted: true, generation: Number(generation) } as object);
  const kept = Date.parse(String(gone.hardDeleteTime)) - Date.parse(String(gone.softDeleteTime));
  expect(kept).toBe(7 * 86_400_000);
  // It cannot be read like one that is there.
  expect(await call('GET', url('precious', `generation=${generation}`))).toMatchObject({ status: 404 });

  await file.restore({ generation: Number(generation) });
  expect(await textOf(bucket.file('precious'))).toBe('first');
  expect((await bucket.file('precious').getMetadata())[0].generation).not.toBe(generation);
});

test('with versioning, generations stay until they are deleted one by one', async () => {
  const file = versioned.file('kept');
  const generations = [];
  for (const text of ['one', 'two', 'three']) generations.push(String((await save(file, text)).generation));
  const list = async () => {
    const [files] = await versioned.getFiles({ versions: true, prefix: 'kept' });
    return files.map(({ metadata }) => [metadata.generation, metadata.timeDeleted !== undefined]);
  };
  expect(await list()).toEqual(generations.map((generation, index) => [generation, index < 2]));
  expect(await textOf(versioned.file('kept', { generation: generations[0] ?? '' }))).toBe('one');

  await file.delete();
  expect(await file.exists()).toEqual([false]);
  expect(await list()).toEqual(generations.map((generation) => [generation, true]));
  await versioned.file('kept', { generation: generations[1] ?? '' }).delete();
  expect(await list()).toEqual([
    [generations[0], true],
    [generations[2], true],
  ]);
  await expect(versioned.delete()).rejects.toMatchObject({ code: 409 });
});

test('without soft delete nothing remains, not even the bytes', async () => {
  const storage = await clients.storage();
  const [bare] = await storage.createBucket('bare-bucket', {
    softDeletePolicy: { retentionDurationSeconds: 0 },
  });
  await save(bare.file('gone'), 'x');
  await bare.file('copy').save('y');
  await bare.file('gone').copy(bare.file('copy'));
  await bare.file('gone').delete();
  expect((await bare.getFiles({ softDeleted: true }))[0]).toHaveLength(0);
  // The copy shares the bytes, and goes on to have them.
  expect(await textOf(bare.file('copy'))).toBe('x');
});

test('what is not there is not found', async () => {
  for (const [method, path] of [
    ['GET', 'b/plain-bucket/o/nothing'],
    ['GET', 'b/plain-bucket/o/nothing?alt=media'],
    ['GET', 'b/no-such-bucket/o'],
    ['GET', 'b/no-such-bucket/o/nothing'],
    ['PATCH', 'b/plain-bucket/o/nothing'],
    ['DELETE', 'b/plain-bucket/o/nothing'],
    ['DELETE', 'b/plain-bucket/o/nothing?ifGenerationMatch=5'],
    ['POST', 'b/plain-bucket/o/nothing/moveTo/o/x'],
  ] as const) {
    const { status, body } = await call(method, `${cloud.origin}/storage/v1/${path}`);
    expect([path, status, body.error?.code]).toEqual([path, 404, 404]);
  }
  const nowhere = upload('x').replace('plain-bucket', 'no-such-bucket');
  expect(await call('POST', nowhere, { body: 'x' })).toMatchObject({ status: 404 });
});

test.each([
  'generation=x',
  'generation=1.5',
  'ifGenerationMatch=',
  'ifGenerationMatch=1&ifGenerationMatch=2',
])('the parameters %s are refused or mean nothing, and never fail', async (query) => {
  await save(bucket.file('asked'), 'x');
  const { status } = await call('GET', url('asked', query));
  expect(status).toBe(query.endsWith('=') ? 200 : 400);
});

test('a composed object has the bytes of its parts, a CRC32C and no MD5', async () => {
  await save(bucket.file('part 1'), 'Hello, ');
  await save(bucket.file('part 2'), 'world');
  const [whole] = await bucket.combine(['part 1', 'part 2'], 'whole');
  expect(await textOf(whole)).toBe('Hello, world');
  const [metadata] = await whole.getMetadata();
  const { crc32c } = await save(bucket.file('reference'), 'Hello, world');
  expect(metadata).toMatchObject({ componentCount: 2, size: '12', crc32c });
  expect(metadata.md5Hash).toBeUndefined();
  await bucket.combine(['whole', 'part 1', 'whole'], 'whole');
  expect((await whole.getMetadata())[0].componentCount).toBe(5);
  expect(await textOf(whole)).toBe('Hello, worldHello, Hello, world');

  const compose = (json: object) => call('POST', url('whole').replace('?', '/compose?'), { json });
  const name = 'part 1';
  expect((await compose({ sourceObjects: Array(33).fill({ name }) })).status).toBe(400);
  expect((await compose({ sourceObjects: [] })).status).toBe(400);
  expect((await compose({ sourceObjects: [{ name: 'missing' }] })).status).toBe(404);
  const stale = { name, objectPreconditions: { ifGenerationMatch: '5' } };
  expect((await compose({ sourceObjects: [stale] })).status).toBe(412);
  expect((await compose({ sourceObjects: [{ name }], deleteSourceObjects: true })).status).toBe(200);
  expect(await bucket.file(name).exists()).toEqual([false]);
});

test('copies carry the metadata along, or get new ones; a move leaves nothing behind', async () => {
  const file = bucket.file('origin');
  await file.save('bytes', { resumable: false, metadata: { contentType: 'text/x', metadata: { a: '1' } } });
  await file.copy(bucket.file('copy/1'));
  expect((await bucket.file('copy/1').getMetadata())[0]).toMatchObject({
    contentType: 'text/x',
    metadata: { a: '1' },
  });
  await file.copy(versioned.file('copy/2'), { metadata: { b: '2' }, contentType: 'text/z' });
  const [second] = await versioned.file('copy/2').getMetadata();
  expect(second).toMatchObject({ contentType: 'text/z', metadata: { b: '2' }, size: '5' });
  expect(second.metadata).toEqual({ b: '2' });

  await file.moveFileAtomic('moved é?');
  expect(await file.exists()).toEqual([false]);
  expect(await textOf(bucket.file('moved é?'))).toBe('bytes');
  await bucket.file('moved é?').move('moved/again');
  expect(await textOf(bucket.file('moved/again'))).toBe('bytes');
});
