import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { Unprocessable } from '../unprocessable.ts';
import { statusOf } from './driveFile.ts';

/** Reasons with which Drive says that trying again cannot help. */
const finalReasons = new Set([
  'cannotDownloadAbusiveFile',
  'cannotDownloadFile',
  'exportSizeLimitExceeded',
  'fileNotDownloadable',
  'fileNotExportable',
  'badRequest',
]);

/** The bytes of a file, or, with `exportTo`, of a Google-native file in that format. */
export async function download(drive: drive_v3.Drive, fileId: string, exportTo?: string): Promise<Readable> {
  try {
    const { data } = exportTo
      ? await drive.files.export({ fileId, mimeType: exportTo }, { responseType: 'stream' })
      : await drive.files.get({ fileId, alt: 'media', supportsAllDrives: true }, { responseType: 'stream' });
    return data;
  } catch (error) {
    const status = statusOf(error);
    const reason = await reasonOf(error);
    if ((status === 403 || status === 400) && reason && finalReasons.has(reason)) {
      throw new Unprocessable(`Drive does not give the content: ${reason}`, { cause: error });
    }
    throw error;
  }
}

/** The error of a streamed answer is a stream as well. */
async function reasonOf(error: unknown): Promise<string | undefined> {
  const { response } = error as { response?: { data?: unknown } };
  try {
    const { data } = response ?? {};
    const isStream = data && typeof data === 'object' && Symbol.asyncIterator in data;
    const body = isStream ? JSON.parse(await text(data as Readable)) : data;
    return (body as { error?: { errors?: { reason?: string }[] } })?.error?.errors?.[0]?.reason;
  } catch {
    return undefined;
  }
}
