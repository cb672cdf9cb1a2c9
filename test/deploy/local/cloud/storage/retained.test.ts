import { beforeAll, expect, test } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from './raw.ts';

const cloud = useLocalCloud();
const { now } = Date;
let count = 0;

beforeAll(async () => {
  const retentionPolicy = { retentionPeriod: '3600' };
  for (const json of [
    { name: 'plain' },
    { name: 'versioned', versioning: { enabled: true } },
    { name: 'retained', retentionPolicy },
    { name: 'retained-versions', retentionPolicy, versioning: { enabled: true } },
  ])
    await call('POST', `${cloud.origin}/storage/v1/b`, { json });
});

const url = (bucket: string, name: string) => `${cloud.origin}/storage/v1/b/${bucket}/o/${name}`;
const upload = (bucket: string, name: string, uploadType = 'media') =>
  `${cloud.origin}/upload/storage/v1/b/${bucket}/o?uploadType=${uploadType}&name=${name}`;
const insert = (bucket: string, name: string) => call('POST', upload(bucket, name), { body: 'bytes' });

/** All that deletes or replaces an object. */
async function attempts(bucket: string, name: string) {
  await insert(bucket, 'source');
  const path = url(bucket, name);
  const session = await call('POST', upload(bucket, name, 'resumable'));
  const { generation } = (await call('GET', path)).body;
  const compose = { json: { sourceObjects: [{ name: 'source' }] } };
  return {
    delete: await call('DELETE', path),
    'delete for good': await call('DELETE', `${path}?generation=${generation}`),
    insert: await insert(bucket, name),
    resumable: await call('PUT', session.headers.get('location') ?? '', { body: 'other bytes' }),
    compose: await call('POST', `${path}/compose`, compose),
    'copy over it': await call('POST', `${url(bucket, 'source')}/copyTo/b/${bucket}/o/${name}`),
    'move away': await call('POST', `${path}/moveTo/o/elsewhere`),
  };
}

test.each([
  ['temporaryHold', 'plain', 'Temporary'],
  ['temporaryHold', 'versioned', 'Temporary'],
  ['eventBasedHold', 'plain', 'Event-Based'],
])('with %s, an object in a %s bucket is neither deleted nor replaced', async (hold, bucket, word) => {
  const name = `held-${++count}`;
  const { body: before } = await insert(bucket, name);
  const held = await call('PATCH', url(bucket, name), { json: { [hold]: true } });
  expect(held).toMatchObject({ status: 200, body: { [hold]: true, generation: before.generation } });
  for (const [what, { status, body }] of Object.entries(await attempts(bucket, name))) {
    expect([what, status, body.error?.errors[0].reason]).toEqual([what, 403, 'objectUnderActiveHold']);
    expect(body.error.message).toMatch(`is under active ${word} hold`);
  }
  const { body: after } = await call('GET', url(bucket, name));
  expect(after.generation).toBe(before.generation);
  // Its metadata can be changed, a copy of it is free, and so is itself when the hold is taken off.
  const metadata = { colour: 'red' };
  expect(await call('PATCH', url(bucket, name), { json: { metadata } })).toMatchObject({ status: 200 });
  const copy = await call('POST', `${url(bucket, name)}/copyTo/b/${bucket}/o/${name}-copy`);
  expect([copy.status, copy.body[hold]]).toEqual([200, undefined]);
  await call('PATCH', url(bucket, name), { json: { [hold]: false } });
  expect((await insert(bucket, name)).status).toBe(200);
  expect((await call('DELETE', url(bucket, name))).status).toBe(204);
});

test('an upload may bring its hold along', async () => {
  const json = { name: 'born-held', temporaryHold: true };
  const session = await call('POST', upload('plain', 'born-held', 'resumable'), { json });
  await call('PUT', session.headers.get('location') ?? '', { body: 'bytes' });
  expect((await call('DELETE', url('plain', 'born-held'))).status).toBe(403);
});

test.each(['retained', 'retained-versions'])(
  'in the bucket %s, an object is neither deleted nor replaced before it is old enough',
  async (bucket) => {
    const bucketUrl = `${cloud.origin}/storage/v1/b/${bucket}`;
    const { body } = await call('GET', bucketUrl);
    expect(body.retentionPolicy).toEqual({ retentionPeriod: '3600', effectiveTime: expect.any(String) });
    expect((await insert(bucket, 'young')).status).toBe(200);
    for (const [what, { status, body }] of Object.entries(await attempts(bucket, 'young'))) {
      expect([what, status, body.error?.errors[0].reason]).toEqual([what, 403, 'retentionPolicyNotMet']);
    }
    try {
      Date.now = () => now() + 3601_000;
      expect((await insert(bucket, 'young')).status).toBe(200);
      expect((await call('DELETE', url(bucket, 'young'))).status).toBe(403);
    } finally {
      Date.now = now;
    }
    expect((await call('PATCH', bucketUrl, { json: { retentionPolicy: null } })).status).toBe(200);
    expect((await call('DELETE', url(bucket, 'young'))).status).toBe(204);
  },
);
