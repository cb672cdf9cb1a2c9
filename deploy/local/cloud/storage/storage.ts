import type { KeyObject } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ErrorRequestHandler } from 'express';
import express from 'express';
import { batchRoutes } from '../batch.ts';
import type { Context, Service } from '../service.ts';
import { type Buckets, createBuckets } from './buckets.ts';
import { composeRoutes } from './compose.ts';
import { createFollowers } from './followers.ts';
import { createGenerations, fromRow } from './generations.ts';
import { insertRoutes } from './insert.ts';
import { listRoutes } from './list.ts';
import { createNotifications, type Publish } from './notifications.ts';
import { objectRoutes } from './objects.ts';
import type { Parts } from './parts.ts';
import { resumableRoutes } from './resumable.ts';
import { rewriteRoutes } from './rewrite.ts';
import { createTables } from './schema.ts';
import { createSessions } from './sessions.ts';
import { type Stored, storedIn } from './stored.ts';
import { createView } from './view.ts';
import { xmlRoutes } from './xml.ts';

export type StorageService = Service & {
  /** Where the bytes of an object lie, for services that are given `gs://` addresses. */
  readObject(
    bucket: string,
    name: string,
    generation?: string,
  ): { path: string; size: number; contentType: string; generation: string } | undefined;
  stored(): Stored[];
};

export type StorageOptions = {
  publish: Publish;
  /** The service account whose signed URLs are accepted. */
  publicKey: KeyObject;
  email: string;
};

const api = '/(?:(?:upload/|download/|resumable/upload/|batch/)?storage)/';
/** `/BUCKET/OBJECT`; no bucket is called like the first part of a Google API's path here. */
const xml =
  '/(?!(?:storage|upload|download|resumable|batch|drive|token|compute|_local)/)[a-z0-9][a-z0-9._-]{2,}/.';
const ownPath = new RegExp(`^(?:${api}|${xml})`);

/** Cloud Storage: the JSON API, uploads and downloads, and signed URLs. */
export function createStorage(context: Context, { publish, ...signer }: StorageOptions): StorageService {
  const { store } = context;
  createTables(store.db);
  const view = createView(store);
  const later = (): Buckets => buckets;
  const notifications = createNotifications(context, later, publish);
  const generations = createGenerations(store, later, notifications.notify, view);
  const sessions = createSessions(store);
  const buckets = createBuckets(context, view, (bucket, whatFollows) =>
    generations.change(() => {
      generations.emptyOut(bucket);
      whatFollows();
    }),
  );
  const followers = createFollowers();
  const parts: Parts = { context, buckets, generations, sessions, followers };
  const resumable = resumableRoutes(parts);

  const router = express.Router();
  for (const routes of [
    buckets.router,
    notifications.router,
    resumable.router,
    insertRoutes(parts, resumable.start),
    listRoutes(parts),
    objectRoutes(parts),
    composeRoutes(parts),
    rewriteRoutes(parts),
    batchRoutes(context, 'storage'),
    xmlRoutes(parts, signer),
  ]) {
    router.use(routes);
  }

  router.use(passOverGone);

  const sweep = () => {
    sessions.sweep();
    generations.sweep();
  };
  sweep();
  removeUnusedBlobs(context);
  view.check(
    (store.db.prepare('SELECT name FROM storage_buckets').all() as { name: string }[]).map(
      ({ name }) => name,
    ),
    store.db
      .prepare(`SELECT * FROM storage_generations WHERE state = 'live'`)
      .all()
      .map((row) => fromRow(row))
      .map((object) => ({ bucket: object.bucket, name: object.name, blob: generations.path(object) })),
  );
  const hourly = setInterval(sweep, 3600_000).unref();

  return {
    name: 'storage',
    owns: ownPath,
    router,
    pending: () => 0,
    readObject(bucket, name, generation) {
      const object = generations.find(
        bucket,
        name,
        generation === undefined ? undefined : Number(generation),
      );
      return (
        object && {
          path: generations.path(object),
          size: object.size,
          contentType: object.metadata.contentType ?? 'application/octet-stream',
          generation: String(object.generation),
        }
      );
    },
    stored: () => storedIn(store.db),
    async close() {
      clearInterval(hourly);
      // Together: an upload may wait for its hashes.
      // Once in many times a thread was seen not to end; nothing is lost without waiting for it.
      const closed = Promise.all([resumable.close(), followers.close()]);
      await Promise.race([closed, setTimeout(3000, undefined, { ref: false })]);
    },
  };
}

/** A client that went away is no fault of ours, and cannot be answered. */
const passOverGone: ErrorRequestHandler = (error, request, response, next) => {
  if (request.socket.destroyed) response.destroy();
  else next(error);
};

/** Bytes of uploads that a death cut short, and of objects deleted right before one. */
function removeUnusedBlobs({ store }: Context): void {
  const used = store.db
    .prepare(
      `SELECT blob FROM storage_generations UNION SELECT blob FROM storage_sessions WHERE state = 'open'`,
    )
    .all() as { blob: string }[];
  const names = new Set(used.map(({ blob }) => blob));
  const folder = store.blobs('storage');
  for (const name of readdirSync(folder)) if (!names.has(name)) rmSync(join(folder, name), { force: true });
}
