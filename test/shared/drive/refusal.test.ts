import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../shared/clients.ts';
import { type Refusal, refusalOf, WaitForTomorrow } from '../../../shared/drive/refusal.ts';
import { setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
let fileId: string;

beforeAll(async () => {
  drive = await clients.drive();
  const { data } = await drive.files.create({
    requestBody: { name: 'a.txt', parents: [cloud.studyFolder] },
    media: { mimeType: 'text/plain', body: 'a' },
  });
  fileId = String(data.id);
});
afterEach(() => setFaults(cloud));

/** What is read out of the error that a request ends with when Drive answers like this. */
async function refusal(status: number, reason: string, responseType: 'json' | 'stream' | 'arraybuffer') {
  await setFaults(cloud, { service: 'drive', kind: 'status', status, reason });
  const options = { responseType, retry: false } as object;
  const alt = responseType === 'json' ? {} : { alt: 'media' };
  const error: unknown = await drive.files.get({ fileId, ...alt }, options).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Error);
  return refusalOf(error);
}

const cases: [number, string, Refusal['kind'] | undefined][] = [
  [404, 'notFound', 'gone'],
  [403, 'userRateLimitExceeded', 'slow-down'],
  [403, 'rateLimitExceeded', 'slow-down'],
  [429, 'rateLimitExceeded', 'slow-down'],
  [429, 'somethingNew', 'slow-down'],
  [403, 'dailyLimitExceeded', 'daily'],
  [429, 'dailyLimitExceeded', 'daily'],
  [403, 'downloadQuotaExceeded', 'daily'],
  [403, 'cannotDownloadFile', 'final'],
  [403, 'insufficientFilePermissions', 'final'],
  [403, 'exportSizeLimitExceeded', 'final'],
  [400, 'badRequest', 'final'],
  [403, 'somethingNew', undefined],
  [401, 'authError', undefined],
  [503, 'dailyLimitExceeded', undefined],
];

for (const responseType of ['json', 'stream', 'arraybuffer'] as const) {
  test(`what Drive refuses is known by its reason, the answer being taken as ${responseType}`, async () => {
    for (const [status, reason, kind] of cases) {
      expect([status, reason, await refusal(status, reason, responseType)]).toEqual([
        status,
        reason,
        kind && { kind, reason },
      ]);
    }
  });
}

test('an answer without a reason, and no answer at all, say nothing but what their status says', async () => {
  const answered = (status: number, data: unknown) =>
    Object.assign(new Error('<html>no</html>'), { status, response: { status, data } });
  expect(refusalOf(answered(403, '<html>no</html>'))).toBeUndefined();
  expect(refusalOf(answered(403, { error: 'invalid_grant' }))).toBeUndefined();
  expect(refusalOf(answered(404, ''))).toEqual({ kind: 'gone', reason: 'notFound' });
  expect(refusalOf(answered(429, new ArrayBuffer(3)))).toEqual({
    kind: 'slow-down',
    reason: 'rateLimitExceeded',
  });
  for (const nothing of [undefined, null, 'text', new Error('socket hang up')]) {
    expect(refusalOf(nothing)).toBeUndefined();
  }
});

test('work that waits for tomorrow says why', () => {
  const error = new WaitForTomorrow('downloadQuotaExceeded');
  expect([error.name, error.message]).toEqual(['WaitForTomorrow', 'downloadQuotaExceeded']);
});
