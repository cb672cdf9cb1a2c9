import type { Readable } from 'node:stream';
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
    const reason = reasonOf(error);
    if ((status === 403 || status === 400) && reason && finalReasons.has(reason)) {
      throw new Unprocessable(`Drive does not give the content: ${reason}`, { cause: error });
    }
    throw error;
  }
}

/** Of an answer that was to be streamed, the library keeps what it says only as the message of the error. */
function reasonOf(error: unknown): string | undefined {
  const { message, response } = error as { message?: string; response?: { data?: unknown } };
  try {
    const data = response?.data ?? message;
    const body: unknown = typeof data === 'string' ? JSON.parse(data) : data;
    return (body as { error?: { errors?: { reason?: string }[] } })?.error?.errors?.[0]?.reason;
  } catch {
    return undefined;
  }
}
