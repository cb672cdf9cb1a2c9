import { EventEmitter } from 'node:events';
import type { Store } from '../store.ts';
import { invalid, notFound } from './errors.ts';
import { isPush, type SubscriptionRow, type Tables, toMilliseconds } from './tables.ts';

export type NewMessage = { data: Buffer; attributes: Record<string, string>; orderingKey?: string };

/** A message handed out to a subscriber, until it is acknowledged or its deadline has passed. */
export type Delivery = {
  ackId: string;
  /** 1 at the first time. */
  attempt: number;
  id: string;
  data: Buffer;
  attributes: Record<string, string>;
  orderingKey: string;
  /** ms */
  published: number;
  bytes: number;
};

export type Queue = {
  /** @returns the ids. @throws 404 if there is no such topic */
  publish(topic: string, messages: NewMessage[]): string[];
  /** Hands out at most `count` messages that are due, and at most `bytes` bytes of them, but at least one. */
  lease(subscription: SubscriptionRow, limit: { count: number; bytes: number }, deadline: number): Delivery[];
  /** Takes back what nobody answered for in time. */
  expire(subscription: SubscriptionRow): void;
  /** What was acknowledged before, or is no longer there, is passed over. @throws 400 for what is no ack id */
  acknowledge(subscription: SubscriptionRow, ackIds: string[]): void;
  /** 0 seconds give the messages back. An id from a lease that has ended is passed over. */
  modifyAckDeadline(subscription: SubscriptionRow, ackIds: string[], seconds: number): void;
  /** When the next lease ends, and when the next message is due (ms). */
  nextDue(subscription: SubscriptionRow): { expiry?: number; message?: number };
  /** Forgets the messages that were published until then (ms). */
  drop(subscription: SubscriptionRow, until: number): void;
  /** Ends the leases that died with the process that pushed. */
  endLeases(subscription: SubscriptionRow): void;
  /** `ready` with the number of a subscription that may have something to hand out; `released` with an ack id. */
  events: EventEmitter<{ ready: [number]; released: [string] }>;
};

/** The messages and who has not acknowledged them, in the store. */
export function createQueue(store: Store, tables: Tables): Queue {
  const { db } = store;
  const events: Queue['events'] = new EventEmitter();
  const insertMessage = db.prepare(
    'INSERT INTO pubsub_messages (data, attributes, ordering_key, published) VALUES (?, ?, ?, ?)',
  );
  const deleteMessage = db.prepare(
    'DELETE FROM pubsub_messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM pubsub_deliveries WHERE message = ?1)',
  );
  const insertDelivery = db.prepare(
    'INSERT INTO pubsub_deliveries (message, subscription, key, due) VALUES (?, ?, ?, ?)',
  );
  const oneOfKey = db.prepare(
    "SELECT 1 FROM pubsub_deliveries WHERE subscription = ? AND key = ? AND key <> ''",
  );
  const delivery = db.prepare('SELECT * FROM pubsub_deliveries WHERE message = ? AND subscription = ?');
  const deleteDelivery = db.prepare('DELETE FROM pubsub_deliveries WHERE message = ? AND subscription = ?');
  const setDelivery = db.prepare(
    'UPDATE pubsub_deliveries SET attempts = ?3, leased = ?4, due = ?5 WHERE message = ?1 AND subscription = ?2',
  );
  const unblock = db.prepare(`
    UPDATE pubsub_deliveries SET due = ?3 WHERE subscription = ?1 AND due IS NULL AND message =
      (SELECT min(message) FROM pubsub_deliveries WHERE subscription = ?1 AND key = ?2 AND key <> '')`);
  const expired = db.prepare(
    'SELECT * FROM pubsub_deliveries WHERE subscription = ? AND leased = 1 AND due <= ? ORDER BY due',
  );
  const waiting = db.prepare(`
    SELECT d.attempts, m.* FROM pubsub_deliveries d JOIN pubsub_messages m ON m.id = d.message
    WHERE d.subscription = ? AND d.leased = 0 AND d.due <= ? ORDER BY d.due, d.message LIMIT ?`);
  const soonest = db.prepare(
    'SELECT min(due) due FROM pubsub_deliveries WHERE subscription = ? AND leased = ?',
  );
  const message = db.prepare('SELECT * FROM pubsub_messages WHERE id = ?');
  const older = db.prepare(`
    SELECT d.message FROM pubsub_deliveries d JOIN pubsub_messages m ON m.id = d.message
    WHERE d.subscription = ? AND m.published <= ? ORDER BY d.message`);
  const leased = db.prepare('SELECT * FROM pubsub_deliveries WHERE subscription = ? AND leased = 1');
  const countDeadLetter = db.prepare(
    'UPDATE pubsub_subscriptions SET dead_lettered = dead_lettered + 1 WHERE id = ?',
  );

  const ready = ({ id }: { id: number }) => events.emit('ready', id);
  const release = (row: DeliveryRow) => {
    if (row.leased) events.emit('released', ackIdOf(row));
  };

  const publish: Queue['publish'] = (topic, messages) =>
    store.transaction(() => {
      if (!tables.hasTopic(topic)) throw notFound(`Resource not found (resource=${topic}).`);
      const subscribers = tables.subscribers(topic);
      const now = Date.now();
      return messages.map(({ data, attributes, orderingKey = '' }) => {
        const inserted = insertMessage.run(data, JSON.stringify(attributes), orderingKey, now);
        const id = Number(inserted.lastInsertRowid);
        const takers = subscribers.filter(({ takes }) => takes(attributes));
        for (const subscriber of takers) {
          const key = subscriber.resource.enableMessageOrdering ? orderingKey : '';
          insertDelivery.run(id, subscriber.id, key, oneOfKey.get(subscriber.id, key) ? null : now);
          ready(subscriber);
        }
        if (takers.length === 0) deleteMessage.run(id);
        return String(id);
      });
    });

  function remove(row: DeliveryRow) {
    deleteDelivery.run(row.message, row.subscription);
    deleteMessage.run(row.message);
    release(row);
    if (row.key && unblock.run(row.subscription, row.key, Date.now()).changes)
      ready({ id: row.subscription });
  }

  /** After a negative acknowledgement or a missed deadline: back into the queue, or to the dead letters. */
  function fail(subscription: SubscriptionRow, row: DeliveryRow) {
    const { deadLetterTopic, maxDeliveryAttempts } = subscription.resource.deadLetterPolicy ?? {};
    // Without its topic a dead letter stays where it is.
    if (deadLetterTopic && row.attempts >= (maxDeliveryAttempts ?? 5) && tables.hasTopic(deadLetterTopic)) {
      const letter = messageOf(message.get(row.message) as MessageRow);
      const attributes = { ...letter.attributes, ...sourceOf(subscription, letter.published, row.attempts) };
      publish(deadLetterTopic, [{ ...letter, attributes }]);
      countDeadLetter.run(subscription.id);
      remove(row);
      return;
    }
    const due = Date.now() + backoffOf(subscription, row.attempts);
    setDelivery.run(row.message, row.subscription, row.attempts, 0, due);
    release(row);
    ready(subscription);
  }

  const rowsOf = (subscription: SubscriptionRow, ackIds: string[]) =>
    ackIds.flatMap((ackId) => {
      const [owner, id, attempt] = parseAckId(ackId);
      if (owner !== subscription.id) throw invalid(`Invalid ack id (ack_id=${ackId})`);
      const row = delivery.get(id, owner) as DeliveryRow | undefined;
      return row ? [{ row, current: row.leased === 1 && row.attempts === attempt }] : [];
    });

  const expire: Queue['expire'] = (subscription) =>
    store.transaction(() => {
      for (const row of expired.all(subscription.id, Date.now()) as DeliveryRow[]) fail(subscription, row);
    });

  return {
    events,
    publish,
    expire,

    lease: (subscription, limit, deadline) =>
      store.transaction(() => {
        const now = Date.now();
        expire(subscription);
        const rows: MessageRow[] = [];
        let bytes = 0;
        for (const one of waiting.iterate(subscription.id, Date.now(), limit.count)) {
          const row = one as MessageRow;
          bytes += row.data.length;
          if (rows.length > 0 && bytes > limit.bytes) break;
          rows.push(row);
        }
        return rows.map((row) => {
          const attempt = row.attempts + 1;
          setDelivery.run(row.id, subscription.id, attempt, 1, now + deadline);
          const ackId = ackIdOf({ subscription: subscription.id, message: row.id, attempts: attempt });
          return { ackId, attempt, id: String(row.id), bytes: row.data.length, ...messageOf(row) };
        });
      }),

    acknowledge: (subscription, ackIds) =>
      store.transaction(() => {
        // A late one counts too: the work was done.
        for (const { row } of rowsOf(subscription, [...new Set(ackIds)])) remove(row);
      }),

    modifyAckDeadline: (subscription, ackIds, seconds) =>
      store.transaction(() => {
        for (const { row, current } of rowsOf(subscription, [...new Set(ackIds)])) {
          if (!current) continue;
          if (seconds === 0) fail(subscription, row);
          else setDelivery.run(row.message, row.subscription, row.attempts, 1, Date.now() + seconds * 1000);
        }
      }),

    nextDue({ id }) {
      const [message, expiry] = [0, 1].map((leased) => soonest.get(id, leased)?.due as number | null);
      return { ...(message == null ? {} : { message }), ...(expiry == null ? {} : { expiry }) };
    },

    drop: (subscription, until) =>
      store.transaction(() => {
        for (const { message } of older.all(subscription.id, until))
          remove(delivery.get(message as number, subscription.id) as DeliveryRow);
      }),

    endLeases: (subscription) =>
      store.transaction(() => {
        for (const row of leased.all(subscription.id) as DeliveryRow[])
          setDelivery.run(row.message, row.subscription, row.attempts, 0, Date.now());
      }),
  };
}

type DeliveryRow = {
  message: number;
  subscription: number;
  key: string;
  attempts: number;
  leased: 0 | 1;
};

type MessageRow = {
  id: number;
  data: Uint8Array;
  attributes: string;
  ordering_key: string;
  published: number;
  attempts: number;
};

function messageOf({ data, attributes, ordering_key, published }: MessageRow) {
  return {
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    attributes: JSON.parse(attributes) as Record<string, string>,
    orderingKey: ordering_key,
    published,
  };
}

const ackIdOf = (row: Pick<DeliveryRow, 'subscription' | 'message' | 'attempts'>) =>
  `${row.subscription}-${row.message}-${row.attempts}`;

function parseAckId(ackId: string): [subscription: number, message: number, attempt: number] {
  const match = /^(\d{1,15})-(\d{1,15})-(\d{1,15})$/.exec(ackId);
  if (!match) throw invalid(`Invalid ack id (ack_id=${ackId.slice(0, 100)})`);
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** https://cloud.google.com/pubsub/docs/handling-failures#how_a_dead-letter_topic_works */
function sourceOf({ name }: SubscriptionRow, published: number, attempts: number): Record<string, string> {
  const [, project = '', , subscription = ''] = name.split('/');
  return {
    CloudPubSubDeadLetterSourceDeliveryCount: String(attempts),
    CloudPubSubDeadLetterSourceSubscription: subscription,
    CloudPubSubDeadLetterSourceSubscriptionProject: project,
    CloudPubSubDeadLetterSourceTopicPublishTime: new Date(published).toISOString(),
  };
}

/**
 * How long a message waits after its n-th delivery has failed (ms). Without a policy a pull subscription gets it
 * back at once, and a push endpoint is given a growing pause. https://cloud.google.com/pubsub/docs/handling-failures
 */
function backoffOf(subscription: SubscriptionRow, attempts: number): number {
  const { retryPolicy } = subscription.resource;
  if (!retryPolicy && !isPush(subscription)) return 0;
  const least = retryPolicy?.minimumBackoff ? toMilliseconds(retryPolicy.minimumBackoff) : 100;
  const most = retryPolicy?.maximumBackoff ? toMilliseconds(retryPolicy.maximumBackoff) : 60_000;
  // A pause of nothing would keep the processor busy with an endpoint that is down.
  return Math.round(Math.min(most, Math.max(least, 1) * 2 ** Math.min(attempts - 1, 30)));
}
