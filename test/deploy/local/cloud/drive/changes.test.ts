import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { follow, refusal, settled, until } from './following.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
let receiver: Server;
let address = '';
let pushes: (IncomingHttpHeaders & { body: string; method: string | undefined })[] = [];
let answers: number[] = [];
let ids = 0;

beforeAll(async () => {
  drive = await clients.drive();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      pushes.push({ ...request.headers, body: Buffer.concat(chunks).toString(), method: request.method });
      response.writeHead(answers.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
beforeEach(() => {
  pushes = [];
  answers = [];
});
afterAll(() => {
  receiver.close();
});

const start = async () => (await drive.changes.getStartPageToken()).data.startPageToken ?? '';
const drop = (name: string) => writeFile(join(cloud.dir, 'drive', name), name);
async function watch(body: drive_v3.Schema$Channel = {}) {
  const requestBody = { id: `channel-${++ids}`, type: 'web_hook', address, token: 'secret', ...body };
  const { data } = await drive.changes.watch({ pageToken: await start(), requestBody });
  await settled(cloud);
  return data;
}
const stop = ({ id, resourceId }: drive_v3.Schema$Channel) =>
  drive.channels.stop({ requestBody: { id: id ?? '', resourceId: resourceId ?? '' } });
const states = () => pushes.map((push) => push['x-goog-resource-state']);
const fault = (body: object) =>
  fetch(`${cloud.origin}/_local/faults`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ service: 'drive', ...body }),
  });

test('a channel hears sync, and then of each change, with all of Google’s headers and no body', async () => {
  const channel = await watch();
  expect(channel).toMatchObject({ kind: 'api#channel', id: `channel-${ids}`, token: 'secret' });
  expect(Number(channel.expiration) - Date.now()).toBeGreaterThan(3_590_000);
  expect(Number(channel.expiration) - Date.now()).toBeLessThanOrEqual(3_600_000);
  expect(pushes).toHaveLength(1);
  expect(pushes[0]).toMatchObject({
    method: 'POST',
    body: '',
    'content-length': '0',
    'x-goog-channel-id': channel.id,
    'x-goog-message-number': '1',
    'x-goog-resource-id': channel.resourceId,
    'x-goog-resource-state': 'sync',
    'x-goog-resource-uri': channel.resourceUri,
    'x-goog-channel-token': 'secret',
    'x-goog-channel-expiration': new Date(Number(channel.expiration)).toUTCString(),
    'user-agent': expect.stringContaining('APIs-Google'),
  });
  await drop('one.txt');
  await settled(cloud);
  await drop('two.txt');
  await settled(cloud);
  expect(states()).toEqual(['sync', 'change', 'change']);
  const numbers = pushes.map((push) => Number(push['x-goog-message-number']));
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  await stop(channel);
  await drop('three.txt');
  await settled(cloud);
  expect(pushes).toHaveLength(3);
  expect(await refusal(stop(channel))).toMatchObject({ status: 404, reason: 'notFound' });
});

test('when all is settled the push has been answered, however soon one asks', async () => {
  const channel = await watch();
  for (let round = 0; round < 5; round++) {
    const before = pushes.length;
    await drop(`round-${round}.txt`);
    await settled(cloud);
    expect(pushes.length).toBeGreaterThan(before);
  }
  await stop(channel);
});

test('a push is sent again after 503, and not after 404', async () => {
  const channel = await watch();
  answers = [503, 500, 204];
  await drop('again.txt');
  await settled(cloud);
  expect(states()).toEqual(['sync', 'change', 'change', 'change']);
  expect(new Set(pushes.slice(1).map((push) => push['x-goog-message-number'])).size).toBe(1);
  answers = [404];
  await drop('lost.txt');
  await settled(cloud);
  expect(pushes).toHaveLength(5);
  await stop(channel);
});

test('a lost push is never sent, a doubled one twice, and a late one late', async () => {
  const channel = await watch();
  await fault({ kind: 'lostPush', times: 1, path: 'hook$' });
  await drop('lost push.txt');
  await settled(cloud);
  expect(states()).toEqual(['sync']);
  await fault({ kind: 'doubledPush', times: 1 });
  await drop('doubled push.txt');
  await settled(cloud);
  expect(states()).toEqual(['sync', 'change', 'change']);
  await fault({ kind: 'latePush', ms: 300, times: 1 });
  await drop('late push.txt');
  await settled(cloud);
  expect(states()).toEqual(['sync', 'change', 'change', 'change']);
  await stop(channel);
});

test('a channel that has expired is silent', async () => {
  const channel = await watch({ expiration: String(Date.now() + 300) });
  await until(() => Date.now() > Number(channel.expiration));
  await drop('silent.txt');
  await settled(cloud);
  expect(states()).toEqual(['sync']);
  expect(await refusal(stop(channel))).toMatchObject({ status: 404 });
});

test('a channel lives for a week at most', async () => {
  const channel = await watch({ expiration: String(Date.now() + 30 * 24 * 3_600_000) });
  expect(Number(channel.expiration)).toBeLessThanOrEqual(Date.now() + 7 * 24 * 3_600_000);
  await stop(channel);
});

test.each([
  [{ address: 'http://example.com/hook' }, 'push.webhookUrlNotHttps'],
  [{ address: 'http://127.0.0.1.example.com/hook' }, 'push.webhookUrlNotHttps'],
  [{ address: 'file:///etc/passwd' }, 'push.webhookUrlNotHttps'],
  [{ address: 'nonsense' }, 'push.webhookUrlNotHttps'],
  [{ id: 'x'.repeat(65) }, 'invalid'],
  [{ token: 'x'.repeat(257) }, 'invalid'],
  [{ type: 'carrier_pigeon' }, 'invalid'],
  [{ expiration: '1000' }, 'invalid'],
])('a channel with %j is refused', async (body, reason) => {
  expect(await refusal(watch(body))).toMatchObject({ status: 400, reason });
  expect(pushes).toEqual([]);
});

test('a channel needs a page token, and an id that was never used', async () => {
  const channel = await watch();
  expect(await refusal(watch({ id: channel.id ?? '' }))).toMatchObject({
    status: 400,
    reason: 'channelIdNotUnique',
  });
  await stop(channel);
  expect(await refusal(watch({ id: channel.id ?? '' }))).toMatchObject({ status: 400 });
  const without = await fetch(`${cloud.origin}/drive/v3/changes/watch`, { method: 'POST' });
  expect(await without.json()).toMatchObject({
    error: { errors: [{ reason: 'required', location: 'pageToken' }] },
  });
});

test('a page token that is missing or was never given out is refused', async () => {
  const without = await fetch(`${cloud.origin}/drive/v3/changes`);
  expect(await without.json()).toMatchObject({
    error: { code: 400, errors: [{ reason: 'required', location: 'pageToken' }] },
  });
  for (const pageToken of ['nonsense', '0', '-1', '1.5', '999999999', '9'.repeat(30)]) {
    const refused = { status: 400, reason: 'invalid', location: 'pageToken' };
    expect(await refusal(drive.changes.list({ pageToken }))).toEqual(refused);
  }
});

test('a newer entry takes the place of an older one of the same file, also between two pages', async () => {
  const feed = await follow(drive);
  const pageToken = await start();
  const names = ['a', 'b', 'c', 'd'];
  const made = await Promise.all(names.map((name) => drive.files.create({ requestBody: { name } })));
  const first = (await drive.changes.list({ pageToken, pageSize: 2 })).data;
  expect(first.changes).toHaveLength(2);
  expect(first.newStartPageToken).toBeUndefined();
  const again = first.changes?.[0]?.fileId ?? '';
  await drive.files.update({ fileId: again, requestBody: { starred: true } });
  const rest = (await drive.changes.list({ pageToken: first.nextPageToken ?? '' })).data;
  expect(rest.changes).toHaveLength(3);
  expect(rest.changes?.at(-1)?.fileId).toBe(again);
  const ids = (await feed.next()).map(({ fileId }) => fileId);
  expect(ids.sort()).toEqual(made.map(({ data }) => data.id).sort());
});

test('unasked, a change tells little of its file; removed ones and foreign ones can be left out', async () => {
  const pageToken = await start();
  const { data: file } = await drive.files.create({ requestBody: { name: 'little' } });
  const { data: gone } = await drive.files.create({ requestBody: { name: 'gone' } });
  await drive.files.delete({ fileId: gone.id ?? '' });
  const [change] = (await drive.changes.list({ pageToken })).data.changes ?? [];
  expect(change?.file).toEqual(file);
  const present = (await drive.changes.list({ pageToken, includeRemoved: false })).data.changes;
  expect(present?.map(({ fileId }) => fileId)).toEqual([file.id]);
  const mine = (await drive.changes.list({ pageToken, restrictToMyDrive: true })).data;
  expect(mine.changes).toEqual([]);
  expect(mine.newStartPageToken).toBe(await start());
});
