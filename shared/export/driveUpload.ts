import { randomUUID } from 'node:crypto';
import type { GoogleAuth } from 'google-auth-library';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { paced } from '../drive/pacedRequests.ts';
import { refusalOf } from '../drive/refusal.ts';
import { DriveItem, itemFields } from './driveItem.ts';

/*
 * Writing to Drive. The client library sends the bytes of an upload as a stream, which it cannot send again, and knows
 * nothing of resumable uploads (https://github.com/googleapis/google-api-nodejs-client/issues/276).
 * https://developers.google.com/workspace/drive/api/guides/manage-uploads
 */

/** Drive's own advice: more than this is sent in a resumable upload. */
export const mostAtOnce = 5 * 1024 * 1024;

/** What a file is to be. With `update`, the file of this id; else a new one, with the id in `metadata` if there is one. */
export type FileWrite = { update?: string | undefined; metadata: drive_v3.Schema$File; contentType: string };

export type UploadProgress =
  | { state: 'open' /** How many bytes Drive has for sure. */; offset: number }
  | { state: 'done'; item: DriveItem }
  /** The session has ended; the upload must begin anew. */
  | { state: 'gone' };

const origin = 'https://www.googleapis.com/upload/drive/v3/files';
const parameters = { supportsAllDrives: true, fields: itemFields };
const methodOf = ({ update }: FileWrite) => (update === undefined ? 'POST' : 'PATCH');
const urlOf = ({ update }: FileWrite) =>
  update === undefined ? origin : `${origin}/${encodeURIComponent(update)}`;

/** Sends all bytes in one request. */
export async function sendWhole(drive: drive_v3.Drive, write: FileWrite, bytes: Buffer): Promise<DriveItem> {
  const boundary = randomUUID();
  const head = [
    `--${boundary}`,
    'content-type: application/json; charset=utf-8',
    '',
    JSON.stringify(write.metadata),
    `--${boundary}`,
    `content-type: ${write.contentType}`,
    '',
    '',
  ].join('\r\n');
  const { data } = await authOf(drive).request<object>({
    ...paced(drive),
    url: urlOf(write),
    method: methodOf(write),
    params: { uploadType: 'multipart', ...parameters },
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    data: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  });
  return DriveItem.parse(data);
}

/** Begins an upload. @returns its address */
export async function openUpload(drive: drive_v3.Drive, write: FileWrite, size: number): Promise<string> {
  const { headers } = await authOf(drive).request({
    ...paced(drive),
    url: urlOf(write),
    method: methodOf(write),
    params: { uploadType: 'resumable', ...parameters },
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-upload-content-type': write.contentType,
      'x-upload-content-length': String(size),
    },
    data: JSON.stringify(write.metadata),
  });
  const session = headers.get('location');
  if (!session) throw new Error('Drive did not say where the bytes go');
  return session;
}

/** Sends what begins at `offset`. Only the last part may be other than a multiple of 256 KiB. */
export function sendPart(
  drive: drive_v3.Drive,
  session: string,
  bytes: Buffer,
  { offset, size }: { offset: number; size: number },
): Promise<UploadProgress> {
  const { retryConfig, ...rest } = paced(drive);
  return put(drive, session, {
    ...rest,
    headers: { 'content-range': `bytes ${offset}-${offset + bytes.length - 1}/${size}` },
    data: bytes,
    retryConfig: {
      ...retryConfig,
      // After a failure of another kind, what has arrived must be asked for first.
      shouldRetry: (error: Parameters<NonNullable<NonNullable<typeof retryConfig>['shouldRetry']>>[0]) =>
        refusalOf(error)?.kind === 'slow-down' && (retryConfig?.shouldRetry?.(error) ?? false),
    },
  });
}

/** Where the upload stands. */
export const uploadProgress = (
  drive: drive_v3.Drive,
  session: string,
  size: number,
): Promise<UploadProgress> =>
  put(drive, session, { ...paced(drive), headers: { 'content-range': `bytes */${size}` } });

/** Nothing of it stays. */
export async function cancelUpload(drive: drive_v3.Drive, session: string): Promise<void> {
  // It would end by itself in a week, so no answer is good enough.
  await authOf(drive)
    .request({ url: session, method: 'DELETE', validateStatus: () => true, retry: false })
    .catch(() => {});
}

const authOf = ({ context }: drive_v3.Drive) => context._options.auth as object as GoogleAuth;

async function put(drive: drive_v3.Drive, url: string, options: object): Promise<UploadProgress> {
  const { status, data, headers } = await authOf(drive).request<object>({
    ...options,
    url,
    method: 'PUT',
    validateStatus: (code) => code < 300 || [308, 404, 410].includes(code),
  });
  if (status === 404 || status === 410) return { state: 'gone' };
  if (status !== 308) return { state: 'done', item: DriveItem.parse(data) };
  const [, last] = /-(\d+)$/.exec(headers.get('range') ?? '') ?? [];
  return { state: 'open', offset: last === undefined ? 0 : Number(last) + 1 };
}
