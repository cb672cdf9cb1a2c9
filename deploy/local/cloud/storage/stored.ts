import type { DatabaseSync } from 'node:sqlite';

/** What a bucket holds of one class and one kind, as Monitoring tells it. */
export type Stored = { bucket: string; location: string; storageClass: string; type: string; bytes: number };

const types: { [state: string]: string } = {
  live: 'live-object',
  noncurrent: 'noncurrent-object',
  softDeleted: 'soft-deleted-object',
};

export const storedIn = (db: DatabaseSync): Stored[] =>
  db
    .prepare(
      `SELECT bucket, json_extract(settings, '$.location') AS location, state, SUM(size) AS bytes,
         coalesce(json_extract(metadata, '$.storageClass'), 'STANDARD') AS storageClass
       FROM storage_generations JOIN storage_buckets ON storage_buckets.name = bucket
       GROUP BY bucket, storageClass, state ORDER BY bucket, storageClass, state`,
    )
    .all()
    .map(({ bucket, location, state, bytes, storageClass }) => ({
      bucket: String(bucket),
      location: String(location),
      storageClass: older(String(storageClass), String(location)),
      type: types[String(state)] ?? String(state),
      bytes: Number(bytes),
    }));

/** Monitoring goes on to call the standard class by its older names. */
const older = (storageClass: string, location: string): string => {
  if (storageClass !== 'STANDARD') return storageClass;
  return location.includes('-') ? 'REGIONAL' : 'MULTI_REGIONAL';
};
