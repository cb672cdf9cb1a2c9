import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { bytes } from '../storage/raw.ts';
import { until } from './following.ts';

const cloud = useLocalCloud();
const data = bytes(3_000_000);
let drive: drive_v3.Drive;
let fileId = '';

beforeAll(async () => {
  drive = await clients.drive();
  await writeFile(join(cloud.dir, 'drive', 'recording.bin'), data);
  const found = await until(async () => {
    return (await drive.files.list({ q: "name = 'recording.bin'" })).data.files?.[0];
  });
  fileId = found.id ?? '';
});
afterEach(async () => setFaults(cloud));

const fault = (kind: string, more: object = {}) => setFaults(cloud, { service: 'drive', kind, ...more });

async function get(path: string, range?: string) {
  const answer = await fetch(new URL(path, cloud.origin), range ? { headers: { Range: range } } : {});
  return {
    status: answer.status,
    length: Number(answer.headers.get('content-length')),
    range: answer.headers.get('content-range'),
    body: Buffer.from(await answer.arrayBuffer()),
  };
}
const media = () => `/drive/v3/files/${fileId}?alt=media`;
const differences = (one: Buffer, other: Buffer) =>
  one.length === other.length
    ? [...one.keys()].filter((at) => one[at] !== other[at])
    : 'they differ in length';

test('the fault flipByte makes one byte of a download wrong, of a range too', async () => {
  await fault('flipByte', { times: 2 });
  expect(differences((await get(media())).body, data)).toEqual([1_500_000]);
  const part = await get(media(), 'bytes=1000-1999');
  expect([part.status, part.length, part.range]).toEqual([206, 1000, 'bytes 1000-1999/3000000']);
  expect(differences(part.body, data.subarray(1000, 2000))).toEqual([500]);
  expect((await get(media())).body.equals(data)).toBe(true);
});

test('the fault truncate ends a download early and cleanly', async () => {
  await fault('truncate', { times: 2 });
  const whole = await get(media());
  expect([whole.status, whole.length, whole.body.equals(data.subarray(0, 1_500_000))]).toEqual([
    ...[200, 1_500_000, true],
  ]);
  const part = await get(media(), 'bytes=1000-1999');
  expect([part.status, part.length, part.range]).toEqual([206, 500, 'bytes 1000-1999/3000000']);
  expect(part.body.equals(data.subarray(1000, 1500))).toBe(true);
});

test('the fault ignoreRange gives the whole file to who asks for a part, and strikes nobody else', async () => {
  await fault('ignoreRange', { times: 1 });
  expect((await get(media())).status).toBe(200);
  const answer = await get(media(), 'bytes=1000-1999');
  expect([answer.status, answer.range, answer.body.equals(data)]).toEqual([200, null, true]);
  expect((await get(media(), 'bytes=1000-1999')).status).toBe(206);
});

test.each([
  ['bytes=1000-1999', 'bytes 999-1998/3000000'],
  ['bytes=0-999', 'bytes 1-1000/3000000'],
  ['bytes=0-', 'bytes 1-2999999/3000000'],
])('the fault wrongRange answers %s with %s and those bytes', async (asked, given) => {
  await fault('wrongRange', { times: 1 });
  const answer = await get(media(), asked);
  expect([answer.status, answer.range]).toEqual([206, given]);
  const [first = 0, last = 0] = given.match(/\d+/g)?.map(Number) ?? [];
  expect(answer.body.equals(data.subarray(first, last + 1))).toBe(true);
});

test.each([1000, 2_500_000])('the fault cutAfter ends the connection after %i bytes', async (count) => {
  await fault('cutAfter', { bytes: count, times: 1 });
  const answer = await fetch(new URL(media(), cloud.origin));
  expect(Number(answer.headers.get('content-length'))).toBe(data.length);
  let received = 0;
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) received += (chunk as Uint8Array).length;
  })();
  await expect(reading).rejects.toThrow('terminated');
  expect(received).toBe(count);
  expect((await get(media())).body.equals(data)).toBe(true);
});

test('an export and an export link are flipped and truncated like any download', async () => {
  const requestBody = { name: 'Plan', mimeType: 'application/vnd.google-apps.document' };
  const body = { mimeType: 'text/plain', body: 'twelve bytes' };
  const { data: plan } = await drive.files.create({ requestBody, media: body, fields: '*' });
  const exported = `/drive/v3/files/${plan.id}/export?mimeType=text/plain`;
  for (const path of [exported, plan.exportLinks?.['text/plain'] ?? '']) {
    await fault('flipByte', { times: 1 });
    expect((await get(path)).body.toString()).toBe('twelve!bytes');
    await fault('truncate', { times: 1 });
    expect(await get(path)).toMatchObject({ status: 200, length: 6, body: Buffer.from('twelve') });
  }
});
