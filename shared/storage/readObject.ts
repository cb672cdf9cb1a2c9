import type { File } from '@google-cloud/storage';
import { codeOf } from './codeOf.ts';

export type Content = { bytes: Buffer; generation: string };

/**
 * The bytes of a small object with the generation they belong to, in one request; undefined if there is none.
 * `end` is inclusive; a range beyond the end of the object gives what there is.
 */
export async function readObject(
  file: File,
  range: { start?: number; end?: number } = {},
): Promise<Content | undefined> {
  let generation: string | undefined;
  const stream = file.createReadStream(range).on('response', ({ headers }) => {
    generation = headers['x-goog-generation'];
  });
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    // A range of an empty object cannot be satisfied; the object is there all the same.
    if (codeOf(error) === 416 && generation) return { bytes: Buffer.alloc(0), generation };
    throw error;
  }
  if (!generation) throw new Error(`gs://${file.bucket.name}/${file.name} came without its generation`);
  return { bytes: Buffer.concat(chunks), generation };
}
