import type { Bucket, FileMetadata } from '@google-cloud/storage';
import { readObject } from '../storage/readObject.ts';

export type LogPart = {
  text: string;
  offset: number;
  /** Where to go on. */
  nextOffset: number;
};

type Piece = { name: string; size: number };

/**
 * Reads on in the log of an attempt, from a byte on: the log is what all of its pieces have, one after the other, and
 * nothing of it changes any more. A character is never cut, unless it is longer than what is read.
 * @param isEnded nothing comes any more, so that half a character at the end stays one
 */
export async function readLog(
  derived: Bucket,
  { id, attempt }: { id: string; attempt: number },
  { offset, most, isEnded }: { offset: number; most: number; isEnded: boolean },
): Promise<LogPart & { isAll: boolean }> {
  const pieces = await piecesOf(derived, `jobs/${id}/attempts/${attempt}/log/`);
  const total = pieces.reduce((sum, { size }) => sum + size, 0);
  const chunks: Buffer[] = [];
  let [begin, left] = [0, most];
  for (const { name, size } of pieces) {
    const start = Math.max(0, offset - begin);
    begin += size;
    if (start >= size || left === 0) continue;
    const piece = await readObject(derived.file(name), { start, end: Math.min(size, start + left) - 1 });
    if (!piece) break;
    chunks.push(piece.bytes);
    left -= piece.bytes.length;
  }
  const bytes = Buffer.concat(chunks);
  const isLast = offset + bytes.length >= total;
  const end = isLast && isEnded ? bytes.length : wholeCharacters(bytes);
  const nextOffset = offset + end;
  return {
    text: bytes.subarray(0, end).toString(),
    offset,
    nextOffset,
    isAll: nextOffset >= total,
  };
}

async function piecesOf(derived: Bucket, prefix: string): Promise<Piece[]> {
  const pieces: Piece[] = [];
  let pageToken: string | undefined;
  do {
    const [, next, response] = await derived.getFiles({
      prefix,
      autoPaginate: false,
      fields: 'items(name,size),nextPageToken',
      ...(pageToken ? { pageToken } : {}),
    });
    for (const { name = '', size } of (response as { items?: FileMetadata[] }).items ?? [])
      if (/\/\d{6}\.txt$/.test(name)) pieces.push({ name, size: Number(size) });
    pageToken = (next as { pageToken?: string } | null)?.pageToken;
  } while (pageToken);
  return pieces;
}

/** How many of the bytes are whole characters of UTF-8; what is none is not waited for. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length - 1); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
