import type { Server } from '@grpc/grpc-js';
import express from 'express';
import type { Context, Service } from '../service.ts';
import { createDispatcher } from './dispatcher.ts';
import { addServices } from './grpc.ts';
import { createPulling } from './pull.ts';
import { createPushing } from './push.ts';
import { createQueue, type NewMessage } from './queue.ts';
import { createRest } from './rest.ts';
import { createSubscriptions } from './subscriptions.ts';
import { openTables, toMilliseconds } from './tables.ts';
import { createTopics } from './topics.ts';

/** What both doors open on, by the method's name in lowerCamelCase. The signal says that the caller has gone. */
export type Operations = Record<string, (request: never, gone: AbortSignal) => object | Promise<object>>;

export type PubSubService = Service & {
  /** At once, and inside the caller's `store.transaction` if there is one. @throws GoogleError 404 for an unknown topic */
  publish(topic: string, messages: NewMessage[]): void;
  addTo(server: Server): void;
};

const hour = 3_600_000;

/** Pub/Sub over gRPC and over JSON. https://cloud.google.com/pubsub/docs/reference/rest */
export function createPubSub(context: Context): PubSubService {
  const { store } = context;
  const tables = openTables(store);
  const queue = createQueue(store, tables);
  const dispatcher = createDispatcher(queue, tables);
  const pushing = createPushing(context, queue, dispatcher, tables);
  const { streamingPull, ...pulling } = createPulling(queue, dispatcher, tables);
  const operations: Operations = {
    ...createTopics(store, queue),
    ...createSubscriptions(store, tables, queue, (subscription) => {
      pushing.refresh(subscription);
      dispatcher.changed(subscription.id);
    }),
    ...pulling,
  };

  const all = store.db.prepare('SELECT name FROM pubsub_subscriptions ORDER BY name');
  const dropExpired = () => {
    for (const { name } of all.all()) {
      const subscription = tables.subscription(name as string);
      const { messageRetentionDuration } = subscription?.resource ?? {};
      if (subscription && messageRetentionDuration)
        queue.drop(subscription, Date.now() - toMilliseconds(messageRetentionDuration));
    }
  };
  dropExpired();
  const hourly = setInterval(dropExpired, hour).unref();

  const view = store.db.prepare(`
    SELECT name, topic, push, dead_lettered deadLettered,
      (SELECT count(*) FROM pubsub_deliveries WHERE subscription = id) backlog,
      (SELECT count(*) FROM pubsub_deliveries WHERE subscription = id AND leased = 1) outstanding
    FROM pubsub_subscriptions ORDER BY name`);
  const unacknowledged = store.db.prepare(`
    SELECT count(*) count FROM pubsub_subscriptions s JOIN pubsub_deliveries d ON d.subscription = s.id WHERE s.push`);

  const router = express
    .Router()
    .get('/_local/pubsub', (_request, response) => {
      response.json({ subscriptions: view.all().map((row) => ({ ...row, push: row.push === 1 })) });
    })
    .use(createRest(operations));

  return {
    name: 'pubsub',
    owns: /^\/v1\/projects\/[^/]+\/(topics|subscriptions|snapshots|schemas)(\/|$)|^\/_local\/pubsub$/,
    router,
    pending: () => unacknowledged.get()?.count as number,
    publish: (topic, messages) => void queue.publish(topic, messages),
    addTo: (server) => addServices(server, context, operations, streamingPull),
    async close() {
      clearInterval(hourly);
      dispatcher.close();
      pushing.close();
    },
  };
}
