import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { md5 } from './following.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
const unit = 256 * 1024;

beforeAll(async () => {
  drive = await clients.drive();
});

const uploads = () => `${cloud.origin}/upload/drive/v3/files`;
async function begin(metadata: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${uploads()}?uploadType=resumable&fields=id,md5Checksum,mimeType,size`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(metadata),
  });
  expect(response.status).toBe(200);
  const location = response.headers.get('location') ?? '';
  return async (range: string | undefined, body: Buffer = Buffer.alloc(0)) => {
    const answer = await fetch(location, {
      method: 'PUT',
      headers: range === undefined ? {} : { 'Content-Range': range },
      body: new Uint8Array(body),
    });
    const text = await answer.text();
    const file = (answer.ok ? JSON.parse(text) : {}) as { id: string; md5Checksum: string; mimeType: string };
    return { status: answer.status, range: answer.headers.get('range'), file };
  };
}

test('a stream is uploaded with its metadata', async () => {
  const bytes = randomBytes(3_000_000);
  const { data } = await drive.files.create({
    requestBody: { name: 'stream.bin' },
    media: { mimeType: 'application/x-gaze', body: Readable.from([bytes]) },
    fields: '*',
  });
  expect(data).toMatchObject({ md5Checksum: md5(bytes), mimeType: 'application/x-gaze', size: '3000000' });
  expect(md5(await readFile(join(cloud.dir, 'drive', 'stream.bin')))).toBe(md5(bytes));
});

test('bytes that look like a boundary do not end the file', async () => {
  const body = `--cut\r\nContent-Type: application/json\r\n\r\n{"name":"edge.bin"}\r\n--cut\r\nContent-Type: a/b\r\n\r\n\r\n--cu\r\n--cu\r\n--cut--`;
  const response = await fetch(`${uploads()}?uploadType=multipart&fields=md5Checksum,mimeType`, {
    method: 'POST',
    headers: { 'Content-Type': 'multipart/related; boundary=cut' },
    body,
  });
  expect(await response.json()).toEqual({ md5Checksum: md5('\r\n--cu\r\n--cu'), mimeType: 'a/b' });
});

test.each([
  ['multipart/related', 'x'],
  ['multipart/related; boundary=b', ''],
  ['multipart/related; boundary=b', '--b\r\n\r\n{"name":'],
  ['multipart/related; boundary=b', '--b\r\n\r\nno json\r\n--b\r\n\r\nx\r\n--b--'],
  ['multipart/related; boundary=b', '--b\r\n\r\n{}\r\n--b--'],
  ['multipart/related; boundary=b', `--b\r\n${'x'.repeat(100_000)}`],
])('a broken multipart body (%s, %.30j) is refused and leaves nothing', async (contentType, body) => {
  const headers = { 'Content-Type': contentType };
  const response = await fetch(`${uploads()}?uploadType=multipart`, { method: 'POST', headers, body });
  expect(response.status).toBe(400);
  expect((await drive.files.list({ q: "name = 'Untitled'" })).data.files).toEqual([]);
});

test('a simple upload takes the type of the bytes, whatever they are', async () => {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${uploads()}?uploadType=media&fields=name,mimeType,size`, {
    method: 'POST',
    headers,
    body: '{not json}',
  });
  expect(await response.json()).toEqual({ name: 'Untitled', mimeType: 'application/json', size: '10' });
});

test('a resumable upload goes on chunk by chunk and tells how far it has come', async () => {
  const bytes = randomBytes(2 * unit + 1000);
  const total = bytes.length;
  const put = await begin({ name: 'chunks.bin' }, { 'X-Upload-Content-Type': 'a/b' });
  expect(await put('bytes */*')).toMatchObject({ status: 308, range: null });
  const chunk = (start: number, end: number, of: number | '*' = total) =>
    put(`bytes ${start}-${end - 1}/${of}`, bytes.subarray(start, end));
  expect(await chunk(0, 1000)).toMatchObject({ status: 400 });
  expect(await chunk(0, unit, '*')).toMatchObject({ status: 308, range: `bytes=0-${unit - 1}` });
  expect(await put(`bytes */${total}`)).toMatchObject({ status: 308, range: `bytes=0-${unit - 1}` });
  expect(await chunk(2 * unit, total)).toMatchObject({ status: 400 });
  // The answer to a chunk was lost, and it is sent once more together with the next.
  expect(await chunk(0, 2 * unit)).toMatchObject({ status: 308, range: `bytes=0-${2 * unit - 1}` });
  const done = await chunk(2 * unit, total);
  expect(done).toMatchObject({ status: 200, file: { md5Checksum: md5(bytes), mimeType: 'a/b' } });
  expect(await put(`bytes */${total}`)).toMatchObject({ status: 200, file: { id: done.file.id } });
  expect((await drive.files.list({ q: "name = 'chunks.bin'" })).data.files).toHaveLength(1);
});

test('a resumable upload replaces the content of a file, and an unknown session is 404', async () => {
  const { data } = await drive.files.create({ requestBody: { name: 'target.bin' } });
  const start = await fetch(`${uploads()}/${data.id}?uploadType=resumable`, { method: 'PATCH' });
  const location = start.headers.get('location') ?? '';
  await fetch(location, { method: 'PUT', body: 'replaced' });
  expect(await readFile(join(cloud.dir, 'drive', 'target.bin'), 'utf8')).toBe('replaced');
  const unknown = await fetch(`${uploads()}?uploadType=resumable&upload_id=nope`, {
    method: 'PUT',
    body: 'x',
  });
  expect(unknown.status).toBe(404);
});

test('an upload without a length and one in a single piece end with the file', async () => {
  const put = await begin({ name: 'whole.bin' });
  expect(await put(undefined, Buffer.from('all'))).toMatchObject({
    status: 200,
    file: { md5Checksum: md5('all') },
  });
  const empty = await begin({ name: 'nothing.bin' });
  expect(await empty('bytes */0')).toMatchObject({ status: 200, file: { md5Checksum: md5('') } });
});

test('a session that a fault ends is not found any more, and a chunk may be kept in part', async () => {
  const bytes = randomBytes(4 * unit);
  const put = await begin({ name: 'short.bin' });
  await setFaults(cloud, { service: 'drive', kind: 'shortAck', times: 1 });
  const whole = `bytes 0-${4 * unit - 1}/${4 * unit}`;
  expect(await put(whole, bytes)).toMatchObject({ status: 308, range: `bytes=0-${2 * unit - 1}` });
  await setFaults(cloud, { service: 'drive', kind: 'expireSession', times: 1 });
  expect((await put(whole, bytes)).status).toBe(404);
  expect((await put(whole, bytes)).status).toBe(404);
});

test('who may only read a shared drive is told so by the folder, and by every write', async () => {
  const { data: lab } = await drive.drives.create({ requestId: 'lab', requestBody: { name: 'Lab' } });
  const parents = [String(lab.id)];
  const common = { supportsAllDrives: true, fields: 'id,capabilities' };
  const { data: file } = await drive.files.create({ requestBody: { name: 'a', parents }, ...common });
  const { data: about } = await drive.about.get({ fields: 'user' });
  const share = (role: string) =>
    drive.permissions.create({
      ...{ fileId: String(lab.id), supportsAllDrives: true },
      requestBody: { type: 'user', role, emailAddress: String(about.user?.emailAddress) },
    });
  const refused = { response: { data: { error: { errors: [{ reason: 'insufficientFilePermissions' }] } } } };
  await share('reader');
  const { data: folder } = await drive.files.get({ fileId: String(lab.id), ...common });
  expect(folder.capabilities).toMatchObject({ canAddChildren: false, canEdit: false });
  await expect(drive.files.create({ requestBody: { name: 'b', parents }, ...common })).rejects.toMatchObject(
    refused,
  );
  const update = () => drive.files.update({ fileId: String(file.id), requestBody: { name: 'c' }, ...common });
  await expect(update()).rejects.toMatchObject(refused);
  await share('fileOrganizer');
  expect((await update()).status).toBe(200);
});

test('as in Google’s Drive, the service account may be made to own nothing in My Drive', async () => {
  const settings = (body: object) =>
    fetch(`${cloud.origin}/_local/drive/settings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await settings({ ownsFiles: false });
  await expect(drive.files.create({ requestBody: { name: 'x' } })).rejects.toMatchObject({
    response: { data: { error: { errors: [{ reason: 'storageQuotaExceeded' }] } } },
  });
  await settings({});
  expect((await drive.files.create({ requestBody: { name: 'x' } })).status).toBe(200);
});
