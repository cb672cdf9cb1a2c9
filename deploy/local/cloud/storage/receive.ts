import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { Followers } from './followers.ts';
import { type Content, type Hashing, hashHere } from './hashes.ts';

/** Bytes are written this many at a time. What is smaller altogether is hashed here, without a thread. */
export const batch = 1024 * 1024;

/**
 * Writes a whole body into a new file, hashing it meanwhile. The file can never be changed again: a person finds it
 * hard-linked below `buckets/`.
 */
export async function receive(
  body: AsyncIterable<Buffer>,
  path: string,
  followers: Followers,
): Promise<Content> {
  let hashing: Hashing | undefined;
  const file = await open(path, 'wx', 0o444);
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  const flush = async (hashing: Hashing) => {
    await hashing.take(waiting, writeAll(file, waiting, hashing.size));
    waiting = [];
    waitingBytes = 0;
  };
  try {
    for await (const chunk of body) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes < batch) continue;
      hashing ??= followers.follow(path);
      await flush(hashing);
    }
    hashing ??= hashHere();
    if (waitingBytes > 0) await flush(hashing);
  } finally {
    await file.close();
  }
  return hashing.content();
}

/** Writes all of it: one call may write less than it was given. */
export async function writeAll(file: FileHandle, buffers: Buffer[], position: number): Promise<void> {
  let { bytesWritten } = await file.writev(buffers, position);
  const size = buffers.reduce((sum, { length }) => sum + length, 0);
  while (bytesWritten < size) {
    const rest = Buffer.concat(buffers).subarray(bytesWritten);
    bytesWritten += (await file.write(rest, 0, rest.length, position + bytesWritten)).bytesWritten;
  }
}

/** Runs `work` on a new blob, and removes it again if the work fails. */
export async function withBlob<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  try {
    return await work(path);
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  }
}
