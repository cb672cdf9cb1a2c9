import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Bucket } from '@google-cloud/storage';
import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { bytes, call } from './raw.ts';

const cloud = useLocalCloud();
let bucket: Bucket;
beforeAll(async () => {
  [bucket] = await (await clients.storage()).createBucket('uploads');
});

const md5 = (data: Buffer | string) => createHash('md5').update(data).digest('base64');
const upload = (query: string) => `${cloud.origin}/upload/storage/v1/b/uploads/o?${query}`;
const blobs = () => readdir(join(cloud.dir, '.cloud', 'blobs', 'storage'));

test.each([
  ['simple', { resumable: false }],
  ['resumable', { resumable: true }],
  ['resumable in chunks', { resumable: true, chunkSize: 1024 * 1024 }],
])(
  'a %s upload of the client library comes back byte for byte, with its hashes and metadata',
  async (_, how) => {
    for (const size of [0, 1, 262_144, 1_100_000]) {
      const data = bytes(size, size);
      const file = bucket.file(`sizes/${size}`);
      await file.save(data, {
        ...how,
        metadata: { contentType: 'application/x-gaze', metadata: { rate: '1000' } },
      });
      const [metadata] = await file.getMetadata();
      expect(metadata).toMatchObject({
        size: String(size),
        md5Hash: md5(data),
        contentType: 'application/x-gaze',
        metadata: { rate: '1000' },
        metageneration: '1',
      });
      // The library checks the CRC32C that the server sent along.
      expect((await file.download())[0].equals(data)).toBe(true);
      expect((await file.download({ validation: 'md5' }))[0].equals(data)).toBe(true);
    }
  },
);

test('a download may ask for a range, from either end', async () => {
  const data = bytes(100_000);
  await bucket.file('ranged').save(data, { resumable: false });
  const range = async (start: number | undefined, end: number) => {
    const options = { end, ...(start === undefined ? {} : { start }) };
    return (await bucket.file('ranged').download(options))[0];
  };
  expect((await range(10, 19)).equals(data.subarray(10, 20))).toBe(true);
  expect((await range(undefined, -100)).equals(data.subarray(-100))).toBe(true);

  const url = `${cloud.origin}/storage/v1/b/uploads/o/ranged?alt=media`;
  const get = (Range: string) => call('GET', url, { headers: { Range } });
  const open = await get('bytes=99990-');
  expect([open.status, open.headers.get('content-range')]).toEqual([206, 'bytes 99990-99999/100000']);
  const tooLong = await get('bytes=99990-200000');
  expect(tooLong.headers.get('content-length')).toBe('10');
  const beyond = await get('bytes=100000-');
  expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */100000']);
  expect((await get('bytes=5-2')).status).toBe(200);
  expect((await get('lines=1-2')).status).toBe(200);
});

test('a wrong hash is refused wherever it is given, and nothing is stored', async () => {
  const before = (await blobs()).length;
  const wrong = md5('something else');
  const file = bucket.file('hashed');
  for (const resumable of [true, false]) {
    const save = (metadata: { md5Hash?: string; crc32c?: string }) =>
      file.save('data', { resumable, validation: false, metadata });
    await expect(save({ md5Hash: wrong })).rejects.toMatchObject({ code: 400 });
    await expect(save({ crc32c: 'AAAAAA==' })).rejects.toMatchObject({ code: 400 });
  }
  const media = upload('uploadType=media&name=hashed');
  const headersOf: Record<string, string>[] = [{ 'x-goog-hash': `md5=${wrong}` }, { 'content-md5': wrong }];
  for (const headers of headersOf) {
    expect(await call('POST', media, { body: 'data', headers })).toMatchObject({ status: 400 });
  }
  expect(await file.exists()).toEqual([false]);
  // Only what the two resumable uploads gathered; they may yet be given the right hash.
  expect((await blobs()).length).toBe(before + 2);

  const headers = { 'x-goog-hash': `crc32c=rth90Q==,md5=${md5('data')}` };
  expect(await call('POST', media, { body: 'data', headers })).toMatchObject({ status: 200 });
});

test('a multipart body is read with any line ends, whatever the bytes in it', async () => {
  const multipart = async (newline: string, boundary: string, type: string, data: string) => {
    const json = JSON.stringify({ name: 'multipart', contentType: 'text/x' });
    const lines = [
      `--${boundary}`,
      'Content-Type: application/json',
      '',
      json,
      `--${boundary}`,
      'Content-Type: text/y',
      '',
    ];
    const body = [...lines, data, `--${boundary}--`].join(newline);
    const headers = { 'content-type': `multipart/related; boundary=${type}` };
    return call('POST', upload('uploadType=multipart'), { body, headers });
  };
  for (const data of ['', '\r', '\n', '--', '--B', '\r\n--', 'x\r\n--Bx'.replace('B', 'A'), '\r\n\r\n--A']) {
    for (const [newline, type] of [
      ['\r\n', 'B'],
      ['\n', "'B'"],
      ['\r\n', '"B"'],
    ] as const) {
      const { status, body } = await multipart(newline, 'B', type, data);
      expect([data, status, body.size, body.contentType]).toEqual([data, 200, String(data.length), 'text/x']);
    }
  }
});

test.each([
  ['no boundary', 'multipart/related', 'x'],
  ['no last boundary', 'multipart/related; boundary=B', '--B\r\n\r\n{"name":"x"}\r\n--B\r\n\r\ndata'],
  ['one part', 'multipart/related; boundary=B', '--B\r\n\r\n{"name":"x"}\r\n--B--'],
  [
    'three parts',
    'multipart/related; boundary=B',
    '--B\r\n\r\n{"name":"x"}\r\n--B\r\n\r\n1\r\n--B\r\n\r\n2\r\n--B--',
  ],
  ['no JSON', 'multipart/related; boundary=B', '--B\r\n\r\n{"name":\r\n--B\r\n\r\n1\r\n--B--'],
  ['no name', 'multipart/related; boundary=B', '--B\r\n\r\n{}\r\n--B\r\n\r\n1\r\n--B--'],
])('a multipart body with %s is refused, and leaves nothing', async (_, type, body) => {
  const before = await blobs();
  const answer = await call('POST', upload('uploadType=multipart'), {
    body,
    headers: { 'content-type': type },
  });
  expect(answer.status).toBe(400);
  expect(await bucket.file('x').exists()).toEqual([false]);
  expect(await blobs()).toEqual(before);
});

test('names that Cloud Storage does not allow are refused', async () => {
  const save = (name: string) =>
    call('POST', upload(`uploadType=media&name=${encodeURIComponent(name)}`), { body: 'x' });
  for (const name of ['.', '..', 'a\nb', 'a\rb', '', 'é'.repeat(513), '.well-known/acme-challenge/x']) {
    expect([name, (await save(name)).status]).toEqual([name, 400]);
  }
  for (const name of ['é'.repeat(512), 'a\u0000b', '%', '...', ' ', 'a?b#c[*]', '__proto__']) {
    expect([name, (await save(name)).status]).toEqual([name, 200]);
    const [metadata] = await bucket.file(name).getMetadata();
    expect(metadata.name).toBe(name);
    await bucket.file(name).delete();
  }
  const halfPair = { json: { name: '\ud800' } };
  expect(await call('POST', upload('uploadType=resumable'), halfPair)).toMatchObject({ status: 400 });
});

test('an upload that is cut off in the middle leaves nothing', async () => {
  const before = await blobs();
  const { hostname, port } = new URL(cloud.origin);
  const socket = connect(Number(port), hostname);
  const head = `POST /upload/storage/v1/b/uploads/o?uploadType=media&name=cut HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n`;
  socket.write(head);
  socket.write(bytes(1_000_000));
  await until(async () => (await blobs()).length > before.length);
  socket.destroy();
  await until(async () => (await blobs()).length === before.length);
  expect(await bucket.file('cut').exists()).toEqual([false]);
});

test('a gzipped object is sent unzipped to those who do not take gzip', async () => {
  const text = 'gaze '.repeat(1000);
  await bucket.file('zipped').save(text, { gzip: true, resumable: false });
  const [metadata] = await bucket.file('zipped').getMetadata();
  expect(metadata.contentEncoding).toBe('gzip');
  expect(Number(metadata.size)).toBeLessThan(1000);
  expect((await bucket.file('zipped').download())[0].toString()).toBe(text);
  const url = `${cloud.origin}/storage/v1/b/uploads/o/zipped?alt=media`;
  const plain = await call('GET', url, { headers: { 'accept-encoding': 'identity' } });
  expect(plain.body).toBe(text);
  expect(plain.headers.get('x-goog-stored-content-encoding')).toBe('gzip');
});

async function until(condition: () => Promise<boolean>) {
  for (const deadline = Date.now() + 10_000; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error('it did not happen within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
