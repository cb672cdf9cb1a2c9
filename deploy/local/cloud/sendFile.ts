import type { FileHandle } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import type { Response } from 'express';

const longest = 1 << 20;

/**
 * Sends bytes of a file and ends the answer. Two buffers take turns, one being read into while the other is sent: were
 * each a new one, as a stream's are, a quarter of a big download would be spent collecting garbage.
 *
 * @throws if the client goes away, or the file has become shorter
 */
export async function sendFile(
  file: FileHandle,
  { first, last }: { first: number; last: number },
  response: Response,
): Promise<void> {
  const size = Math.min(longest, last - first + 1);
  const turns = [0, 1].map(() => ({ buffer: Buffer.allocUnsafeSlow(size), sent: Promise.resolve() }));
  const gone = finished(response);
  gone.catch(() => {});
  for (let at = first, next = 0; at <= last; next++) {
    const turn = turns[next % 2] as (typeof turns)[number];
    await Promise.race([turn.sent, gone]);
    const { bytesRead } = await file.read(turn.buffer, 0, Math.min(size, last + 1 - at), at);
    if (bytesRead === 0) throw new Error('The file has become shorter');
    if (response.destroyed) break;
    turn.sent = new Promise((resolve) => {
      response.write(turn.buffer.subarray(0, bytesRead), () => resolve());
    });
    at += bytesRead;
  }
  response.end();
  await gone;
}
