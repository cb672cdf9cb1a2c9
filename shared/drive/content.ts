import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { GoogleAuth } from 'google-auth-library';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type { DriveFile } from './driveFile.ts';
import { refusalOf, WaitForTomorrow } from './refusal.ts';

/** Drive says that it will not give this content, whenever it is asked. */
export class NotGiven extends Error {
  override name = 'NotGiven';
}

/** What came is not what Drive said would come: fewer bytes, other ones, another range. It may be otherwise next time. */
export class WrongBytes extends Error {
  override name = 'WrongBytes';
}

/**
 * All bytes of a file, compared with its MD5.
 * @throws WrongBytes if they are others: the file was changed meanwhile, or something on the way broke them
 */
export async function readWhole(
  drive: drive_v3.Drive,
  { id, size, md5Checksum }: DriveFile,
): Promise<Buffer> {
  // No range: Drive refuses every range of an empty file.
  const { data } = await asked(() =>
    drive.files.get({ fileId: id, alt: 'media', supportsAllDrives: true }, { responseType: 'arraybuffer' }),
  );
  const bytes = Buffer.from(data as object as ArrayBuffer);
  if (bytes.length !== Number(size ?? 0))
    throw new WrongBytes(`${bytes.length} bytes came of ${id}, not ${size}`);
  const md5 = createHash('md5').update(bytes).digest('hex');
  if (md5 !== md5Checksum) throw new WrongBytes(`the bytes of ${id} have the MD5 ${md5}, not ${md5Checksum}`);
  return bytes;
}

/**
 * A Google-native file in another format, in slices of `sliceSize` bytes. What is too large for `files.export` (10 MB) is
 * taken from its export link, which has no such limit.
 */
export async function readExport(
  drive: drive_v3.Drive,
  { id, exportLinks }: DriveFile,
  mimeType: string,
  sliceSize: number,
): Promise<AsyncIterable<Buffer>> {
  try {
    const { data } = await asked(() =>
      drive.files.export({ fileId: id, mimeType }, { responseType: 'stream' }),
    );
    return slicesOf(data as Readable, sliceSize);
  } catch (error) {
    const url = exportLinks?.[mimeType];
    const isTooLarge = error instanceof NotGiven && error.message === 'exportSizeLimitExceeded';
    if (!isTooLarge || !url) throw error;
    // With the client's own credentials and pace.
    const { auth, adapter, retryConfig } = drive.context._options;
    const paced = { adapter, retryConfig } as object;
    const { data } = await asked(() =>
      (auth as object as GoogleAuth).request<Readable>({ ...paced, url, responseType: 'stream' }),
    );
    return slicesOf(data, sliceSize);
  }
}

async function* slicesOf(stream: Readable, sliceSize: number): AsyncIterable<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    size += chunk.length;
    while (size >= sliceSize) {
      const bytes = Buffer.concat(waiting);
      yield bytes.subarray(0, sliceSize);
      waiting = [bytes.subarray(sliceSize)];
      size -= sliceSize;
    }
  }
  if (size > 0) yield Buffer.concat(waiting);
}

/** @throws NotGiven or WaitForTomorrow if that is what Drive says */
export async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.kind === 'final') throw new NotGiven(refusal.reason, { cause: error });
    if (refusal?.kind === 'daily') throw new WaitForTomorrow(refusal.reason, { cause: error });
    throw error;
  }
}
