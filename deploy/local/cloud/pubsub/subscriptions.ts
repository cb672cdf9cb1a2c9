import type { Store } from '../store.ts';
import { alreadyExists, invalid, notFound, unimplemented } from './errors.ts';
import { parseFilter } from './filter.ts';
import { readMask } from './mask.ts';
import { checkName, checkProject } from './names.ts';
import { page } from './page.ts';
import type { Duration, Request, Subscription } from './protos.ts';
import type { Queue } from './queue.ts';
import { type SubscriptionRow, type Tables, toMilliseconds } from './tables.ts';

const day = 86_400;
const changeable = [
  'ackDeadlineSeconds',
  'deadLetterPolicy',
  'expirationPolicy',
  'labels',
  'messageRetentionDuration',
  'pushConfig',
  'retryPolicy',
] as const;
const fixed = ['name', 'topic', 'enableMessageOrdering', 'filter', 'tags'] as const;
const fields: readonly string[] = [...changeable, ...fixed];

/**
 * https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
 * @param changed called when a subscription was made, changed or deleted
 */
export function createSubscriptions(
  { db, transaction }: Store,
  tables: Tables,
  queue: Queue,
  changed: (subscription: SubscriptionRow) => void,
) {
  const insert = db.prepare(
    'INSERT INTO pubsub_subscriptions (name, topic, resource) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const update = db.prepare('UPDATE pubsub_subscriptions SET resource = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM pubsub_subscriptions WHERE id = ?');
  const list = db.prepare(
    'SELECT name, resource FROM pubsub_subscriptions WHERE name > ?2 AND name GLOB ?1 ORDER BY name LIMIT ?3',
  );

  const find = (name?: string | null): SubscriptionRow => {
    const row = tables.subscription(checkName('subscriptions', name));
    if (!row) throw notFound(`Resource not found (resource=${name}).`);
    return row;
  };
  const save = (row: SubscriptionRow, resource: Subscription): Subscription => {
    update.run(JSON.stringify(resource), row.id);
    changed({ ...row, resource });
    return resource;
  };
  const checkTopics = ({ topic, deadLetterPolicy }: Subscription, name: string) => {
    if (!tables.hasTopic(checkName('topics', topic))) throw notFound('Subscription topic does not exist');
    checkDeadLetterTopic(deadLetterPolicy, name);
  };
  const checkDeadLetterTopic = (policy: Subscription['deadLetterPolicy'], name: string) => {
    if (!policy) return;
    if (!tables.hasTopic(checkName('topics', policy.deadLetterTopic)))
      throw notFound(`Dead letter topic not found (subscription=${name})`);
  };

  return {
    createSubscription: (request: Subscription): Subscription =>
      transaction(() => {
        const name = checkName('subscriptions', request.name);
        const resource = check({ ...pick(request), name });
        checkTopics(resource, name);
        if (!insert.run(name, resource.topic ?? '', JSON.stringify(resource)).changes)
          throw alreadyExists(`Resource already exists in the project (resource=${name}).`);
        changed(find(name));
        return resource;
      }),

    getSubscription: (request: Request<'GetSubscriptionRequest'>) => find(request.subscription).resource,

    updateSubscription: (request: Request<'UpdateSubscriptionRequest'>) =>
      transaction(() => {
        const changes = request.subscription ?? {};
        const row = find(changes.name);
        const masked = readMask(request.updateMask, changeable, 'Subscription');
        const updates = Object.fromEntries(masked.map((key) => [key, changes[key] ?? undefined]));
        const resource = check({ ...row.resource, ...updates });
        if (masked.includes('deadLetterPolicy')) checkDeadLetterTopic(resource.deadLetterPolicy, row.name);
        return save(row, resource);
      }),

    modifyPushConfig: ({ subscription, pushConfig }: Request<'ModifyPushConfigRequest'>) =>
      transaction(() => {
        const row = find(subscription);
        save(row, check({ ...row.resource, pushConfig: pushConfig ?? {} }));
        return {};
      }),

    listSubscriptions(request: Request<'ListSubscriptionsRequest'>) {
      const pattern = `${checkProject(request.project)}/subscriptions/*`;
      const { items: subscriptions, nextPageToken } = page(request, (after, limit) =>
        list.all(pattern, after, limit).map(({ name, resource }) => ({
          name: name as string,
          item: JSON.parse(resource as string) as Subscription,
        })),
      );
      return { subscriptions, nextPageToken };
    },

    deleteSubscription: ({ subscription }: Request<'DeleteSubscriptionRequest'>): object =>
      transaction(() => {
        const row = find(subscription);
        queue.drop(row, Infinity);
        remove.run(row.id);
        changed(row);
        return {};
      }),

    detachSubscription: ({ subscription }: Request<'DetachSubscriptionRequest'>): object =>
      transaction(() => {
        const row = find(subscription);
        queue.drop(row, Infinity);
        save(row, { ...row.resource, pushConfig: {}, detached: true });
        return {};
      }),

    /** Forward only: what was acknowledged is not kept, and does not come back. */
    seek({ subscription, time }: Request<'SeekRequest'>): object {
      const row = find(subscription);
      if (!time) throw unimplemented('The local Pub/Sub seeks to a time, and has no snapshots');
      queue.drop(row, toMilliseconds(time));
      return {};
    },
  };
}

function pick(request: Subscription): Subscription {
  for (const [key, value] of Object.entries(request)) {
    const empty = typeof value === 'object' && Object.keys(value ?? {}).length === 0;
    if (value && !empty && !fields.includes(key))
      throw unimplemented(`The local Pub/Sub has no ${key} of subscriptions`);
  }
  return Object.fromEntries(Object.entries(request).filter(([key, value]) => fields.includes(key) && value));
}

/** The subscription with the defaults filled in. */
function check(subscription: Subscription): Subscription {
  const { deadLetterPolicy, retryPolicy, expirationPolicy, pushConfig } = subscription;
  const ackDeadlineSeconds = subscription.ackDeadlineSeconds || 10;
  within('ack_deadline_seconds', ackDeadlineSeconds, 10, 600);
  const messageRetentionDuration = subscription.messageRetentionDuration ?? { seconds: 7 * day };
  within('message_retention_duration', secondsOf(messageRetentionDuration), 600, 31 * day);
  if (expirationPolicy?.ttl) within('expiration_policy.ttl', secondsOf(expirationPolicy.ttl), day, Infinity);
  const endpoint = pushConfig?.pushEndpoint;
  if (endpoint && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    throw invalid(`Unsupported push_endpoint: ${endpoint}`);
  parseFilter(subscription.filter ?? '');
  return {
    ...subscription,
    pushConfig: pushConfig ?? {},
    ackDeadlineSeconds,
    messageRetentionDuration,
    expirationPolicy: expirationPolicy ?? { ttl: { seconds: 31 * day } },
    ...(deadLetterPolicy ? { deadLetterPolicy: checkDeadLetterPolicy(deadLetterPolicy) } : {}),
    ...(retryPolicy ? { retryPolicy: checkRetryPolicy(retryPolicy) } : {}),
  };
}

function checkDeadLetterPolicy(policy: NonNullable<Subscription['deadLetterPolicy']>) {
  const maxDeliveryAttempts = policy.maxDeliveryAttempts || 5;
  within('max_delivery_attempts', maxDeliveryAttempts, 5, 100);
  return { ...policy, maxDeliveryAttempts };
}

function checkRetryPolicy(policy: NonNullable<Subscription['retryPolicy']>) {
  const minimumBackoff = policy.minimumBackoff ?? { seconds: 10 };
  const maximumBackoff = policy.maximumBackoff ?? { seconds: 600 };
  within('minimum_backoff', secondsOf(minimumBackoff), 0, 600);
  within('maximum_backoff', secondsOf(maximumBackoff), secondsOf(minimumBackoff), 600);
  return { minimumBackoff, maximumBackoff };
}

const secondsOf = (duration: Duration) => toMilliseconds(duration) / 1000;

function within(field: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw invalid(`Invalid ${field} (${value}): must be between ${least} and ${most}.`);
}
