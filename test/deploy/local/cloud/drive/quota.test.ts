import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { forgetRequests, requestsAt, setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
const { now } = Date;

beforeAll(async () => {
  drive = await clients.drive();
});
afterEach(async () => {
  Date.now = now;
  await setFaults(cloud);
});

test('each request says what it costs', async () => {
  const requestBody = { name: 'Plan', mimeType: 'application/vnd.google-apps.document' };
  const plan = (await drive.files.create({ requestBody, fields: '*' })).data;
  const { data } = await drive.files.create({ requestBody: { name: 'blob' } });
  const fileId = data.id ?? '';
  const documentId = plan.id ?? '';
  const pageToken = (await drive.changes.getStartPageToken()).data.startPageToken ?? '';
  const [revision] = (await drive.revisions.list({ fileId })).data.revisions ?? [];
  await forgetRequests(cloud);
  await drive.files.get({ fileId });
  await drive.changes.getStartPageToken();
  await drive.files.list();
  await drive.changes.list({ pageToken });
  await drive.files.get({ fileId, alt: 'media' });
  await drive.revisions.get({ fileId, revisionId: revision?.id ?? '', alt: 'media' });
  await drive.files.export({ fileId: documentId, mimeType: 'text/plain' });
  await fetch(plan.exportLinks?.['text/plain'] ?? '');
  await drive.files.update({ fileId, requestBody: { name: 'other' } });
  const channel = { id: 'channel', type: 'web_hook', address: cloud.origin };
  const { resourceId } = (await drive.changes.watch({ pageToken, requestBody: channel })).data;
  await drive.channels.stop({ requestBody: { id: 'channel', resourceId: resourceId ?? '' } });
  await drive.files.delete({ fileId });
  await fetch(`${cloud.origin}/_local/drive/scan`, { method: 'POST' });
  const details = (await requestsAt(cloud, 'drive'))
    .map(({ detail }) => detail as { op: string; units: number })
    .filter(({ op }) => !op.startsWith('push'))
    .map(({ op, units }) => [op, units]);
  expect(details).toEqual([
    ['files.get', 5],
    ['changes.getStartPageToken', 5],
    ['files.list', 100],
    ['changes.list', 100],
    ['files.download', 200],
    ['files.download', 200],
    ['files.export', 200],
    ['exportLink', 200],
    ['files.update', 50],
    ['changes.watch', 50],
    ['channels.stop', 50],
    ['files.delete', 50],
    ['scan', 0],
  ]);
});

async function ask(path: string) {
  const answer = await fetch(`${cloud.origin}/drive/v3/${path}`);
  const { error } = (await answer.json()) as { error?: { errors: { reason: string }[] } };
  return [answer.status, error?.errors[0]?.reason, answer.headers.get('retry-after')];
}
const listing = 'files?pageSize=1';
const reading = 'changes/startPageToken';
const good = [200, undefined, null];

test('above the limit of a minute requests are refused until the minute has room', async () => {
  await setFaults(cloud, { service: 'drive', kind: 'quota', unitsPerMinute: 210 });
  expect([await ask(listing), await ask(listing)]).toEqual([good, good]);
  Date.now = () => now() + 30_000;
  // What is refused uses nothing; what is cheaper may still fit.
  const refused = [403, 'userRateLimitExceeded', null];
  expect([await ask(listing), await ask(listing)]).toEqual([refused, refused]);
  expect([await ask(reading), await ask(reading), await ask(reading)]).toEqual([good, good, refused]);
  Date.now = () => now() + 61_000;
  expect([await ask(listing), await ask(listing), await ask(listing)]).toEqual([good, good, refused]);
  Date.now = () => now() + 125_000;
  expect([await ask(listing), await ask(listing)]).toEqual([good, good]);
});

test.each([
  [{ status: 429 }, '30'],
  [{ retryAfter: 7 }, '7'],
])('with %j the refusal is a 429 that says when to come again', async (more, retryAfter) => {
  await setFaults(cloud, { service: 'drive', kind: 'quota', unitsPerMinute: 100, ...more });
  const start = now();
  Date.now = () => start;
  expect(await ask(listing)).toEqual(good);
  Date.now = () => start + 30_000;
  expect(await ask(listing)).toEqual([429, 'rateLimitExceeded', retryAfter]);
});

test('without a limit nothing is refused, and a new limit starts from nothing', async () => {
  for (let count = 0; count < 2; count++) {
    await setFaults(cloud, { service: 'drive', kind: 'quota', unitsPerMinute: 100 });
    expect([await ask(listing), (await ask(listing))[0]]).toEqual([good, 403]);
  }
  await setFaults(cloud);
  expect(await ask(listing)).toEqual(good);
});
