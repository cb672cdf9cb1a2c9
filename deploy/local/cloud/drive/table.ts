import type { BigIntStats } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** One item of the Drive. Times are RFC 3339 in UTC with milliseconds, so that they sort as text. */
export type FileRow = {
  /** The order in which items came. */
  seq: number;
  id: string;
  /** `null` for the study folder and for shared drives. */
  parent: string | null;
  /** The id of the topmost folder: the study folder, or the shared drive. */
  drive: string;
  name: string;
  /** Its name in the parent's folder on disk; `null` for a shortcut, which is not on disk. */
  disk: string | null;
  /** The name of the blob that holds it while it is in the trash. */
  blob: string | null;
  mimeType: string;
  /** Inode and time of birth, by which it is found again under another name. */
  identity: string | null;
  /** Nanoseconds, as text: they do not fit a JavaScript number. */
  mtime: string | null;
  ctime: string | null;
  size: number | null;
  md5: string | null;
  sha1: string | null;
  sha256: string | null;
  headRevisionId: string | null;
  version: number;
  createdTime: string;
  modifiedTime: string;
  starred: number;
  explicitlyTrashed: number;
  trashedTime: string | null;
  /** It, or a folder above it, is in the trash. */
  trashed: number;
  /** The service account was locked out of it. */
  lost: number;
  /** It, or a folder above it, is lost. */
  hidden: number;
  targetId: string | null;
  targetMimeType: string | null;
  /** What the API only stores, as JSON. */
  meta: string;
};

export type Meta = {
  /** A name with a lone surrogate, which UTF-8 does not hold, but JSON does. */
  name?: string;
  description?: string;
  properties?: Record<string, string>;
  appProperties?: Record<string, string>;
  copyRequiresWriterPermission?: boolean;
  writersCanShare?: boolean;
  originalFilename?: string;
  folderColorRgb?: string;
};

export function createTables(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE IF NOT EXISTS drive_files (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, parent TEXT, drive TEXT NOT NULL,
      name TEXT NOT NULL, disk TEXT, blob TEXT, mimeType TEXT NOT NULL,
      identity TEXT, mtime TEXT, ctime TEXT, size INTEGER, md5 TEXT, sha1 TEXT, sha256 TEXT, headRevisionId TEXT,
      version INTEGER NOT NULL DEFAULT 1, createdTime TEXT NOT NULL, modifiedTime TEXT NOT NULL,
      starred INTEGER NOT NULL DEFAULT 0, explicitlyTrashed INTEGER NOT NULL DEFAULT 0, trashedTime TEXT,
      trashed INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, hidden INTEGER NOT NULL DEFAULT 0,
      targetId TEXT, targetMimeType TEXT, meta TEXT NOT NULL DEFAULT '{}');
    CREATE INDEX IF NOT EXISTS drive_files_parent ON drive_files (parent);
    CREATE TABLE IF NOT EXISTS drive_changes (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, log TEXT NOT NULL, fileId TEXT NOT NULL, type TEXT NOT NULL,
      removed INTEGER NOT NULL, time TEXT NOT NULL, UNIQUE (log, fileId));
    CREATE INDEX IF NOT EXISTS drive_changes_log ON drive_changes (log, seq);
    CREATE TABLE IF NOT EXISTS drive_revisions (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, fileId TEXT NOT NULL, id TEXT NOT NULL, mimeType TEXT NOT NULL,
      modifiedTime TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS drive_revisions_file ON drive_revisions (fileId);
    CREATE TABLE IF NOT EXISTS drive_permissions (
      fileId TEXT NOT NULL, id TEXT NOT NULL, permission TEXT NOT NULL, PRIMARY KEY (fileId, id));
    CREATE TABLE IF NOT EXISTS drive_channels (
      id TEXT PRIMARY KEY, resourceId TEXT NOT NULL, resourceUri TEXT NOT NULL, log TEXT NOT NULL,
      address TEXT NOT NULL, token TEXT, expiration INTEGER NOT NULL, stopped INTEGER NOT NULL DEFAULT 0,
      number INTEGER NOT NULL DEFAULT 1, told INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS drive_uploads (
      id TEXT PRIMARY KEY, fileId TEXT, metadata TEXT NOT NULL, query TEXT NOT NULL, mimeType TEXT,
      blob TEXT NOT NULL, received INTEGER NOT NULL DEFAULT 0, total INTEGER, created INTEGER NOT NULL,
      result TEXT);
  `);
}

/** How the rows remember a file or folder on disk. */
export type Seen = { identity: string; size: number; mtime: string; ctime: string };

export const seenOf = ({ ino, birthtimeNs, size, mtimeNs, ctimeNs }: BigIntStats): Seen => ({
  identity: `${ino}:${birthtimeNs}`,
  size: Number(size),
  mtime: String(mtimeNs),
  ctime: String(ctimeNs),
});

export const isSame = (one: Seen, other: Seen) =>
  one.identity === other.identity &&
  one.size === other.size &&
  one.mtime === other.mtime &&
  one.ctime === other.ctime;

/** RFC 3339 as Drive writes it, from nanoseconds. */
export const timeOf = (nanoseconds: string | bigint) =>
  new Date(Number(BigInt(nanoseconds) / 1_000_000n)).toISOString();
