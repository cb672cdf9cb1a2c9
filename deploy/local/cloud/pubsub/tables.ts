import type { Store } from '../store.ts';
import { parseFilter } from './filter.ts';
import type { Duration, Subscription } from './protos.ts';

/** A subscription as it is stored; its number is never used again, so an old ack id cannot meet a new subscription. */
export type SubscriptionRow = {
  id: number;
  name: string;
  resource: Subscription;
};

const schema = `
  CREATE TABLE IF NOT EXISTS pubsub_topics (
    name TEXT PRIMARY KEY,
    resource TEXT NOT NULL -- JSON of a Topic
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pubsub_subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    resource TEXT NOT NULL, -- JSON of a Subscription
    push INTEGER AS (coalesce(resource ->> '$.pushConfig.pushEndpoint', '') <> ''),
    dead_lettered INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX IF NOT EXISTS pubsub_subscriptions_topic ON pubsub_subscriptions (topic, name);
  CREATE TABLE IF NOT EXISTS pubsub_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    data BLOB NOT NULL,
    attributes TEXT NOT NULL, -- JSON
    ordering_key TEXT NOT NULL,
    published INTEGER NOT NULL -- ms
  );
  -- A message that a subscription has not acknowledged.
  CREATE TABLE IF NOT EXISTS pubsub_deliveries (
    message INTEGER NOT NULL,
    subscription INTEGER NOT NULL,
    key TEXT NOT NULL, -- the ordering key, if the subscription keeps the order
    attempts INTEGER NOT NULL DEFAULT 0, -- how often it was handed out
    leased INTEGER NOT NULL DEFAULT 0, -- 1 while it is handed out
    due INTEGER, -- ms; when it may be handed out, or the lease ends; NULL while one before it with its key is there
    PRIMARY KEY (message, subscription)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS pubsub_deliveries_due ON pubsub_deliveries (subscription, leased, due, message);
  CREATE INDEX IF NOT EXISTS pubsub_deliveries_key ON pubsub_deliveries (subscription, key, message) WHERE key <> '';
`;

export type Tables = {
  hasTopic(name: string): boolean;
  subscription(name: string): SubscriptionRow | undefined;
  /** The subscriptions of a topic whose filter takes these attributes. */
  subscribers(
    topic: string,
  ): (SubscriptionRow & { takes: (attributes: Record<string, string>) => boolean })[];
  pushSubscriptions(): SubscriptionRow[];
};

/** Makes the tables if they are not there. Everything in them is read afresh each time: a transaction may be undone. */
export function openTables({ db }: Store): Tables {
  db.exec(schema);
  const topic = db.prepare('SELECT 1 FROM pubsub_topics WHERE name = ?');
  const byName = db.prepare('SELECT id, name, resource FROM pubsub_subscriptions WHERE name = ?');
  const byTopic = db.prepare('SELECT id, name, resource FROM pubsub_subscriptions WHERE topic = ?');
  const withPush = db.prepare('SELECT id, name, resource FROM pubsub_subscriptions WHERE push');

  return {
    hasTopic: (name) => topic.get(name) !== undefined,
    subscription: (name) => {
      const row = byName.get(name);
      return row && parseRow(row);
    },
    subscribers: (name) =>
      byTopic.all(name).map((row) => {
        const subscription = parseRow(row);
        return { ...subscription, takes: parseFilter(subscription.resource.filter ?? '') };
      }),
    pushSubscriptions: () => withPush.all().map(parseRow),
  };
}

function parseRow({ id, name, resource }: Record<string, unknown>): SubscriptionRow {
  return { id: id as number, name: name as string, resource: JSON.parse(resource as string) as Subscription };
}

export function toMilliseconds({ seconds, nanos }: Duration): number {
  return Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;
}

export const isPush = ({ resource }: SubscriptionRow): boolean => !!resource.pushConfig?.pushEndpoint;
