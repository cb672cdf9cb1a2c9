import { unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GoogleError } from '../googleError.ts';
import type { Store } from '../store.ts';
import type { Buckets } from './buckets.ts';
import type { Content } from './hashes.ts';
import type { ObjectMetadata } from './metadata.ts';
import type { Notifications } from './notifications.ts';
import { type Preconditions, requireMet } from './preconditions.ts';
import type { Generation } from './resource.ts';
import { requireReleased } from './retained.ts';
import type { View } from './view.ts';

/** Something that is to become the live generation of an object. */
export type NewGeneration = Content & {
  bucket: string;
  name: string;
  /** The path, or the name, of the blob with its bytes. */
  blob: string;
  metadata: ObjectMetadata;
  components?: number | null;
};

export type Generations = {
  /**
   * Runs `work` in one transaction, and then brings the files in line. All changes below are made in it.
   * Anything that must hold together with a change belongs into `work`.
   */
  change<T>(work: () => T): T;
  /** The live generation, or the given one if it is not soft-deleted. */
  find(bucket: string, name: string, generation?: number): Generation | undefined;
  /** @throws 404, also for the bucket */
  need(bucket: string, name: string, generation?: number): Generation;
  needSoftDeleted(bucket: string, name: string, generation: number): Generation;
  /** Makes a new live generation; the one before becomes noncurrent or deleted. @throws 412, 403 if it is retained */
  put(fresh: NewGeneration, conditions: Preconditions): Generation;
  setMetadata(object: Generation, metadata: ObjectMetadata): Generation;
  /** `forGood`: no noncurrent generation remains of it, even in a bucket with versioning. @throws 403 */
  remove(object: Generation, forGood: boolean): void;
  /** Removes what is left of a bucket's objects. @throws 409 if any of them is not deleted */
  emptyOut(bucket: string): void;
  /** Removes what was soft-deleted long enough ago. */
  sweep(): void;
  path(object: Generation): string;
};

type Row = Omit<Generation, 'metadata'> & { metadata: string };

export const fromRow = (row: object): Generation => {
  const { metadata, ...rest } = row as Row;
  return { ...rest, metadata: JSON.parse(metadata) as ObjectMetadata };
};

export function createGenerations(
  store: Store,
  buckets: () => Buckets,
  notify: Notifications['notify'],
  view: View,
): Generations {
  const { db } = store;
  const blobs = store.blobs('storage');
  const live = db.prepare(
    `SELECT * FROM storage_generations WHERE bucket = ? AND name = ? AND state = 'live'`,
  );
  const exact = db.prepare(
    'SELECT * FROM storage_generations WHERE bucket = ? AND name = ? AND generation = ?',
  );
  const insert = db.prepare(
    `INSERT INTO storage_generations (bucket, name, generation, metageneration, state, blob, size, md5, crc32c,
       metadata, components, created, updated)
     VALUES (:bucket, :name, :generation, 1, 'live', :blob, :size, :md5, :crc32c, :metadata, :components, :now, :now)`,
  );
  const update = db.prepare(
    `UPDATE storage_generations SET metadata = :metadata, metageneration = metageneration + 1, updated = :now
     WHERE bucket = :bucket AND name = :name AND generation = :generation`,
  );
  const setState = db.prepare(
    `UPDATE storage_generations SET state = :state, deleted = :deleted, softDeleted = :softDeleted,
       hardDelete = :hardDelete
     WHERE bucket = :bucket AND name = :name AND generation = :generation`,
  );
  const erase = db.prepare(
    'DELETE FROM storage_generations WHERE bucket = ? AND name = ? AND generation = ?',
  );
  const blobInUse = db.prepare('SELECT 1 FROM storage_generations WHERE blob = ? LIMIT 1');
  const remaining = db.prepare(
    `SELECT 1 FROM storage_generations WHERE bucket = ? AND state <> 'softDeleted' LIMIT 1`,
  );
  const everySoftDeleted = db.prepare('SELECT * FROM storage_generations WHERE bucket = ?');
  const due = db.prepare('SELECT * FROM storage_generations WHERE hardDelete <= ? LIMIT 1000');

  let newest = (db.prepare('SELECT max(generation) AS newest FROM storage_generations').get()?.newest ??
    0) as number;
  const nextGeneration = () => {
    newest = Math.max(Date.now() * 1000, newest + 1);
    return newest;
  };

  /** Names whose view, and blobs whose use, the transaction under way may change. */
  let changedNames = new Map<string, { bucket: string; name: string }>();
  let droppedBlobs = new Set<string>();
  const touch = ({ bucket, name }: Generation) => changedNames.set(`${bucket}/${name}`, { bucket, name });

  const self: Generations = {
    change(work) {
      changedNames = new Map();
      droppedBlobs = new Set();
      const result = store.transaction(work);
      for (const { bucket, name } of changedNames.values()) {
        const object = self.find(bucket, name);
        view.set(bucket, name, object && self.path(object));
      }
      for (const blob of droppedBlobs) if (!blobInUse.get(blob)) removeFile(join(blobs, blob));
      return result;
    },
    find(bucket, name, generation) {
      const row = generation === undefined ? live.get(bucket, name) : exact.get(bucket, name, generation);
      const found = row && fromRow(row);
      return found?.state === 'softDeleted' ? undefined : found;
    },
    need(bucket, name, generation) {
      const found = self.find(bucket, name, generation);
      if (found) return found;
      buckets().need(bucket);
      throw noSuchObject(bucket, name, generation);
    },
    needSoftDeleted(bucket, name, generation) {
      const row = exact.get(bucket, name, generation);
      const found = row && fromRow(row);
      if (found?.state === 'softDeleted' && (found.hardDelete ?? 0) > Date.now()) return found;
      buckets().need(bucket);
      throw noSuchObject(bucket, name, generation);
    },
    put({ bucket, name, blob, size, md5, crc32c, metadata, components = null }, conditions) {
      buckets().need(bucket);
      const before = self.find(bucket, name);
      requireMet(conditions, before);
      const generation = nextGeneration();
      if (before) retire(before, false, { overwrittenByGeneration: String(generation) });
      insert.run({
        bucket,
        name,
        generation,
        blob: basename(blob),
        size,
        md5,
        crc32c,
        metadata: JSON.stringify(metadata),
        components,
        now: Date.now(),
      });
      const object = self.need(bucket, name);
      touch(object);
      notify('OBJECT_FINALIZE', object, before ? { overwroteGeneration: String(before.generation) } : {});
      return object;
    },
    setMetadata(object, metadata) {
      const { bucket, name, generation } = object;
      update.run({ bucket, name, generation, metadata: JSON.stringify(metadata), now: Date.now() });
      const changed = self.need(bucket, name, generation);
      notify('OBJECT_METADATA_UPDATE', changed);
      return changed;
    },
    remove(object, forGood) {
      retire(object, forGood, {});
      touch(object);
    },
    emptyOut(bucket) {
      if (remaining.get(bucket)) {
        throw new GoogleError(409, 'conflict', 'The bucket you tried to delete is not empty.');
      }
      for (const row of everySoftDeleted.all(bucket)) eraseForGood(fromRow(row));
    },
    sweep() {
      for (let rows = [1] as unknown[]; rows.length > 0; ) {
        rows = self.change(() => due.all(Date.now()).map((row) => eraseForGood(fromRow(row))));
      }
    },
    path: ({ blob }) => join(blobs, blob),
  };
  return self;

  /** https://cloud.google.com/storage/docs/object-versioning and https://cloud.google.com/storage/docs/soft-delete */
  function retire(object: Generation, forGood: boolean, more: Record<string, string>): void {
    const { bucket, name, generation } = object;
    const kept = buckets().need(bucket);
    requireReleased(object, kept);
    const { versioned, softDeleteSeconds } = kept;
    const now = Date.now();
    const key = { bucket, name, generation };
    if (versioned && !forGood) {
      setState.run({ ...key, state: 'noncurrent', deleted: now, softDeleted: null, hardDelete: null });
      notify('OBJECT_ARCHIVE', { ...object, deleted: now }, more);
      return;
    }
    const deleted = object.deleted ?? now;
    if (softDeleteSeconds > 0) {
      const hardDelete = now + softDeleteSeconds * 1000;
      setState.run({ ...key, state: 'softDeleted', deleted, softDeleted: now, hardDelete });
    } else {
      eraseForGood(object);
    }
    notify('OBJECT_DELETE', { ...object, deleted }, more);
  }

  function eraseForGood({ bucket, name, generation, blob }: Generation): void {
    erase.run(bucket, name, generation);
    droppedBlobs.add(blob);
  }
}

const noSuchObject = (bucket: string, name: string, generation?: number) =>
  new GoogleError(
    404,
    'notFound',
    `No such object: ${bucket}/${name}${generation === undefined ? '' : `#${generation}`}`,
  );

/** A file that cannot be removed now is removed at the next start. */
function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') console.error(`local cloud: ${String(error)}`);
  }
}
