import type { Request, Response, Router } from 'express';
import express from 'express';
import { z } from 'zod';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import type { Context } from '../service.ts';
import type { Buckets } from './buckets.ts';
import { type Generation, toResource } from './resource.ts';

/** The synchronous publish of the local Pub/Sub. It throws 404 for a topic that is not there, before it writes. */
export type Publish = (
  topic: string,
  messages: { data: Buffer; attributes: Record<string, string>; orderingKey?: string }[],
) => void;

const events = ['OBJECT_FINALIZE', 'OBJECT_METADATA_UPDATE', 'OBJECT_DELETE', 'OBJECT_ARCHIVE'] as const;
export type ObjectEvent = (typeof events)[number];

const topicForm = /^(?:\/\/pubsub\.googleapis\.com\/)?(projects\/[^/]+\/topics\/[^/]+)$/;

const Config = z.object({
  topic: z.string().regex(topicForm, 'expected //pubsub.googleapis.com/projects/PROJECT/topics/TOPIC'),
  payload_format: z.enum(['JSON_API_V1', 'NONE']).default('JSON_API_V1'),
  event_types: z.array(z.enum(events)).optional(),
  custom_attributes: z.record(z.string().max(256), z.string().max(1024)).optional(),
  object_name_prefix: z.string().optional(),
});
type Config = z.infer<typeof Config>;

export type Notifications = {
  /** Publishes an event to every configuration that wants it. To be called in the transaction of the change. */
  notify(event: ObjectEvent, object: Generation, more?: Record<string, string>): void;
  router: Router;
};

type Row = { id: number; config: string };

/** https://cloud.google.com/storage/docs/pubsub-notifications */
export function createNotifications(
  { store, origin }: Context,
  buckets: () => Buckets,
  publish: Publish,
): Notifications {
  const { db } = store;
  const all = db.prepare('SELECT id, config FROM storage_notifications WHERE bucket = ? ORDER BY id');
  const one = db.prepare('SELECT id, config FROM storage_notifications WHERE bucket = ? AND id = ?');
  const insert = db.prepare(
    `INSERT INTO storage_notifications (bucket, id, config) SELECT :bucket, coalesce(max(id), 0) + 1, :config
     FROM storage_notifications WHERE bucket = :bucket RETURNING id, config`,
  );
  const remove = db.prepare('DELETE FROM storage_notifications WHERE bucket = ? AND id = ?');

  const notify: Notifications['notify'] = (event, object, more = {}) => {
    for (const { id, config: json } of all.all(object.bucket) as Row[]) {
      const config = JSON.parse(json) as Config;
      if (config.event_types?.length && !config.event_types.includes(event)) continue;
      if (!object.name.startsWith(config.object_name_prefix ?? '')) continue;
      const attributes = {
        ...config.custom_attributes,
        notificationConfig: `projects/_/buckets/${object.bucket}/notificationConfigs/${id}`,
        eventType: event,
        payloadFormat: config.payload_format,
        bucketId: object.bucket,
        objectId: object.name,
        objectGeneration: String(object.generation),
        eventTime: new Date().toISOString(),
        ...more,
      };
      const payload = config.payload_format === 'NONE' ? '' : JSON.stringify(toResource(object, origin()));
      try {
        publish(topicOf(config), [{ data: Buffer.from(payload), attributes }]);
      } catch (error) {
        // The topic was deleted since. Google drops the message too; the upload must not fail for it.
        if (!(error instanceof GoogleError && error.code === 404)) throw error;
      }
    }
  };

  const resource = (bucket: string, { id, config }: Row) => ({
    kind: 'storage#notification',
    id: String(id),
    selfLink: `${origin()}/storage/v1/b/${bucket}/notificationConfigs/${id}`,
    etag: String(id),
    ...(JSON.parse(config) as Config),
  });
  const need = ({ params: { bucket, id } }: Request<{ bucket: string; id: string }>) => {
    buckets().need(bucket);
    const row = one.get(bucket, id) as Row | undefined;
    if (!row) throw new GoogleError(404, 'notFound', `The specified notification ${id} does not exist.`);
    return row;
  };

  const router = express.Router();
  router
    .route('/storage/v1/b/:bucket/notificationConfigs')
    .get(({ params: { bucket } }, response) => {
      response.locals.detail = { op: 'notifications.list', bucket };
      buckets().need(bucket);
      const items = (all.all(bucket) as Row[]).map((row) => resource(bucket, row));
      response.json({ kind: 'storage#notifications', items });
    })
    .post(jsonBody(1e6), (request: Request<{ bucket: string }>, response: Response) => {
      const { bucket } = request.params;
      response.locals.detail = { op: 'notifications.insert', bucket };
      buckets().need(bucket);
      const config = Config.safeParse(request.body);
      if (!config.success) throw new GoogleError(400, 'invalid', z.prettifyError(config.error));
      // Nothing is published; this is the question whether the topic is there.
      publish(topicOf(config.data), []);
      const topic = `//pubsub.googleapis.com/${topicOf(config.data)}`;
      const row = insert.get({ bucket, config: JSON.stringify({ ...config.data, topic }) }) as Row;
      response.json(resource(bucket, row));
    });
  router
    .route('/storage/v1/b/:bucket/notificationConfigs/:id')
    .get((request, response) => {
      const { bucket } = request.params;
      response.locals.detail = { op: 'notifications.get', bucket };
      response.json(resource(bucket, need(request)));
    })
    .delete((request, response) => {
      const { bucket } = request.params;
      response.locals.detail = { op: 'notifications.delete', bucket };
      remove.run(bucket, need(request).id);
      response.status(204).end();
    });

  return { notify, router };
}

const topicOf = ({ topic }: Config) => topicForm.exec(topic)?.[1] ?? topic;
