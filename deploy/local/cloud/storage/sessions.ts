import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GoogleError } from '../googleError.ts';
import type { Store } from '../store.ts';
import type { Insert } from './insert.ts';

/** A resumable upload under way, or its end. */
export type Session = {
  id: string;
  insert: Insert;
  /** The file that the bytes gather in. */
  path: string;
  /** The size of the object, once the client has told it. */
  total: number | undefined;
  /** How many bytes are safe: a multiple of 256 KiB. */
  received: number;
  state: 'open' | 'done' | 'cancelled' | 'expired';
  /** The object that came of it. */
  result: unknown;
};

export type Sessions = {
  start(insert: Insert, total: number | undefined): Session;
  /** @throws 404 for one that never was, 410 for one that is over a week old, 499 for a cancelled one */
  need(id: string | undefined): Session;
  progress(session: Session, received: number, total: number | undefined): void;
  /** To be called in the transaction that makes the object. */
  finish(session: Session, result: unknown): void;
  cancel(session: Session): void;
  /** Ends it before its time; if it is to be forgotten too, nobody knows of it any more. */
  expire(session: Session, isForgotten: boolean): void;
  /** Ends sessions that are over a week old, and forgets them after another. */
  sweep(): void;
};

type Row = {
  id: string;
  bucket: string;
  name: string;
  request: string;
  blob: string;
  total: number | null;
  received: number;
  created: number;
  state: Session['state'];
  result: string | null;
};

const week = 7 * 24 * 3600 * 1000;

export function createSessions(store: Store): Sessions {
  const { db } = store;
  const one = db.prepare('SELECT * FROM storage_sessions WHERE id = ?');
  const insert = db.prepare(
    `INSERT INTO storage_sessions (id, bucket, name, request, blob, total, received, created, state)
     VALUES (:id, :bucket, :name, :request, :blob, :total, 0, :created, 'open')`,
  );
  const progress = db.prepare('UPDATE storage_sessions SET received = ?, total = ? WHERE id = ?');
  const finish = db.prepare(`UPDATE storage_sessions SET state = 'done', result = ? WHERE id = ?`);
  const close = db.prepare(`UPDATE storage_sessions SET state = ? WHERE id = ? AND state = 'open'`);
  const expireOne = db.prepare(`UPDATE storage_sessions SET state = 'expired' WHERE id = ?`);
  const forgetOne = db.prepare('DELETE FROM storage_sessions WHERE id = ?');
  const overdue = db.prepare(`SELECT * FROM storage_sessions WHERE state = 'open' AND created <= ?`);
  const forget = db.prepare('DELETE FROM storage_sessions WHERE created <= ?');

  const fromRow = ({ bucket, name, request, blob, total, result, created, ...row }: Row): Session => ({
    ...row,
    insert: { bucket, name, ...(JSON.parse(request) as Omit<Insert, 'bucket' | 'name'>) },
    path: join(store.blobs('storage'), blob),
    total: total ?? undefined,
    state: row.state === 'open' && created <= Date.now() - week ? 'expired' : row.state,
    result: result === null ? undefined : JSON.parse(result),
  });
  const end = ({ id, path }: Session, state: Session['state']) => {
    close.run(state, id);
    rmSync(path, { force: true });
  };

  return {
    start({ bucket, name, ...request }, total) {
      const id = randomBytes(24).toString('base64url');
      const blob = basename(store.newBlob('storage'));
      const row = { id, bucket, name, request: JSON.stringify(request), blob, total: total ?? null };
      insert.run({ ...row, created: Date.now() });
      return fromRow(one.get(id) as Row);
    },
    need(id) {
      const row = id === undefined ? undefined : (one.get(id) as Row | undefined);
      if (!row) throw new GoogleError(404, 'notFound', 'No such upload session.');
      const session = fromRow(row);
      if (session.state === 'expired') throw new GoogleError(410, 'gone', 'The upload session has expired.');
      if (session.state === 'cancelled') {
        throw new GoogleError(499, 'cancelled', 'The upload session was cancelled.');
      }
      return session;
    },
    progress({ id }, received, total) {
      progress.run(received, total ?? null, id);
    },
    finish({ id }, result) {
      finish.run(JSON.stringify(result), id);
    },
    cancel: (session) => end(session, 'cancelled'),
    expire(session, isForgotten) {
      // The bytes of one that is done are the object's.
      if (session.state === 'open') rmSync(session.path, { force: true });
      if (isForgotten) forgetOne.run(session.id);
      else expireOne.run(session.id);
    },
    sweep() {
      for (const row of overdue.all(Date.now() - week) as Row[]) end(fromRow(row), 'expired');
      forget.run(Date.now() - 2 * week);
    },
  };
}

export function sessionUri({ id, insert: { bucket, name } }: Session, origin: string): string {
  const query = new URLSearchParams({ uploadType: 'resumable', name, upload_id: id });
  return `${origin}/upload/storage/v1/b/${bucket}/o?${query}`;
}
