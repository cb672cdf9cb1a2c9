import { pipeline, type Readable, Transform } from 'node:stream';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { asked, WrongBytes } from './content.ts';
import type { DriveFile } from './driveFile.ts';

/**
 * Asks for the bytes from `start` up to, and without, `end`, which then come as they are taken. Streams, and no async
 * iterators: within the framework a promise for each chunk takes more of the processor than the bytes.
 * @throws WrongBytes if the answer is not of these bytes. The stream fails with it if there are more, and with another
 * error if the connection breaks or ends early: then the rest may be asked for
 */
export async function openRange(
  drive: drive_v3.Drive,
  file: DriveFile,
  start: number,
  end: number,
): Promise<Readable> {
  const source = await request(drive, file, start, end);
  let place = start;
  const exact = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      place += chunk.length;
      if (place <= end) done(null, chunk);
      else done(new WrongBytes(`more bytes of ${file.id} came than those before ${end}`));
    },
    flush(done) {
      done(place === end ? null : new Error(`the bytes of ${file.id} end at ${place}, and not at ${end}`));
    },
  });
  // Whoever reads it hears of an error.
  return pipeline(source, exact, () => {});
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
