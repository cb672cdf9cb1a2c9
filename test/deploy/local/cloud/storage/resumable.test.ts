import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { bytes, call } from './raw.ts';

const quantum = 256 * 1024;
const data = bytes(3 * quantum + 1000);
let dir = '';
let cloud: Awaited<ReturnType<typeof startCloud>>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
  cloud = await startCloud({ dir });
  await call('POST', `${cloud.origin}/storage/v1/b`, { json: { name: 'uploads' } });
});
afterAll(async () => {
  await cloud.close();
  await rm(dir, { recursive: true });
});

const here = (uri: string) => cloud.origin + uri.slice(new URL(uri).origin.length);

async function start(name: string, { query = '', headers = {} } = {}) {
  const url = `${cloud.origin}/upload/storage/v1/b/uploads/o?uploadType=resumable&name=${name}${query}`;
  const answer = await call('POST', url, { headers });
  return { ...answer, uri: answer.headers.get('location') ?? '' };
}
const put = (uri: string, range: string, body: Buffer | string = '', headers = {}) =>
  call('PUT', here(uri), { headers: { 'content-range': `bytes ${range}`, ...headers }, body });
const status = async (uri: string) => {
  const { status, headers } = await put(uri, '*/*');
  return [status, headers.get('range')];
};
const digest = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');
const get = async (name: string) => {
  const answer = await fetch(`${cloud.origin}/storage/v1/b/uploads/o/${name}?alt=media`);
  return answer.ok ? digest(Buffer.from(await answer.arrayBuffer())) : answer.status;
};
const fault = (json: object) =>
  call('POST', `${cloud.origin}/_local/faults`, { json: { service: 'storage', times: 1, ...json } });

test('chunks arrive one by one, and a lost answer can be asked for', async () => {
  const { uri } = await start('chunks');
  expect(await status(uri)).toEqual([308, null]);
  const first = await put(uri, `0-${2 * quantum - 1}/*`, data.subarray(0, 2 * quantum));
  expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${2 * quantum - 1}`]);
  expect(await status(uri)).toEqual([308, `bytes=0-${2 * quantum - 1}`]);
  const range = `${2 * quantum}-${data.length - 1}/${data.length}`;
  const last = await put(uri, range, data.subarray(2 * quantum));
  expect([last.status, last.body.size]).toEqual([200, String(data.length)]);
  expect(await get('chunks')).toBe(digest(data));
  // Whatever is sent to a session that is done, the object is the answer.
  for (const [again, body] of [
    ['*/*', ''],
    [`*/${data.length}`, ''],
    [range, data.subarray(2 * quantum)],
  ] as const) {
    expect(await put(uri, again, body)).toMatchObject({
      status: 200,
      body: { generation: last.body.generation },
    });
  }
});

test('bytes that are there already are passed over, and a gap is refused as Google does', async () => {
  const { uri } = await start('overlap');
  await put(uri, `0-${2 * quantum - 1}/*`, data.subarray(0, 2 * quantum));
  const gap = await put(uri, `${3 * quantum}-${data.length - 1}/${data.length}`, data.subarray(3 * quantum));
  expect(gap.status).toBe(503);
  expect(gap.headers.get('content-type')).toMatch('text/plain');
  expect(gap.body).toMatch(
    `offset is ${3 * quantum} byte(s), which exceeds already uploaded size of ${2 * quantum}`,
  );
  // The bytes differ where they overlap: the first ones stay.
  const other = Buffer.concat([Buffer.alloc(quantum), data.subarray(2 * quantum)]);
  const whole = await put(uri, `${quantum}-${data.length - 1}/${data.length}`, other);
  expect(whole.status).toBe(200);
  expect(await get('overlap')).toBe(digest(data));
});

test('an upload may end with a request that carries nothing, and may have no bytes at all', async () => {
  const { uri } = await start('ended-later');
  await put(uri, `0-${quantum - 1}/*`, data.subarray(0, quantum));
  expect((await put(uri, `*/${2 * quantum}`)).status).toBe(308);
  expect((await put(uri, '*/100')).status).toBe(308);
  expect(await put(uri, `*/${quantum}`)).toMatchObject({ status: 200, body: { size: String(quantum) } });

  for (const range of ['*/0', '0--1/0', '0-*/*']) {
    expect(await put((await start('empty')).uri, range)).toMatchObject({ status: 200, body: { size: '0' } });
  }
  const plain = await start('no-header');
  expect(await call('PUT', plain.uri, { body: 'all of it' })).toMatchObject({
    status: 200,
    body: { size: '9' },
  });
});

test('requests that finish the same upload at once make one object', async () => {
  const { uri } = await start('finished-twice');
  await put(uri, `0-${quantum - 1}/*`, data.subarray(0, quantum));
  const answers = await Promise.all([1, 2, 3, 4].map(() => put(uri, `*/${quantum}`)));
  const generations = answers.map(({ body }) => body.generation);
  expect(generations).toEqual(Array(4).fill(expect.stringMatching(/^\d+$/)));
  expect(new Set(generations).size).toBe(1);
});

test('what does not fit together is refused, and the session stays as it was', async () => {
  const { uri } = await start('refused', { headers: { 'x-upload-content-length': String(data.length) } });
  const refused = [
    [`0-999/*`, data.subarray(0, 1000)],
    [`0-${quantum - 1}/${data.length + 1}`, data.subarray(0, quantum)],
    [`0-${quantum - 1}/${data.length}`, data.subarray(0, quantum - 1)],
    [`5-2/${data.length}`, ''],
    [`0-${data.length}/${data.length}`, data],
    ['nonsense', ''],
    ['0-*/5', data.subarray(0, 6)],
  ] as const;
  for (const [range, body] of refused)
    expect([range, (await put(uri, range, body)).status]).toEqual([range, 400]);
  expect(await status(uri)).toEqual([308, null]);
  expect(await put(uri, `0-*/${data.length}`, data)).toMatchObject({ status: 200 });
  expect(await get('refused')).toBe(digest(data));
});

test('a session is cancelled, is unknown, or is over a week old', async () => {
  const { uri } = await start('cancelled');
  await put(uri, `0-${quantum - 1}/*`, data.subarray(0, quantum));
  expect((await call('DELETE', uri)).status).toBe(499);
  expect((await put(uri, '*/*')).status).toBe(499);
  expect((await put(`${uri}x`, '*/*')).status).toBe(404);
  expect(await get('cancelled')).toBe(404);

  const old = await start('old');
  const now = Date.now;
  try {
    Date.now = () => now() + 7 * 86_400_000;
    expect((await put(old.uri, '*/*')).status).toBe(410);
  } finally {
    Date.now = now;
  }
});

test('the preconditions of the start hold at the end', async () => {
  const one = await start('raced', { query: '&ifGenerationMatch=0' });
  const two = await start('raced', { query: '&ifGenerationMatch=0' });
  expect((await put(one.uri, '0-2/3', 'one')).status).toBe(200);
  expect(await put(two.uri, '0-2/3', 'two')).toMatchObject({
    status: 412,
    body: { error: { errors: [{ reason: 'conditionNotMet' }] } },
  });
  expect((await start('raced', { query: '&ifGenerationMatch=0' })).status).toBe(412);
  expect(await get('raced')).toBe(digest('one'));
});

test('a hash that comes with the last chunk is checked', async () => {
  const { uri } = await start('hashed');
  const wrong = { 'x-goog-hash': 'crc32c=AAAAAA==' };
  expect((await put(uri, '0-3/4', 'data', wrong)).status).toBe(400);
  expect(await get('hashed')).toBe(404);
  expect((await put(uri, '0-3/4', 'data', { 'x-goog-hash': 'crc32c=rth90Q==' })).status).toBe(200);
});

test('a connection that breaks keeps whole quanta, and the upload goes on from there', async () => {
  const { uri } = await start('broken');
  const { port, pathname, search } = new URL(here(uri));
  const socket = connect(Number(port), '127.0.0.1');
  const range = `bytes 0-${data.length - 1}/${data.length}`;
  socket.write(
    `PUT ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: ${data.length}\r\nContent-Range: ${range}\r\n\r\n`,
  );
  socket.write(data.subarray(0, 2 * quantum + 500));
  await new Promise((resolve) => socket.write(data.subarray(2 * quantum + 500, 2 * quantum + 1000), resolve));
  socket.destroy();
  await once(socket, 'close');
  let received = 0;
  for (const deadline = Date.now() + 10_000; received < 2 * quantum && Date.now() < deadline; ) {
    const [, kept] = await status(uri);
    received = Number(String(kept ?? '0--1').split('-')[1]) + 1;
  }
  expect(received).toBe(2 * quantum);
  const rest = `${received}-${data.length - 1}/${data.length}`;
  expect((await put(uri, rest, data.subarray(received))).status).toBe(200);
  expect(await get('broken')).toBe(digest(data));
});

test('a newer request takes over from one that hangs', async () => {
  const { uri } = await start('taken-over');
  const { port, pathname, search } = new URL(here(uri));
  const hanging = connect(Number(port), '127.0.0.1');
  hanging.write(
    `PUT ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: ${data.length}\r\nContent-Range: bytes 0-${data.length - 1}/${data.length}\r\n\r\n`,
  );
  hanging.write(Buffer.alloc(1000));
  const blobs = () => readdirSync(join(dir, '.cloud', 'blobs', 'storage')).length;
  const before = blobs();
  // It has begun once there is a file for its bytes.
  for (const deadline = Date.now() + 10_000; blobs() === before && Date.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const closed = once(hanging, 'close');
  expect((await put(uri, `0-${data.length - 1}/${data.length}`, data)).status).toBe(200);
  hanging.destroy();
  await closed;
  expect(await get('taken-over')).toBe(digest(data));
});

test('the fault shortAck keeps a part of a chunk and says so', async () => {
  const { uri } = await start('short');
  await fault({ kind: 'shortAck', path: '/o/short$' });
  const answer = await put(uri, `0-${data.length - 1}/${data.length}`, data);
  expect([answer.status, answer.headers.get('range')]).toEqual([308, `bytes=0-${quantum - 1}`]);
  await fault({ kind: 'shortAck', path: '/o/short$' });
  const small = await put(
    uri,
    `${quantum}-${2 * quantum - 1}/${data.length}`,
    data.subarray(quantum, 2 * quantum),
  );
  expect([small.status, small.headers.get('range')]).toEqual([308, `bytes=0-${quantum - 1}`]);
  const rest = await put(uri, `${quantum}-${data.length - 1}/${data.length}`, data.subarray(quantum));
  expect(rest.status).toBe(200);
  expect(await get('short')).toBe(digest(data));
});

test('a session outlives a restart of the cloud, but not a week', async () => {
  const { uri } = await start('restarted', { query: '&ifGenerationMatch=0' });
  const old = await start('old');
  for (const session of [uri, old.uri]) await put(session, `0-${quantum - 1}/*`, data.subarray(0, quantum));
  await cloud.close();
  const db = new DatabaseSync(join(dir, '.cloud', 'cloud.db'));
  db.prepare(`UPDATE storage_sessions SET created = created - 8 * 86400000 WHERE name = 'old'`).run();
  db.close();
  cloud = await startCloud({ dir });
  expect(await status(uri)).toEqual([308, `bytes=0-${quantum - 1}`]);
  expect((await put(old.uri, '*/*')).status).toBe(410);
  expect(
    (await put(uri, `${quantum}-${data.length - 1}/${data.length}`, data.subarray(quantum))).status,
  ).toBe(200);
  // The hashes went on over the restart too.
  const { body } = await call('GET', `${cloud.origin}/storage/v1/b/uploads/o/restarted`);
  const whole = await call(
    'POST',
    `${cloud.origin}/upload/storage/v1/b/uploads/o?uploadType=media&name=whole`,
    { body: data },
  );
  expect([body.md5Hash, body.crc32c]).toEqual([whole.body.md5Hash, whole.body.crc32c]);
});

test('clients that follow redirects are answered without a 308', async () => {
  const { uri } = await start('no308');
  const { status, headers } = await put(uri, '*/*', '', { 'x-guploader-no-308': 'yes' });
  expect([status, headers.get('x-http-status-code-override')]).toEqual([200, '308']);
});
