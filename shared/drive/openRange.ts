import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { asked, WrongBytes } from './content.ts';
import type { DriveFile } from './driveFile.ts';
import { openPassage, type Passage } from './passage.ts';

/**
 * Asks for the bytes from `start` up to, and without, `end`, which then come when they are sent on.
 * @throws WrongBytes if the answer is not of these bytes
 */
export async function openRange(
  drive: drive_v3.Drive,
  file: DriveFile,
  start: number,
  end: number,
): Promise<Passage> {
  const passage = openPassage(end - start);
  try {
    const { status, headers } = await asked(() =>
      drive.files.get(
        { fileId: file.id, alt: 'media', supportsAllDrives: true },
        {
          responseType: 'stream',
          headers: { range: `bytes=${start}-${end - 1}` },
          fetchImplementation: passage.ask,
        },
      ),
    );
    const range = new Headers(headers as object as Record<string, string>).get('content-range');
    // https://github.com/googleapis/google-api-nodejs-client/issues/1850: ranges are not always kept to.
    if (status !== 206 || range !== `bytes ${start}-${end - 1}/${file.size}`)
      throw new WrongBytes(`bytes ${start}-${end - 1} of ${file.id} were answered by ${status} ${range}`);
    return passage;
  } catch (error) {
    passage.close();
    throw error;
  }
}
