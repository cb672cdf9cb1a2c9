import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { openDrive } from '../../../shared/clients.ts';
import { NotGiven, readExport, readWhole } from '../../../shared/drive/content.ts';
import { DriveFile } from '../../../shared/drive/driveFile.ts';
import { openRange } from '../../../shared/drive/openRange.ts';
import { type Refusal, refusalOf, WaitForTomorrow } from '../../../shared/drive/refusal.ts';
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

const time = '2026-11-23T10:00:00Z';
const file = DriveFile.parse({
  ...{ id: 'x', name: 'x', mimeType: 'text/plain', version: '1', createdTime: time, modifiedTime: time },
  ...{ size: '10', md5Checksum: 'd41d8cd98f00b204e9800998ecf8427e' },
});
/** Bodies that were to be bytes, and one that was to be a stream. */
const downloads: [string, () => Promise<unknown>][] = [
  ['a download', () => readWhole(drive, file)],
  ['a range', () => openRange(drive, file, 0, 10)],
  ['an export', () => readExport(drive, file, 'text/plain', 100)],
];

test.each(downloads)('%s that can never work is not given, with its reason', async (_what, read) => {
  await fault('cannotDownloadAbusiveFile');
  const error = await read().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NotGiven);
  expect(error).toMatchObject({ message: 'cannotDownloadAbusiveFile' });
});

test.each(downloads)('%s over a daily limit waits for tomorrow, with its reason', async (_what, read) => {
  await fault('downloadQuotaExceeded');
  const error = await read().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WaitForTomorrow);
  expect(error).toMatchObject({ message: 'downloadQuotaExceeded' });
});

test.each(downloads)('%s that is too fast is neither', async (_what, read) => {
  await fault('userRateLimitExceeded');
  await expect(read()).rejects.toMatchObject({ status: 403 });
});
