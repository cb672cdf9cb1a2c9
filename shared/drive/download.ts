import type { Readable } from 'node:stream';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { Unprocessable } from '../unprocessable.ts';
import { refusalOf, WaitForTomorrow } from './refusal.ts';

/** The bytes of a file, or, with `exportTo`, of a Google-native file in that format. */
export async function download(drive: drive_v3.Drive, fileId: string, exportTo?: string): Promise<Readable> {
  try {
    const { data } = exportTo
      ? await drive.files.export({ fileId, mimeType: exportTo }, { responseType: 'stream' })
      : await drive.files.get({ fileId, alt: 'media', supportsAllDrives: true }, { responseType: 'stream' });
    return data;
  } catch (error) {
    const refusal = refusalOf(error);
    const message = `Drive does not give the content: ${refusal?.reason}`;
    if (refusal?.kind === 'final') throw new Unprocessable(message, { cause: error });
    if (refusal?.kind === 'daily') throw new WaitForTomorrow(message, { cause: error });
    throw error;
  }
}
