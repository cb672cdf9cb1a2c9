import type { Content } from './hashes.ts';
import type { ObjectMetadata } from './metadata.ts';

/** One generation of an object. Times are milliseconds since 1970. */
export type Generation = Content & {
  bucket: string;
  name: string;
  generation: number;
  metageneration: number;
  state: 'live' | 'noncurrent' | 'softDeleted';
  /** The name of the file with its bytes. */
  blob: string;
  metadata: ObjectMetadata;
  /** Of how many parts it was composed. */
  components: number | null;
  created: number;
  updated: number;
  /** When it became noncurrent. */
  deleted: number | null;
  softDeleted: number | null;
  /** When a soft-deleted one goes for good. */
  hardDelete: number | null;
};

const time = (ms: number) => new Date(ms).toISOString();

/** https://cloud.google.com/storage/docs/json_api/v1/objects#resource */
export function toResource(object: Generation, origin: string): Record<string, unknown> {
  const { bucket, name, generation, components, created, deleted, softDeleted, hardDelete } = object;
  const path = `b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    selfLink: `${origin}/storage/v1/${path}`,
    mediaLink: `${origin}/download/storage/v1/${path}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation: String(generation),
    metageneration: String(object.metageneration),
    storageClass: 'STANDARD',
    ...object.metadata,
    size: String(object.size),
    ...(object.md5 === null ? {} : { md5Hash: object.md5 }),
    crc32c: object.crc32c,
    etag: etagOf(object),
    ...(components === null ? {} : { componentCount: components }),
    timeCreated: time(created),
    updated: time(object.updated),
    timeStorageClassUpdated: time(created),
    timeFinalized: time(created),
    ...(deleted === null ? {} : { timeDeleted: time(deleted) }),
    ...(softDeleted === null ? {} : { softDeleteTime: time(softDeleted) }),
    ...(hardDelete === null ? {} : { hardDeleteTime: time(hardDelete) }),
  };
}

export const etagOf = ({ generation, metageneration }: Generation): string =>
  Buffer.from(`${generation}/${metageneration}`).toString('base64');
