import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../service.ts';
import type { Consumer, Dispatcher } from './dispatcher.ts';
import { createPost } from './post.ts';
import type { Subscription } from './protos.ts';
import type { Delivery, Queue } from './queue.ts';
import { isPush, type SubscriptionRow, type Tables } from './tables.ts';

/** How many messages an endpoint has at once: one more with each acknowledgement, half after each failure. */
const window = { least: 50, most: 100 };

/** https://cloud.google.com/pubsub/docs/push#receive_push */
const acknowledging = new Set([102, 200, 201, 202, 204]);

export type Pushing = {
  /** To be called when a subscription was made, or got another push configuration. */
  refresh(subscription: SubscriptionRow): void;
  close(): void;
};

/** Sends the messages of every push subscription to its endpoint. */
export function createPushing(
  { faults, requests }: Context,
  queue: Queue,
  dispatcher: Dispatcher,
  tables: Tables,
): Pushing {
  const post = createPost();
  const stopping = new AbortController();
  const attached = new Map<number, () => void>();

  function pusherOf({ id, name }: SubscriptionRow): Consumer {
    let size = window.least;
    const resource = (): Subscription => tables.subscription(name)?.resource ?? {};

    async function send(delivery: Delivery, url: string, body: Buffer, headers: Record<string, string>) {
      const late = faults.strike('pubsub', ['latePush'], { path: name });
      if (late) await sleep(Math.random() * late.ms, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      const status = await post(url, body, headers);
      if (stopping.signal.aborted) return;
      const { id: messageId, attempt, ackId } = delivery;
      const detail = { subscription: name, messageId, attempt };
      requests.add({ service: 'pubsub', method: 'PUSH', url, status, detail });

      const subscription = tables.subscription(name);
      if (subscription?.id !== id) return;
      if (acknowledging.has(status)) {
        size = Math.min(size + 1, window.most);
        queue.acknowledge(subscription, [ackId]);
      } else {
        size = Math.max(Math.floor(size / 2), window.least);
        queue.modifyAckDeadline(subscription, [ackId], 0);
      }
    }

    return {
      room: ({ count }) => ({ count: size - count, bytes: Infinity }),
      deadline: () => (resource().ackDeadlineSeconds ?? 10) * 1000,
      take(deliveries) {
        const subscription = resource();
        const url = subscription.pushConfig?.pushEndpoint;
        if (!url) return;
        for (const delivery of deliveries) {
          // It is found at the deadline, like any message that nobody answered for.
          if (faults.strike('pubsub', ['lostPush'], { path: name })) continue;
          const { body, headers } = requestOf(subscription, name, delivery);
          const copies = faults.strike('pubsub', ['doubledPush'], { path: name }) ? 2 : 1;
          for (let copy = 0; copy < copies; copy++) void send(delivery, url, body, headers);
        }
      },
      end: () => attached.delete(id),
    };
  }

  const refresh = (subscription: SubscriptionRow) => {
    const { id } = subscription;
    const wanted = isPush(subscription);
    if (wanted === attached.has(id)) return;
    if (wanted) attached.set(id, dispatcher.attach(subscription, pusherOf(subscription)));
    else {
      attached.get(id)?.();
      attached.delete(id);
    }
  };

  for (const subscription of tables.pushSubscriptions()) {
    queue.endLeases(subscription);
    refresh(subscription);
  }

  return {
    refresh,
    close() {
      stopping.abort();
      post.close();
    },
  };
}

function requestOf({ pushConfig, deadLetterPolicy }: Subscription, name: string, delivery: Delivery) {
  const { id, data, attributes, orderingKey, attempt } = delivery;
  const publishTime = new Date(delivery.published).toISOString();
  // https://cloud.google.com/pubsub/docs/payload-unwrapping
  if (pushConfig?.noWrapper) {
    const metadata = {
      'x-goog-pubsub-subscription-name': name,
      'x-goog-pubsub-message-id': id,
      'x-goog-pubsub-publish-time': publishTime,
      ...(orderingKey ? { 'x-goog-pubsub-ordering-key': orderingKey } : {}),
      ...attributes,
    };
    return { body: data, headers: pushConfig.noWrapper.writeMetadata ? headersOf(metadata) : {} };
  }
  const message = {
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    ...(data.length > 0 ? { data: data.toString('base64') } : {}),
    messageId: id,
    message_id: id,
    ...(orderingKey ? { orderingKey } : {}),
    publishTime,
    publish_time: publishTime,
  };
  const body = { ...(deadLetterPolicy ? { deliveryAttempt: attempt } : {}), message, subscription: name };
  return { body: Buffer.from(JSON.stringify(body)), headers: { 'content-type': 'application/json' } };
}

/** Headers that say how the request itself travels. */
const reserved =
  /^(connection|content-length|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** What HTTP cannot carry is left out; a message cannot be made unsendable by an attribute. */
function headersOf(attributes: Record<string, string>): Record<string, string> {
  const entries = Object.entries(attributes).filter(
    ([key, value]) => /^[\w.~-]+$/.test(key) && !reserved.test(key) && /^[\t\x20-\x7e]*$/.test(value),
  );
  return Object.fromEntries(entries);
}
