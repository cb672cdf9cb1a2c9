import { open, unlink } from 'node:fs/promises';
import { type Content, createHasher } from './hashes.ts';

/**
 * Writes a whole body into a new file, hashing it on the way. The file can never be changed again: a person finds it
 * hard-linked below `buckets/`.
 */
export async function receive(body: AsyncIterable<Buffer>, path: string): Promise<Content> {
  const hasher = createHasher();
  const file = await open(path, 'wx', 0o444);
  try {
    for await (const chunk of body) {
      hasher.update(chunk);
      for (let written = 0; written < chunk.length; ) {
        written += (await file.write(chunk, written)).bytesWritten;
      }
    }
  } finally {
    await file.close();
  }
  return hasher.content();
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
