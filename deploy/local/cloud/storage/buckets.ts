import type { Request, Response, Router } from 'express';
import express from 'express';
import { z } from 'zod';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import type { Context } from '../service.ts';
import { StorageClass } from './metadata.ts';
import { checkBucketName } from './names.ts';
import { notModified, readPreconditions, requireMet } from './preconditions.ts';
import { int64, integer, text } from './query.ts';
import type { View } from './view.ts';

const days = 24 * 3600;
const seconds = int64.refine(
  (value) => value === 0 || (value >= 7 * days && value <= 90 * days),
  'expected 0, or 7 to 90 days',
);

/** What a client may set on a bucket. Only versioning, soft delete and retention have an effect here; the rest is kept. */
const Settings = z
  .object({
    location: z.string().toUpperCase(),
    storageClass: StorageClass,
    versioning: z.object({ enabled: z.boolean() }),
    softDeletePolicy: z.object({
      retentionDurationSeconds: seconds.transform(String),
      effectiveTime: z.string().optional(),
    }),
    retentionPolicy: z.object({
      retentionPeriod: int64.refine((value) => value > 0 && value < 100 * 365.25 * days).transform(String),
      effectiveTime: z.string().default(() => new Date().toISOString()),
    }),
    labels: z.record(z.string(), z.string()),
    lifecycle: z.unknown(),
    cors: z.unknown(),
    website: z.unknown(),
    logging: z.unknown(),
    iamConfiguration: z.unknown(),
    autoclass: z.unknown(),
    rpo: z.string(),
  })
  .partial();
type Settings = z.infer<typeof Settings>;

export type Bucket = {
  name: string;
  settings: Settings;
  metageneration: number;
  created: number;
  updated: number;
  versioned: boolean;
  /** How long an object stays after its deletion; 0 if it goes at once. */
  softDeleteSeconds: number;
  /** How old an object must be to be deleted or replaced, in seconds. */
  retention: number;
};

export type Buckets = {
  /** @throws 404 */
  need(name: string): Bucket;
  router: Router;
};

type Row = { name: string; settings: string; metageneration: number; created: number; updated: number };

/** @param emptyOut removes what is left of a bucket's objects; throws 409 if any of them is not deleted. */
export function createBuckets(
  { store, origin }: Context,
  view: View,
  emptyOut: (bucket: string, whatFollows: () => void) => void,
): Buckets {
  const { db } = store;
  const one = db.prepare('SELECT * FROM storage_buckets WHERE name = ?');
  const page = db.prepare(
    `SELECT * FROM storage_buckets WHERE name >= :from AND substr(name, 1, length(:prefix)) = :prefix
     ORDER BY name LIMIT :limit`,
  );
  const insert = db.prepare('INSERT INTO storage_buckets VALUES (:name, :settings, 1, :now, :now)');
  const update = db.prepare(
    `UPDATE storage_buckets SET settings = :settings, metageneration = metageneration + 1, updated = :now
     WHERE name = :name`,
  );
  const remove = db.prepare('DELETE FROM storage_buckets WHERE name = ?');

  const find = (name: string) => {
    const row = one.get(name) as Row | undefined;
    return row && fromRow(row);
  };
  const need = (name: string) => {
    const bucket = find(name);
    if (!bucket) throw new GoogleError(404, 'notFound', 'The specified bucket does not exist.');
    return bucket;
  };
  const resource = ({ name, settings, metageneration, created, updated }: Bucket) => ({
    kind: 'storage#bucket',
    id: name,
    name,
    selfLink: `${origin()}/storage/v1/b/${name}`,
    projectNumber: '100000000000',
    metageneration: String(metageneration),
    etag: Buffer.from(`${created}/${metageneration}`).toString('base64'),
    timeCreated: new Date(created).toISOString(),
    updated: new Date(updated).toISOString(),
    locationType: locationType(settings),
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'inherited' },
    ...settings,
  });
  const named = (
    request: Request<{ bucket: string }>,
    reply: { locals: Record<string, unknown> },
    op: string,
  ) => {
    reply.locals.detail = { op: `buckets.${op}`, bucket: request.params.bucket };
    return need(request.params.bucket);
  };
  /** PATCH changes single settings, PUT replaces them all. */
  const change = (request: Request<{ bucket: string }>, replace: boolean) =>
    store.transaction(() => {
      const bucket = need(request.params.bucket);
      requireMet(readPreconditions(request), { generation: 0, metageneration: bucket.metageneration });
      const { location, storageClass } = bucket.settings;
      const settings = changeSettings(replace ? { location, storageClass } : bucket.settings, request.body);
      update.run({ name: bucket.name, settings: JSON.stringify({ ...settings, location }), now: Date.now() });
      return resource(need(bucket.name));
    });

  const router = express.Router();
  router
    .route('/storage/v1/b')
    .get((request, response) => {
      response.locals.detail = { op: 'buckets.list' };
      const limit = Math.min(Math.max(integer(request, 'maxResults') ?? 1000, 1), 1000);
      const from = Buffer.from(text(request, 'pageToken') ?? '', 'base64url').toString();
      const prefix = text(request, 'prefix') ?? '';
      const rows = page.all({ from, prefix, limit: limit + 1 }) as Row[];
      const next = rows.length > limit ? rows.pop() : undefined;
      response.json({
        kind: 'storage#buckets',
        items: rows.map((row) => resource(fromRow(row))),
        ...(next ? { nextPageToken: Buffer.from(next.name).toString('base64url') } : {}),
      });
    })
    .post(jsonBody(1e6), (request: Request, response: Response) => {
      const { name: given, ...body } = (request.body ?? {}) as Record<string, unknown>;
      const name = checkBucketName(given);
      response.locals.detail = { op: 'buckets.insert', bucket: name };
      const created = store.transaction(() => {
        if (find(name)) {
          throw new GoogleError(
            409,
            'conflict',
            'Your previous request to create the named bucket succeeded and you already own it.',
          );
        }
        const policy = {
          retentionDurationSeconds: String(7 * days),
          effectiveTime: new Date().toISOString(),
        };
        const settings = changeSettings(
          { location: 'US', storageClass: 'STANDARD', softDeletePolicy: policy },
          body,
        );
        insert.run({ name, settings: JSON.stringify(settings), now: Date.now() });
        return need(name);
      });
      view.setBucket(name, true);
      response.json(resource(created));
    });
  router
    .route('/storage/v1/b/:bucket')
    .get((request, response) => {
      const bucket = named(request, response, 'get');
      const target = { generation: 0, metageneration: bucket.metageneration };
      if (notModified(readPreconditions(request), target)) return void response.status(304).end();
      response.json(resource(bucket));
    })
    .patch(jsonBody(1e6), (request: Request<{ bucket: string }>, response: Response) => {
      named(request, response, 'patch');
      response.json(change(request, false));
    })
    .put(jsonBody(1e6), (request: Request<{ bucket: string }>, response: Response) => {
      named(request, response, 'update');
      response.json(change(request, true));
    })
    .delete((request, response) => {
      const { name, metageneration } = named(request, response, 'delete');
      requireMet(readPreconditions(request), { generation: 0, metageneration });
      emptyOut(name, () => remove.run(name));
      view.setBucket(name, false);
      response.status(204).end();
    });

  // gcloud asks how names are arranged before it copies or removes folders, and for folders with rights of their own.
  router.get('/storage/v1/b/:bucket/storageLayout', (request, response) => {
    const { name, settings } = named(request, response, 'getStorageLayout');
    response.json({
      kind: 'storage#storageLayout',
      bucket: name,
      location: settings.location,
      locationType: locationType(settings),
      hierarchicalNamespace: { enabled: false },
    });
  });
  router.get('/storage/v1/b/:bucket/managedFolders', (request, response) => {
    named(request, response, 'listManagedFolders');
    response.json({ kind: 'storage#managedFolders' });
  });

  return { need, router };

  function fromRow({ settings: json, ...row }: Row): Bucket {
    const settings = JSON.parse(json) as Settings;
    const softDeleteSeconds = Number(settings.softDeletePolicy?.retentionDurationSeconds ?? 0);
    const retention = Number(settings.retentionPolicy?.retentionPeriod ?? 0);
    const versioned = settings.versioning?.enabled ?? false;
    return { ...row, settings, versioned, softDeleteSeconds, retention };
  }
}

const locationType = ({ location = '' }: Settings) =>
  ['US', 'EU', 'ASIA'].includes(location) ? 'multi-region' : 'region';

/** @throws 400 for a setting of the wrong type */
function changeSettings(before: Settings, body: unknown): Settings {
  const given = Object.entries((body ?? {}) as Record<string, unknown>);
  const after = new Map<string, unknown>(Object.entries(before));
  for (const [key, value] of given) {
    if (value === null) after.delete(key);
    else if (key === 'labels') after.set(key, changeLabels(before.labels, value));
    else after.set(key, value);
  }
  const parsed = Settings.safeParse(Object.fromEntries(after));
  if (!parsed.success) throw new GoogleError(400, 'invalid', z.prettifyError(parsed.error));
  return parsed.data;
}

function changeLabels(before: Record<string, string> = {}, change: unknown): unknown {
  const labels = { ...before, ...(change as Record<string, string | null>) };
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== null));
}
