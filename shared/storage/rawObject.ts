import type { Bucket, FileMetadata } from '@google-cloud/storage';
import * as z from 'zod';
import { codeOf } from './codeOf.ts';
import { writeObject } from './writeObject.ts';

/** An object that `file-sync` wrote. */
export const RawObject = z.object({
  name: z.string(),
  generation: z.string(),
  /** Hexadecimal, as Drive writes it. */
  md5: z.string(),
  /** Bytes. */
  size: z.number(),
  contentType: z.string(),
  /** The modification time that it carries. */
  mtime: z.string(),
  /** It is a version that is not live any more; its bytes can still be copied. */
  noncurrent: z.literal(true).optional(),
});
export type RawObject = z.infer<typeof RawObject>;

export type LiveObject = RawObject & { metadata: Record<string, string> };

export type ObjectDescription = {
  name: string;
  contentType: string;
  /** Hexadecimal; the server refuses other bytes. Unknown for exports. */
  md5?: string | undefined;
  /** Custom metadata: where the object comes from. */
  metadata: Record<string, string>;
};

/** What is said about an object, as the API takes it. */
export const resourceOf = ({ contentType, md5, metadata }: Omit<ObjectDescription, 'name'>) => ({
  contentType,
  metadata,
  ...(md5 ? { md5Hash: Buffer.from(md5, 'hex').toString('base64') } : {}),
});

/**
 * Writes an object whose bytes are all at hand; the client tries again by itself.
 * @param replaces the generation that it takes the place of, `'0'` for none
 * @returns undefined if another generation is there, which may be this write's own after its answer was lost
 */
export async function saveObject(
  bucket: Bucket,
  { name, ...description }: ObjectDescription,
  replaces: string,
  bytes: Buffer,
): Promise<RawObject | undefined> {
  try {
    // The server compares MD5 from end to end.
    return rawObject(await writeObject(bucket.file(name), bytes, replaces, resourceOf(description)));
  } catch (error) {
    if (codeOf(error) === 412) return undefined;
    throw error;
  }
}

/**
 * Puts an object, also one that is not live any more, under another name as well, without moving its bytes. A copy,
 * after which the old name is retired, rather than `moveTo`: a copy is known to be notified as a new object.
 * https://cloud.google.com/storage/docs/pubsub-notifications#events
 * @returns undefined if the object is gone, or another generation is in the place that it should go to
 */
export async function copyObject(
  bucket: Bucket,
  from: RawObject,
  { name, contentType, metadata }: ObjectDescription,
  replaces: string,
): Promise<RawObject | undefined> {
  try {
    const [, answer] = await bucket
      .file(from.name, { generation: from.generation })
      .copy(bucket.file(name), { contentType, metadata, preconditionOpts: { ifGenerationMatch: replaces } });
    return rawObject((answer as { resource: FileMetadata }).resource);
  } catch (error) {
    if (codeOf(error) === 412 || codeOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Changes what is said about an object and not the object: nothing is notified as arrived.
 * @returns undefined if the object is not what it was
 */
export async function describeObject(
  bucket: Bucket,
  { name, generation }: RawObject,
  { contentType, metadata }: ObjectDescription,
): Promise<RawObject | undefined> {
  try {
    const [written] = await bucket
      .file(name)
      .setMetadata({ contentType, metadata }, { ifGenerationMatch: generation });
    return rawObject(written);
  } catch (error) {
    if (codeOf(error) === 412 || codeOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * In a bucket with versions this hides the object and erases nothing. An object that is not what it was stays.
 * @returns false if the bucket forbids it: a hold, or a retention period that is not over
 */
export async function retireObject(bucket: Bucket, { name, generation }: RawObject): Promise<boolean> {
  try {
    await bucket.file(name).delete({ ifGenerationMatch: generation });
    return true;
  } catch (error) {
    if (codeOf(error) === 403) return false;
    if (codeOf(error) !== 404 && codeOf(error) !== 412) throw error;
    return true;
  }
}

/** What is there now under a name; or, with a generation, that one, be it live or not. */
export async function lookAtObject(
  bucket: Bucket,
  name: string,
  generation?: string,
): Promise<LiveObject | undefined> {
  try {
    const file = bucket.file(name, generation === undefined ? {} : { generation });
    const [metadata] = await file.getMetadata();
    return liveObject(metadata);
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}

/** An object as the API lists it. */
export const liveObject = (resource: FileMetadata): LiveObject => ({
  ...rawObject(resource),
  metadata: (resource.metadata ?? {}) as Record<string, string>,
});

/** An object as the API describes it after a write. */
export function rawObject({
  name,
  generation,
  md5Hash,
  size,
  contentType,
  metadata,
}: FileMetadata): RawObject {
  return {
    name: String(name),
    generation: String(generation),
    md5: Buffer.from(md5Hash ?? '', 'base64').toString('hex'),
    size: Number(size),
    contentType: contentType ?? 'application/octet-stream',
    mtime: String(metadata?.mtime ?? ''),
  };
}
