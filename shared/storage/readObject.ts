import type { File } from '@google-cloud/storage';
import type { GoogleAuth } from 'google-auth-library';
import { codeOf } from './codeOf.ts';

export type Content = { bytes: Buffer; generation: string };

/**
 * The bytes of a small object with the generation they belong to, in one request; undefined if there is none.
 * `end` is inclusive; a range beyond the end of the object gives what there is.
 *
 * Not by `file.createReadStream`: when a 503 makes that try again, it pipes into a stream that it has destroyed, throws
 * where nobody can catch it, and the read never ends (storage 8.4.0 with teeny-request 11).
 */
export async function readObject(
  file: File,
  range: { start?: number; end?: number } = {},
): Promise<Content | undefined> {
  const { bucket, generation, name, storage } = file;
  const object = `${encodeURIComponent(bucket.name)}/o/${encodeURIComponent(name)}`;
  const isRange = range.start !== undefined || range.end !== undefined;
  try {
    const { data, headers } = await (storage.authClient as object as GoogleAuth).request<ArrayBuffer>({
      url: `${storage.apiEndpoint}/storage/v1/b/${object}`,
      params: { alt: 'media', ...(generation === undefined ? {} : { generation }) },
      headers: isRange ? { range: `bytes=${range.start ?? 0}-${range.end ?? ''}` } : {},
      responseType: 'arraybuffer',
      retryConfig: { retry: 5, noResponseRetries: 5 },
    });
    const read = headers.get('x-goog-generation');
    if (!read) throw new Error(`gs://${bucket.name}/${name} came without its generation`);
    return { bytes: Buffer.from(data), generation: read };
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    // A range of an empty object cannot be satisfied; the object is there all the same.
    if (codeOf(error) === 416) return readObject(file);
    throw error;
  }
}
