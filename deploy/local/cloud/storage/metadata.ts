import { z } from 'zod';
import { GoogleError } from '../googleError.ts';

/** Sent back in a header of a download, so that no control character may be in it. */
const header = z
  .string()
  .max(8192)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');
const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const storageClasses = [
  'STANDARD',
  'NEARLINE',
  'COLDLINE',
  'ARCHIVE',
  'REGIONAL',
  'MULTI_REGIONAL',
  'DURABLE_REDUCED_AVAILABILITY',
] as const;
export const StorageClass = z.string().toUpperCase().pipe(z.enum(storageClasses));

/** What a client may set on an object; null removes it. Other fields of the resource are ignored, as at Google. */
const Change = z.object({
  cacheControl: header.nullish(),
  contentDisposition: header.nullish(),
  contentEncoding: header.nullish(),
  contentLanguage: header.nullish(),
  contentType: header.nullish(),
  customTime: z.iso.datetime({ offset: true }).nullish(),
  metadata: z.record(z.string(), scalar.nullable()).nullish(),
  storageClass: StorageClass.nullish(),
  temporaryHold: z.boolean().nullish(),
  eventBasedHold: z.boolean().nullish(),
});

export type ObjectMetadata = {
  contentType?: string;
  contentEncoding?: string;
  cacheControl?: string;
  contentDisposition?: string;
  contentLanguage?: string;
  customTime?: string;
  storageClass?: string;
  temporaryHold?: boolean;
  eventBasedHold?: boolean;
  metadata?: Record<string, string>;
};

/** What the local cloud does not do, and should not seem to do. */
const missing = ['retention', 'kmsKeyName'];

/**
 * Changes metadata as PATCH does: a given field replaces the old one, null removes it, and custom metadata changes
 * key by key. https://cloud.google.com/storage/docs/json_api/v1/objects/patch
 * @throws 400 for a value of the wrong type, and for more than 8 KiB of custom metadata
 */
export function changeMetadata(before: ObjectMetadata, body: unknown): ObjectMetadata {
  const parsed = Change.safeParse(body);
  if (!parsed.success) throw new GoogleError(400, 'invalid', z.prettifyError(parsed.error));
  const asked = missing.find((field) => (body as Record<string, unknown>)[field]);
  if (asked) throw new GoogleError(501, 'notImplemented', `The local cloud does not support ${asked}.`);

  const { metadata, ...fields } = parsed.data;
  const custom = metadata === null ? {} : merge(before.metadata ?? {}, metadata ?? {});
  const bytes = Object.entries(custom)
    .flat()
    .reduce((sum, one) => sum + Buffer.byteLength(one), 0);
  // https://cloud.google.com/storage/quotas#objects
  if (bytes > 8192) {
    throw new GoogleError(
      400,
      'invalid',
      `The custom metadata has ${bytes} bytes; at most 8192 are allowed.`,
    );
  }
  const { metadata: _, ...old } = before;
  return { ...merge(old, fields), ...(bytes > 0 ? { metadata: custom } : {}) };
}

function merge<T>(
  before: Record<string, T>,
  change: Record<string, T | null | undefined>,
): Record<string, T> {
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, value);
  }
  return Object.fromEntries(merged);
}
