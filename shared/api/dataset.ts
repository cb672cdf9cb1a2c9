import type { Bucket, FileMetadata } from '@google-cloud/storage';
import * as z from 'zod';
import type { Tools } from './tools.ts';

export const bucketKinds = ['raw', 'derived'] as const;
export const BucketKind = z
  .enum(bucketKinds)
  .describe('raw: what lies in the study folder. derived: what was computed.');
export type BucketKind = z.infer<typeof BucketKind>;

export const bucketOf = (kind: BucketKind, { raw, derived }: Tools): Bucket =>
  kind === 'raw' ? raw : derived;

/** What a lone half of a surrogate pair would become is no name of anybody's. */
export const isWellFormed = (text: string) => text.isWellFormed();

export const Prefix = z
  .string()
  .max(1024)
  .refine(isWellFormed, 'expected well-formed text')
  .describe('The beginning of the names: recordings/');

/** https://cloud.google.com/storage/docs/objects#naming */
export const ObjectName = z
  .string()
  .min(1)
  .max(1024)
  .refine((name) => isWellFormed(name) && Buffer.byteLength(name) <= 1024, 'expected at most 1024 bytes')
  .refine((name) => !/[\r\n]/.test(name) && name !== '.' && name !== '..', 'expected the name of an object');

export const Generation = z.string().regex(/^\d{1,19}$/, 'expected a generation, in digits');

/** An object as it was listed. */
export const DatasetObject = z.object({
  name: z.string(),
  generation: z.string(),
  size: z.number().describe('Bytes.'),
  md5: z.string().optional().describe('base64; missing for an object that was composed of others.'),
  crc32c: z.string().describe('base64'),
  contentType: z.string().optional(),
  updated: z.string(),
});
export type DatasetObject = z.infer<typeof DatasetObject>;

/** The fields of Google's that it is made of. */
export const objectFields =
  'items(name,generation,size,md5Hash,crc32c,contentType,updated),prefixes,nextPageToken';

export function datasetObject(resource: FileMetadata): DatasetObject {
  const { name = '', generation, size, md5Hash, crc32c = '', contentType, updated = '' } = resource;
  return {
    name,
    generation: String(generation),
    size: Number(size),
    ...(md5Hash ? { md5: md5Hash } : {}),
    crc32c,
    ...(contentType ? { contentType } : {}),
    updated,
  };
}
