import type { Bucket, FileMetadata } from '@google-cloud/storage';
import * as z from 'zod';
import { codeOf } from '../storage/codeOf.ts';

/** An object as it is now. */
export type Source = {
  bucket: string;
  name: string;
  generation: string;
  /** Bytes. */
  size: number;
  /** Hexadecimal; empty for an object that was composed of others. https://cloud.google.com/storage/docs/composite-objects */
  md5: string;
  contentType: string;
  /** When its content was last changed, as whoever wrote it says, or when it came. */
  modifiedTime: string;
};

/** @returns undefined if it is not there any more */
export async function sourceOf(bucket: Bucket, name: string): Promise<Source | undefined> {
  try {
    const [metadata] = await bucket.file(name).getMetadata();
    return {
      bucket: bucket.name,
      name,
      generation: String(metadata.generation),
      size: Number(metadata.size),
      md5: Buffer.from(metadata.md5Hash ?? '', 'base64').toString('hex'),
      contentType: typeOf(metadata.contentType),
      modifiedTime: modifiedTimeOf(metadata),
    };
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}

/** Whoever writes an object may call it what they like. Of Google's own types, Drive would make a document. */
function typeOf(contentType: string | undefined): string {
  const isUsable = /^[\w.+-]{1,80}\/[\w.+-]{1,80}$/.test(contentType ?? '');
  return contentType && isUsable && !contentType.startsWith('application/vnd.google-apps')
    ? contentType
    : 'application/octet-stream';
}

const Time = z.iso.datetime({ offset: true });

/** As `file-sync`, rclone and gcloud leave it on an object. */
function modifiedTimeOf({ metadata, timeCreated, updated }: FileMetadata): string {
  const { mtime, 'goog-reserved-file-mtime': seconds } = (metadata ?? {}) as Record<string, string>;
  const times = [
    mtime,
    /^\d{1,11}$/.test(seconds ?? '') ? new Date(Number(seconds) * 1000).toISOString() : undefined,
    timeCreated,
    updated,
  ];
  const time = times.find((one) => Time.safeParse(one).success && !Number.isNaN(Date.parse(one ?? '')));
  return new Date(time ?? 0).toISOString();
}
