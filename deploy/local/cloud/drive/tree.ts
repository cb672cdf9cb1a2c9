import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import * as z from 'zod';
import type { Store } from '../store.ts';
import { folderType } from './names.ts';
import { createTables, type FileRow, seenOf, timeOf } from './table.ts';

export type Columns = Partial<Omit<FileRow, 'seq' | 'id' | 'version' | 'trashed' | 'hidden' | 'drive'>>;
export type NewRow = Columns & Pick<FileRow, 'id' | 'parent' | 'name' | 'mimeType'>;

/** The rows, and the change log that every change of them goes into. All of it synchronous, in transactions. */
export type Tree = ReturnType<typeof createTree>;

/** Ids as long as Google's; those of shared drives are shorter. https://developers.google.com/workspace/drive/api/guides/manage-shareddrives */
export const newId = () => `1${randomBytes(24).toString('base64url')}`;
export const newDriveId = () => `0A${randomBytes(12).toString('base64url')}A`;
export const newRevisionId = () => `0B${randomBytes(36).toString('base64url')}`;

/** What Google's documentation leaves open, so that a test can have it either way. */
export const Settings = z.strictObject({
  /**
   * Whether what lies in a folder has entries of its own in the change log when the folder is trashed, restored, moved
   * or deleted. If it is not set: when the folder is deleted, or moved to another drive.
   */
  childEntries: z.boolean().optional(),
  /**
   * Whether the service account may own what it makes in the study folder, which is in somebody's My Drive. Google says
   * no; here it may unless this is false, since there is nobody else to make files there through the API.
   */
  ownsFiles: z.boolean().optional(),
  /** Whether ids of `files.generateIds` may be used in shared drives, which Google's documentation does not say. */
  ownIds: z.boolean().optional(),
});
export type Settings = z.infer<typeof Settings>;

/** The log of everything in the study folder; a shared drive's log is called after its id. */
export const userLog = 'user';

/** @param changed called after anything went into a change log */
export function createTree(store: Store, changed: () => void) {
  const { db, transaction } = store;
  createTables(db);

  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string) => {
    const statement = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  const run = (sql: string, ...values: SQLInputValue[]) => prepare(sql).run(...values);
  const get = <T>(sql: string, ...values: SQLInputValue[]) => prepare(sql).get(...values) as T | undefined;
  const all = <T>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as T[];

  const find = (id: string) => get<FileRow>('SELECT * FROM drive_files WHERE id = ?', id);

  /** It and everything in it, from the top down. */
  const subtree = (id: string) =>
    all<FileRow>(
      `WITH RECURSIVE tree (id) AS (
         VALUES (?) UNION ALL SELECT f.id FROM drive_files f JOIN tree ON f.parent = tree.id)
       SELECT f.* FROM tree JOIN drive_files f ON f.id = tree.id`,
      id,
    );

  /**
   * Brings what an item inherits up to date in it and in everything below. The last condition says the same once more,
   * so that the rows are found by their index.
   */
  const inherit = (id: string) =>
    run(
      `WITH RECURSIVE tree (id, drive, trashed, hidden) AS (
         SELECT f.id, coalesce(p.drive, f.id), f.explicitlyTrashed OR coalesce(p.trashed, 0),
                f.lost OR coalesce(p.hidden, 0)
           FROM drive_files f LEFT JOIN drive_files p ON p.id = f.parent WHERE f.id = ?
         UNION ALL
         SELECT f.id, tree.drive, f.explicitlyTrashed OR tree.trashed, f.lost OR tree.hidden
           FROM drive_files f JOIN tree ON f.parent = tree.id)
       UPDATE drive_files SET drive = tree.drive, trashed = tree.trashed, hidden = tree.hidden
         FROM tree WHERE drive_files.id = tree.id AND drive_files.id IN (SELECT id FROM tree)`,
      id,
    );

  const settings: Settings = {};

  /** A newer entry of the same item takes the older one's place, as in Google's log. */
  const record = (drive: string, fileId: string, removed = false) => {
    const log = drive === study ? userLog : drive;
    const write = (log: string, type: string) =>
      run(
        'INSERT OR REPLACE INTO drive_changes (log, fileId, type, removed, time) VALUES (?, ?, ?, ?, ?)',
        ...[log, fileId, type, Number(removed), new Date().toISOString()],
      );
    if (fileId === log) write(userLog, 'drive');
    write(log, fileId === log ? 'drive' : 'file');
    changed();
  };

  const set = (id: string, columns: Columns) => {
    const names = Object.keys(columns);
    if (names.length === 0) return;
    const values = Object.values(columns) as SQLInputValue[];
    run(
      `UPDATE drive_files SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`,
      ...values,
      id,
    );
  };

  const insert = (row: NewRow): FileRow =>
    transaction(() => {
      const now = new Date().toISOString();
      const columns = { drive: '', createdTime: now, modifiedTime: now, ...row };
      const names = Object.keys(columns);
      run(
        `INSERT INTO drive_files (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
        ...(Object.values(columns) as SQLInputValue[]),
      );
      inherit(row.id);
      const inserted = existing(row.id);
      record(inserted.drive, row.id);
      return inserted;
    });

  /** Sets columns, counts the version up and puts an entry into the log. */
  const change = (id: string, columns: Columns): FileRow =>
    transaction(() => {
      const before = existing(id);
      set(id, columns);
      run('UPDATE drive_files SET version = version + 1 WHERE id = ?', id);
      if ('parent' in columns || 'explicitlyTrashed' in columns || 'lost' in columns) inherit(id);
      const after = existing(id);
      const isElsewhere =
        before.parent !== after.parent || before.explicitlyTrashed !== after.explicitlyTrashed;
      // Another drive is another log: to those who follow the old one, all of it is gone.
      const isOtherLog = before.drive !== after.drive;
      const isWhole = settings.childEntries ?? isOtherLog;
      for (const row of isElsewhere && isWhole ? subtree(id) : [after]) {
        if (isOtherLog) record(before.drive, row.id, true);
        record(row.drive, row.id);
      }
      return after;
    });

  const existing = (id: string): FileRow => {
    const row = find(id);
    if (!row) throw new Error(`No row ${id}`);
    return row;
  };

  /** Forgets it and everything in it; the blobs of what lay in the trash are returned, to be deleted. */
  const remove = (id: string): string[] =>
    transaction(() => {
      const rows = subtree(id);
      for (const row of rows) {
        run('DELETE FROM drive_files WHERE id = ?', row.id);
        run('DELETE FROM drive_revisions WHERE fileId = ?', row.id);
        run('DELETE FROM drive_permissions WHERE fileId = ?', row.id);
        if (row.id === id || settings.childEntries !== false) record(row.drive, row.id, true);
      }
      return rows.flatMap(({ blob }) => (blob ? [blob] : []));
    });

  const folders = { drive: join(store.dir, 'drive'), sharedDrives: join(store.dir, 'shared-drives') };
  const blobs = store.blobs('drive');

  /** Where it is on disk now. */
  const pathOf = (row: FileRow): string => {
    if (row.blob) return join(blobs, row.blob);
    if (row.disk === null) throw new Error(`${row.id} is not on disk`);
    if (row.parent !== null) return join(pathOf(existing(row.parent)), row.disk);
    return row.id === study ? folders.drive : join(folders.sharedDrives, row.disk);
  };

  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  let study = get<{ id: string }>('SELECT id FROM drive_files ORDER BY seq LIMIT 1')?.id ?? '';
  if (!study) {
    study = newId();
    const { birthtimeNs } = lstatSync(folders.drive, { bigint: true });
    const times = { createdTime: timeOf(birthtimeNs), modifiedTime: timeOf(birthtimeNs) };
    insert({ id: study, parent: null, name: 'drive', disk: 'drive', mimeType: folderType, ...times });
  }

  return {
    /** The id of the folder that is `drive/` on disk. */
    study,
    settings,
    folders,
    blobs,
    run,
    get,
    all,
    find,
    insert,
    set,
    change,
    remove,
    subtree,
    record,
    pathOf,
    transaction,
    seen: (path: string) => seenOf(lstatSync(path, { bigint: true })),
  };
}
