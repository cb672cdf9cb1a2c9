import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Everything the local cloud remembers, in one folder:
 *
 *     drive/      the Drive, as a person sees it (the Drive service keeps it)
 *     buckets/    the objects, as a person sees them (the Storage service keeps it)
 *     machines/   the disks of machines (the Compute and TPU services keep it)
 *     .cloud/     cloud.db, and blobs/: bytes that nobody should touch by hand
 *
 * The database is the truth and changes in transactions, so that a kill -9 at any moment leaves a store that
 * opens again: bytes are written first, under a name of their own, and then a transaction makes them count.
 */
export type Store = {
  /** The folder that a person opens. */
  dir: string;
  db: DatabaseSync;
  /** Runs `work` in one transaction; a throw undoes it. `work` cannot await: nothing else runs in between. */
  transaction<T>(work: () => T): T;
  /** The folder of a service's blobs; what it holds and no table names may be removed by that service at its start. */
  blobs(service: string): string;
  /** A fresh path there, for bytes that are not part of anything yet. */
  newBlob(service: string): string;
  close(): void;
};

/** Opens the store in `dir`, making it if it is not there. Throws if the folder cannot be written. */
export function openStore(dir: string): Store {
  const blobs = join(dir, '.cloud', 'blobs');
  mkdirSync(blobs, { recursive: true });
  const made = new Set<string>();
  const blobsOf = (service: string) => {
    const folder = join(blobs, service);
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    return folder;
  };
  const db = new DatabaseSync(join(dir, '.cloud', 'cloud.db'));
  try {
    // One process at a time: the operating system gives the lock back however that process ends.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    db.close();
    throw new Error(`Another local cloud is running over ${dir}`, { cause: error });
  }
  // WAL with NORMAL survives the death of the process; only a power cut may lose the last transactions.
  // https://www.sqlite.org/pragma.html#pragma_synchronous
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');

  let depth = 0;
  return {
    dir,
    db,
    transaction(work) {
      if (depth > 0) return work();
      depth++;
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      } finally {
        depth--;
      }
    },
    blobs: blobsOf,
    newBlob: (service) => join(blobsOf(service), randomUUID()),
    close: () => db.close(),
  };
}
