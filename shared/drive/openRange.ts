import type { Readable } from 'node:stream';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { asked, WrongBytes } from './content.ts';
import type { DriveFile } from './driveFile.ts';

/** Bytes on their way from Drive: they come as they are taken, and only once. */
export type OpenRange = { chunks: AsyncIterable<Buffer>; cancel(): void };

/** How often the rest of a range is asked for when a connection broke, or ended early. */
const mostBreaks = 3;

/**
 * Asks for the bytes from `start` up to, and without, `end`. What a broken connection did not bring is asked for again.
 * @throws WrongBytes, also while they are taken, if an answer is not of these bytes
 */
export async function openRange(
  drive: drive_v3.Drive,
  file: DriveFile,
  start: number,
  end: number,
): Promise<OpenRange> {
  let stream = await request(drive, file, start, end);
  async function* read() {
    let place = start;
    for (let breaks = 0; place < end; breaks++) {
      if (breaks > 0) stream = await request(drive, file, place, end);
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          place += chunk.length;
          if (place > end) throw new WrongBytes(`more bytes of ${file.id} came than those before ${end}`);
          yield chunk;
        }
      } catch (error) {
        if (error instanceof WrongBytes || breaks === mostBreaks) throw error;
      }
      if (place < end && breaks === mostBreaks)
        throw new WrongBytes(`the bytes of ${file.id} end at ${place}, and not at ${end}`);
    }
  }
  return { chunks: read(), cancel: () => stream.destroy() };
}

async function request(
  drive: drive_v3.Drive,
  { id, size }: DriveFile,
  start: number,
  end: number,
): Promise<Readable> {
  const { data, status, headers } = await asked(() =>
    drive.files.get(
      { fileId: id, alt: 'media', supportsAllDrives: true },
      { responseType: 'stream', headers: { range: `bytes=${start}-${end - 1}` } },
    ),
  );
  const range = (headers as object as Headers).get('content-range');
  // https://github.com/googleapis/google-api-nodejs-client/issues/1850: ranges are not always kept to.
  if (status !== 206 || range !== `bytes ${start}-${end - 1}/${size}`) {
    data.destroy();
    throw new WrongBytes(`bytes ${start}-${end - 1} of ${id} were answered by ${status} ${range}`);
  }
  return data;
}
