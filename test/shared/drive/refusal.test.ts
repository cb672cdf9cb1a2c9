import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { openDrive } from '../../../shared/clients.ts';
import { download } from '../../../shared/drive/download.ts';
import { type Refusal, refusalOf, WaitForTomorrow } from '../../../shared/drive/refusal.ts';
import { Unprocessable } from '../../../shared/unprocessable.ts';
import { setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
beforeAll(async () => {
  drive = await openDrive({ patience: 0, random: () => 0, shared: undefined });
});
afterEach(async () => setFaults(cloud));

const refused = async (status: number, reason: string): Promise<unknown> => {
  await setFaults(cloud, { service: 'drive', kind: 'status', status, reason });
  return drive.files.get({ fileId: 'x' }).catch((error: unknown) => error);
};

const kinds: [number, string, Refusal['kind'] | undefined][] = [
  [404, 'notFound', 'gone'],
  [403, 'userRateLimitExceeded', 'slow-down'],
  [403, 'rateLimitExceeded', 'slow-down'],
  [429, 'rateLimitExceeded', 'slow-down'],
  [429, 'neverHeardOf', 'slow-down'],
  [403, 'dailyLimitExceeded', 'daily'],
  [403, 'downloadQuotaExceeded', 'daily'],
  [429, 'downloadQuotaExceeded', 'daily'],
  [403, 'sharingRateLimitExceeded', 'daily'],
  [403, 'insufficientFilePermissions', 'final'],
  [403, 'cannotDownloadAbusiveFile', 'final'],
  [403, 'exportSizeLimitExceeded', 'final'],
  [403, 'fileNotDownloadable', 'final'],
  [403, 'domainPolicy', 'final'],
  [400, 'badRequest', 'final'],
  [403, 'neverHeardOf', undefined],
  [401, 'authError', undefined],
  [503, 'rateLimitExceeded', undefined],
];
test.each(kinds)('%i %s is %s', async (status, reason, kind) => {
  expect(refusalOf(await refused(status, reason))).toEqual(kind && { kind, reason });
});

test('what is no answer of Drive is no refusal', () => {
  for (const error of [undefined, null, 'text', new Error('{"error":'), { status: 403, message: '<html>' }])
    expect(refusalOf(error)).toBeUndefined();
});

const fault = (reason: string) => setFaults(cloud, { service: 'drive', kind: 'status', status: 403, reason });

test('a download that can never work is unprocessable, with its reason', async () => {
  await fault('cannotDownloadAbusiveFile');
  const stream = download(drive, 'x');
  await expect(stream).rejects.toThrow(Unprocessable);
  await expect(stream).rejects.toThrow('cannotDownloadAbusiveFile');
});

test('a download over a daily limit waits for tomorrow, with its reason, and so does an export', async () => {
  await fault('downloadQuotaExceeded');
  for (const exportTo of [undefined, 'text/plain']) {
    const stream = download(drive, 'x', exportTo);
    await expect(stream).rejects.toThrow(WaitForTomorrow);
    await expect(stream).rejects.toThrow('downloadQuotaExceeded');
  }
});

test('a download that is too fast is neither', async () => {
  await fault('userRateLimitExceeded');
  await expect(download(drive, 'x')).rejects.toMatchObject({ status: 403 });
});
