import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CRC32C } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { bytes, call } from './raw.ts';

/*
 * Uploads of more than a batch, which a thread hashes.
 */
const quantum = 256 * 1024;
const batch = 1024 * 1024;
const data = bytes(5 * batch + 1000);
const half = 3 * batch;
let dir = '';
let cloud: Awaited<ReturnType<typeof startCloud>>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
  cloud = await startCloud({ dir });
  await call('POST', `${cloud.origin}/storage/v1/b`, { json: { name: 'large' } });
});
afterAll(async () => {
  await cloud.close();
  await rm(dir, { recursive: true });
});

const hashesOf = (content: Buffer) => {
  const crc32c = new CRC32C();
  crc32c.update(content);
  return {
    size: String(content.length),
    md5Hash: createHash('md5').update(content).digest('base64'),
    crc32c: crc32c.toString(),
  };
};
const upload = (query: string) => `${cloud.origin}/upload/storage/v1/b/large/o?${query}`;
async function start(name: string, metadata = {}): Promise<string> {
  const { headers } = await call('POST', upload(`uploadType=resumable&name=${name}`), { json: metadata });
  const uri = headers.get('location') ?? '';
  return uri.slice(new URL(uri).origin.length);
}
const put = (uri: string, range: string, body: Buffer | string = '', headers = {}) =>
  call('PUT', cloud.origin + uri, { headers: { 'content-range': `bytes ${range}`, ...headers }, body });
const received = async (uri: string) => {
  const { headers } = await put(uri, '*/*');
  return Number(headers.get('range')?.split('-')[1] ?? -1) + 1;
};
const rest = (uri: string, from: number) =>
  put(uri, `${from}-${data.length - 1}/${data.length}`, data.subarray(from));

const ways: Record<string, (content: Buffer) => Promise<{ status: number; body: unknown }>> = {
  simple: (content) => call('POST', upload('uploadType=media&name=simple'), { body: content }),
  multipart: (content) => {
    const head = '--B\r\nContent-Type: application/json\r\n\r\n{"name":"multipart"}\r\n--B\r\n\r\n';
    const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--B--')]);
    const headers = { 'content-type': 'multipart/related; boundary=B' };
    return call('POST', upload('uploadType=multipart'), { body, headers });
  },
  resumable: async (content) => put(await start('resumable'), `0-*/${content.length}`, content),
  'resumable in chunks': async (content) => {
    const uri = await start('chunks');
    for (let at = 0; ; at += 2 * quantum) {
      const chunk = content.subarray(at, at + 2 * quantum);
      const isLast = at + chunk.length === content.length;
      const answer = await put(uri, `${at}-${at + chunk.length - 1}/${isLast ? content.length : '*'}`, chunk);
      if (isLast || answer.status !== 308) return answer;
    }
  },
};
test.each(Object.keys(ways))('a large %s upload has the hashes of its bytes', async (way) => {
  for (const size of [batch - 1, batch, batch + 1, data.length]) {
    const content = data.subarray(0, size);
    expect(await ways[way]?.(content)).toMatchObject({ status: 200, body: hashesOf(content) });
  }
});

test('a large upload with a wrong MD5 is refused, and nothing is stored', async () => {
  const blobs = () => readdir(join(dir, '.cloud', 'blobs', 'storage'));
  const before = await blobs();
  const wrong = Buffer.from(data);
  wrong[half] = (wrong[half] ?? 0) ^ 1;
  const headers = { 'content-md5': hashesOf(data).md5Hash };
  const query = 'uploadType=media&name=wrong';
  expect(await call('POST', upload(query), { body: wrong, headers })).toMatchObject({ status: 400 });
  expect(await blobs()).toEqual(before);

  const uri = await start('wrong', { md5Hash: hashesOf(data).md5Hash });
  expect(await put(uri, `0-*/${data.length}`, wrong)).toMatchObject({ status: 400 });
  expect(await call('GET', `${cloud.origin}/storage/v1/b/large/o/wrong`)).toMatchObject({ status: 404 });
});

test('last bytes that were wrong may be sent again, and the hashes are of those', async () => {
  const { md5Hash } = hashesOf(data);
  const uri = await start('again', { md5Hash });
  expect(await put(uri, `0-${half - 1}/*`, data.subarray(0, half))).toMatchObject({ status: 308 });
  const wrong = Buffer.from(data.subarray(half));
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
  expect(await put(uri, `${half}-${data.length - 1}/${data.length}`, wrong)).toMatchObject({ status: 400 });
  const kept = await received(uri);
  expect(kept).toBe(data.length - (data.length % quantum));
  expect(await rest(uri, kept)).toMatchObject({ status: 200, body: hashesOf(data) });
});

test('a chunk that was cut counts as far as it was kept', async () => {
  const uri = await start('cut');
  const { hostname, port } = new URL(cloud.origin);
  const socket = connect(Number(port), hostname);
  const length = data.length;
  socket.write(
    `PUT ${uri} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\nContent-Range: bytes 0-${length - 1}/${length}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.write(data.subarray(0, half + quantum + 1000), resolve));
  socket.destroy();
  await once(socket, 'close');
  let kept = 0;
  for (const deadline = Date.now() + 10_000; kept < half + quantum && Date.now() < deadline; ) {
    kept = await received(uri);
  }
  expect(kept).toBe(half + quantum);

  await call('POST', `${cloud.origin}/_local/faults`, {
    json: { service: 'storage', kind: 'shortAck', times: 1, path: '/o/cut$' },
  });
  expect(await rest(uri, kept)).toMatchObject({ status: 308 });
  const more = await received(uri);
  expect([more > kept, more < length]).toEqual([true, true]);
  expect(await rest(uri, more)).toMatchObject({ status: 200, body: hashesOf(data) });
});

test('a large upload goes on after a restart of the cloud, and its hashes are of all of it', async () => {
  const uris = [await start('restarted'), await start('ended')];
  for (const uri of uris) await put(uri, `0-${half - 1}/*`, data.subarray(0, half));
  await cloud.close();
  cloud = await startCloud({ dir });
  const [restarted = '', ended = ''] = uris;
  expect(await rest(restarted, half)).toMatchObject({ status: 200, body: hashesOf(data) });
  const body = hashesOf(data.subarray(0, half));
  expect(await put(ended, `*/${half}`)).toMatchObject({ status: 200, body });
});

test('large uploads side by side do not mix', async () => {
  const contents = [0, 1, 2, 3, 4, 5].map((skipped) => data.subarray(skipped * quantum));
  const answers = await Promise.all(
    contents.map((body, index) => call('POST', upload(`uploadType=media&name=beside-${index}`), { body })),
  );
  expect(answers.map(({ body }) => body)).toMatchObject(contents.map(hashesOf));
});
