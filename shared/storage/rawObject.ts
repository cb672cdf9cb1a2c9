import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Bucket, FileMetadata } from '@google-cloud/storage';
import * as z from 'zod';
import { codeOf } from './codeOf.ts';

/** An object that `file-sync` wrote. */
export const RawObject = z.object({
  name: z.string(),
  generation: z.string(),
  /** Hexadecimal, as Drive writes it. */
  md5: z.string(),
  /** Bytes. */
  size: z.number(),
});
export type RawObject = z.infer<typeof RawObject>;

export type ObjectDescription = {
  name: string;
  contentType: string;
  /** Hexadecimal; the server refuses other bytes. Unknown for exports. */
  md5?: string | undefined;
  /** Custom metadata: where the object comes from. */
  metadata: Record<string, string>;
};

// Below this the start of a session costs more than it saves; it is also the library's own advice.
const resumableFrom = 8 * 1024 * 1024;
const chunkSize = 8 * 1024 * 1024;

/**
 * Streams one object into the bucket, in bounded memory.
 * @param replaces the generation that it takes the place of, `'0'` for none
 * @returns undefined if another generation is there
 */
export async function uploadObject(
  bucket: Bucket,
  { name, contentType, md5, metadata }: ObjectDescription,
  replaces: string,
  { stream, size }: { stream: Readable; size?: number | undefined },
): Promise<RawObject | undefined> {
  const file = bucket.file(name);
  const resumable = size !== undefined && size >= resumableFrom;
  const writable = file.createWriteStream({
    resumable,
    ...(resumable ? { chunkSize } : {}),
    // The server compares MD5 from end to end; the client's own CRC32C would only cost time.
    validation: false,
    preconditionOpts: { ifGenerationMatch: replaces },
    metadata: {
      contentType,
      metadata,
      ...(md5 ? { md5Hash: Buffer.from(md5, 'hex').toString('base64') } : {}),
    },
  });
  try {
    await pipeline(stream, writable);
  } catch (error) {
    if (codeOf(error) === 412) return undefined;
    throw error;
  }
  return rawObject(file.metadata);
}

/**
 * Puts an object under another name as well, without moving its bytes. A copy, after which the old name is retired,
 * rather than `moveTo`: a copy is known to be notified as a new object.
 * https://cloud.google.com/storage/docs/pubsub-notifications#events
 * @returns undefined if the object is not what it was, or another is in the place that it should go to
 */
export async function copyObject(
  bucket: Bucket,
  from: RawObject,
  { name, contentType, metadata }: ObjectDescription,
): Promise<RawObject | undefined> {
  try {
    const [copy] = await bucket
      .file(from.name, { generation: from.generation })
      .copy(bucket.file(name), { contentType, metadata, preconditionOpts: { ifGenerationMatch: '0' } });
    return rawObject((await copy.getMetadata())[0]);
  } catch (error) {
    if (codeOf(error) === 412 || codeOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Changes what is said about an object and not the object: nothing is notified as arrived.
 * @returns false if the object is not what it was
 */
export async function describeObject(
  bucket: Bucket,
  { name, generation }: RawObject,
  { contentType, metadata }: ObjectDescription,
): Promise<boolean> {
  try {
    await bucket.file(name).setMetadata({ contentType, metadata }, { ifGenerationMatch: generation });
    return true;
  } catch (error) {
    if (codeOf(error) === 412 || codeOf(error) === 404) return false;
    throw error;
  }
}

/** In a bucket with versions this hides the object and erases nothing. An object that is not what it was stays. */
export async function retireObject(bucket: Bucket, { name, generation }: RawObject): Promise<void> {
  try {
    await bucket.file(name).delete({ ifGenerationMatch: generation });
  } catch (error) {
    if (codeOf(error) !== 404 && codeOf(error) !== 412) throw error;
  }
}

/** What is there now under a name. */
export async function liveObject(bucket: Bucket, name: string) {
  try {
    const [metadata] = await bucket.file(name).getMetadata();
    return {
      ...rawObject(metadata),
      contentType: metadata.contentType ?? 'application/octet-stream',
      metadata: (metadata.metadata ?? {}) as Record<string, string>,
    };
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}

const rawObject = ({ name, generation, md5Hash, size }: FileMetadata): RawObject => ({
  name: String(name),
  generation: String(generation),
  md5: Buffer.from(md5Hash ?? '', 'base64').toString('hex'),
  size: Number(size),
});
