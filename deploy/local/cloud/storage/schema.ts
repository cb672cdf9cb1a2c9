import type { DatabaseSync } from 'node:sqlite';

/** The tables of Cloud Storage. Times are milliseconds since 1970, generations microseconds, as at Google. */
export function createTables(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE IF NOT EXISTS storage_buckets (
      name TEXT PRIMARY KEY,
      settings TEXT NOT NULL,          -- JSON: what a client may set
      metageneration INTEGER NOT NULL,
      created INTEGER NOT NULL,
      updated INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE IF NOT EXISTS storage_generations (
      bucket TEXT NOT NULL REFERENCES storage_buckets,
      name TEXT NOT NULL,
      generation INTEGER NOT NULL,
      metageneration INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('live', 'noncurrent', 'softDeleted')),
      blob TEXT NOT NULL,              -- the file's name; copies of an object share it
      size INTEGER NOT NULL,
      md5 TEXT,                        -- base64; composed objects have none
      crc32c TEXT NOT NULL,            -- base64
      metadata TEXT NOT NULL,          -- JSON: what a client may set
      components INTEGER,
      created INTEGER NOT NULL,
      updated INTEGER NOT NULL,
      deleted INTEGER,
      softDeleted INTEGER,
      hardDelete INTEGER,
      PRIMARY KEY (bucket, name, generation)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX IF NOT EXISTS storage_live ON storage_generations (bucket, name) WHERE state = 'live';
    CREATE INDEX IF NOT EXISTS storage_blobs ON storage_generations (blob);
    CREATE INDEX IF NOT EXISTS storage_hard_delete ON storage_generations (hardDelete) WHERE hardDelete IS NOT NULL;

    CREATE TABLE IF NOT EXISTS storage_sessions (
      id TEXT PRIMARY KEY,
      bucket TEXT NOT NULL,
      name TEXT NOT NULL,
      request TEXT NOT NULL,           -- JSON: metadata, preconditions and hashes that the client gave at the start
      blob TEXT NOT NULL,
      total INTEGER,                   -- bytes, once it is known
      received INTEGER NOT NULL,       -- bytes that are safe
      created INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'done', 'cancelled', 'expired')),
      result TEXT                      -- JSON: the object, when done
    ) WITHOUT ROWID;

    CREATE TABLE IF NOT EXISTS storage_notifications (
      bucket TEXT NOT NULL REFERENCES storage_buckets ON DELETE CASCADE,
      id INTEGER NOT NULL,
      config TEXT NOT NULL,            -- JSON
      PRIMARY KEY (bucket, id)
    ) WITHOUT ROWID;
  `);
}
