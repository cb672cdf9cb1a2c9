import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from './raw.ts';

const cloud = useLocalCloud();

test('a bucket is made with the defaults of Google, listed, changed and removed', async () => {
  const storage = await clients.storage();
  const [bucket] = await storage.createBucket('first-bucket', { location: 'europe-west3' });
  const [metadata] = await bucket.getMetadata();
  expect(metadata).toMatchObject({
    name: 'first-bucket',
    location: 'EUROPE-WEST3',
    locationType: 'region',
    storageClass: 'STANDARD',
    metageneration: '1',
    softDeletePolicy: { retentionDurationSeconds: '604800' },
  });

  await bucket.setMetadata({
    labels: { lab: 'gaze', old: 'x' },
    versioning: { enabled: true },
    lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 30 } }] },
  });
  await bucket.setMetadata({ labels: { old: null } });
  expect((await bucket.getMetadata())[0]).toMatchObject({
    metageneration: '3',
    labels: { lab: 'gaze' },
    versioning: { enabled: true },
    lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 30 } }] },
  });

  await storage.createBucket('second-bucket');
  const names = async (query = {}) => (await storage.getBuckets(query))[0].map(({ name }) => name);
  expect(await names({ autoPaginate: false, maxResults: 1 })).toEqual(['first-bucket']);
  expect(await names()).toEqual(['first-bucket', 'second-bucket']);
  await storage.bucket('second-bucket').delete();
  expect(await names()).toEqual(['first-bucket']);
});

test('a bucket is refused that is there already, is not empty, or was changed by somebody else', async () => {
  const storage = await clients.storage();
  const [bucket] = await storage.createBucket('refusing');
  await expect(storage.createBucket('refusing')).rejects.toMatchObject({ code: 409 });
  await bucket.file('something').save('x');
  await expect(bucket.delete()).rejects.toMatchObject({ code: 409 });
  await bucket.file('something').delete();
  const stale = { ifMetagenerationMatch: 7 };
  await expect(bucket.setMetadata({ labels: { a: 'b' } }, stale)).rejects.toMatchObject({ code: 412 });
  // What is soft-deleted does not keep a bucket.
  await bucket.delete();
  await expect(bucket.getMetadata()).rejects.toMatchObject({ code: 404 });
});

test.each(['ab', 'UPPER', 'under..dots', '-dash', '1.2.3.4', 'goog-mine', 'a'.repeat(64), 'spa ce', ''])(
  'the bucket name %j is refused',
  async (name) => {
    const { status, body } = await call('POST', `${cloud.origin}/storage/v1/b?project=p`, { json: { name } });
    expect(status).toBe(400);
    expect(body.error.errors[0].domain).toBe('global');
  },
);

test.each([
  { softDeletePolicy: { retentionDurationSeconds: 5 } },
  { versioning: 'yes' },
  { labels: { a: 1 } },
  { storageClass: 'FAST' },
])('the setting %j is refused', async (setting) => {
  const json = { name: 'never-made', ...setting };
  expect(await call('POST', `${cloud.origin}/storage/v1/b?project=p`, { json })).toMatchObject({
    status: 400,
  });
  expect(await call('GET', `${cloud.origin}/storage/v1/b/never-made`)).toMatchObject({ status: 404 });
});

test('the objects can be looked at as files, under names that a file system can hold', async () => {
  const storage = await clients.storage();
  const [bucket] = await storage.createBucket('viewed');
  const shown = (...parts: string[]) => {
    const path = join(cloud.dir, 'buckets', 'viewed', ...parts);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const save = (name: string) => bucket.file(name).save(name, { resumable: false });

  for (const name of ['a/b.txt', '../../../outside', 'x//y', 'end/', '100%', 'ü€😀', 'n'.repeat(300)])
    await save(name);
  expect(shown('a', 'b.txt')).toBe('a/b.txt');
  expect(shown('%2E%2E', '%2E%2E', '%2E%2E', 'outside')).toBe('../../../outside');
  expect(existsSync(join(cloud.dir, 'outside'))).toBe(false);
  expect(shown('x', '%2F', 'y')).toBe('x//y');
  expect(shown('end', '%2F')).toBe('end/');
  expect(shown('100%25')).toBe('100%');
  expect(shown('ü€😀')).toBe('ü€😀');

  // An object whose name is a folder's too steps aside, and comes back.
  await save('both');
  await save('both/inner');
  expect([shown('both%object'), shown('both', 'inner')]).toEqual(['both', 'both/inner']);
  await save('inner/first');
  await save('inner');
  expect([shown('inner%object'), shown('inner', 'first')]).toEqual(['inner', 'inner/first']);
  await bucket.file('both/inner').delete();
  expect(shown('both')).toBe('both');

  await bucket.file('a/b.txt').save('new', { resumable: false });
  expect(shown('a', 'b.txt')).toBe('new');
  await bucket.file('a/b.txt').delete();
  expect(existsSync(join(cloud.dir, 'buckets', 'viewed', 'a'))).toBe(false);
  // The other objects are untouched by all this.
  expect((await bucket.file('both').download())[0].toString()).toBe('both');
});

test('paths of other services are not taken for buckets', async () => {
  for (const path of [
    '/drive/v3/nothing',
    '/_local/nothing',
    '/token/x',
    '/v1/nothing',
    '/storage/v1/nothing',
  ]) {
    const { status, headers } = await call('GET', `${cloud.origin}${path}`);
    expect([path, status]).toEqual([path, 404]);
    expect(headers.get('content-type')).toMatch('application/json');
  }
});
