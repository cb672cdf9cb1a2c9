import type { Store } from '../store.ts';
import { alreadyExists, invalid, notFound, unimplemented } from './errors.ts';
import { readMask } from './mask.ts';
import { checkName, checkProject, deletedTopic } from './names.ts';
import { page } from './page.ts';
import type { PubsubMessage, Request, Topic } from './protos.ts';
import type { NewMessage, Queue } from './queue.ts';
import { toMilliseconds } from './tables.ts';

const day = 86_400_000;
/** What a topic can have here. */
const fields = ['labels', 'messageRetentionDuration', 'messageStoragePolicy', 'kmsKeyName', 'tags'] as const;

/** https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics */
export function createTopics({ db, transaction }: Store, queue: Queue) {
  const insert = db.prepare('INSERT INTO pubsub_topics VALUES (?, ?) ON CONFLICT DO NOTHING');
  const select = db.prepare('SELECT resource FROM pubsub_topics WHERE name = ?');
  const update = db.prepare('UPDATE pubsub_topics SET resource = ? WHERE name = ?');
  const remove = db.prepare('DELETE FROM pubsub_topics WHERE name = ?');
  const orphan = db.prepare(`
    UPDATE pubsub_subscriptions SET topic = ?2, resource = json_set(resource, '$.topic', ?2) WHERE topic = ?1`);
  const list = db.prepare(
    'SELECT name, resource FROM pubsub_topics WHERE name > ?2 AND name GLOB ?1 ORDER BY name LIMIT ?3',
  );
  const listSubscriptions = db.prepare(
    'SELECT name FROM pubsub_subscriptions WHERE topic = ? AND name > ? ORDER BY name LIMIT ?',
  );

  const find = (name?: string | null): Topic => {
    const row = select.get(checkName('topics', name));
    if (!row) throw notFound(`Resource not found (resource=${name}).`);
    return JSON.parse(row.resource as string) as Topic;
  };

  return {
    createTopic(request: Topic): Topic {
      const name = checkName('topics', request.name);
      const topic = check({ ...pick(request), name });
      if (!insert.run(name, JSON.stringify(topic)).changes)
        throw alreadyExists(`Resource already exists in the project (resource=${name}).`);
      return topic;
    },

    getTopic: (request: Request<'GetTopicRequest'>): Topic => find(request.topic),

    updateTopic: (request: Request<'UpdateTopicRequest'>): Topic =>
      transaction(() => {
        const changes = request.topic ?? {};
        const topic = find(changes.name);
        const masked = readMask(request.updateMask, fields, 'Topic');
        const updated = check({ ...topic, ...Object.fromEntries(masked.map((key) => [key, changes[key]])) });
        update.run(JSON.stringify(updated), topic.name ?? '');
        return updated;
      }),

    listTopics(request: Request<'ListTopicsRequest'>) {
      const pattern = `${checkProject(request.project)}/topics/*`;
      const { items: topics, nextPageToken } = page(request, (after, limit) =>
        list.all(pattern, after, limit).map(({ name, resource }) => ({
          name: name as string,
          item: JSON.parse(resource as string) as Topic,
        })),
      );
      return { topics, nextPageToken };
    },

    /** Its subscriptions stay, with what they have not yet delivered. */
    deleteTopic: ({ topic }: Request<'DeleteTopicRequest'>): object =>
      transaction(() => {
        const name = find(topic).name ?? '';
        remove.run(name);
        orphan.run(name, deletedTopic);
        return {};
      }),

    listTopicSubscriptions(request: Request<'ListTopicSubscriptionsRequest'>) {
      const topic = find(request.topic).name ?? '';
      const { items: subscriptions, nextPageToken } = page(request, (after, limit) =>
        listSubscriptions.all(topic, after, limit).map(({ name }) => ({
          name: name as string,
          item: name as string,
        })),
      );
      return { subscriptions, nextPageToken };
    },

    publish({ topic, messages }: Request<'PublishRequest'>): { messageIds: string[] } {
      checkName('topics', topic);
      return { messageIds: queue.publish(topic as string, checkMessages(messages ?? [])) };
    },
  };
}

function pick(request: Topic): Topic {
  for (const [key, value] of Object.entries(request)) {
    const known = key === 'name' || (fields as readonly string[]).includes(key);
    if (value && !known && !isEmpty(value)) throw unimplemented(`The local Pub/Sub has no ${key} of topics`);
  }
  return Object.fromEntries(fields.flatMap((key) => (request[key] ? [[key, request[key]]] : [])));
}

const isEmpty = (value: unknown) => typeof value === 'object' && Object.keys(value as object).length === 0;

function check(topic: Topic): Topic {
  const { messageRetentionDuration: retention } = topic;
  if (retention) {
    const time = toMilliseconds(retention);
    if (time < 600_000 || time > 31 * day) throw invalid('message_retention_duration out of bounds');
  }
  return topic;
}

/** https://cloud.google.com/pubsub/quotas#resource_limits */
function checkMessages(messages: PubsubMessage[]): NewMessage[] {
  if (messages.length === 0) throw invalid('No messages to publish');
  if (messages.length > 1000) throw invalid('The limit of messages in a publish request is 1000');
  let total = 0;
  const checked = messages.map(({ data, attributes, orderingKey }): NewMessage => {
    const bytes = Buffer.from((data ?? []) as Uint8Array);
    const entries = Object.entries(attributes ?? {});
    total += bytes.length;
    if (bytes.length === 0 && entries.length === 0) throw invalid('Some messages are empty');
    if (entries.length > 100) throw invalid('A message has at most 100 attributes');
    for (const [key, value] of entries) {
      const size = Buffer.byteLength(key);
      total += size + Buffer.byteLength(value);
      if (size === 0 || size > 256) throw invalid('The key of an attribute has 1 to 256 bytes');
      if (key.startsWith('goog')) throw invalid(`Keys of attributes must not start with goog: ${key}`);
      if (Buffer.byteLength(value) > 1024) throw invalid(`The attribute ${key} is longer than 1024 bytes`);
    }
    if (Buffer.byteLength(orderingKey ?? '') > 1024)
      throw invalid('The ordering key is longer than 1024 bytes');
    return { data: bytes, attributes: Object.fromEntries(entries), orderingKey: orderingKey ?? '' };
  });
  if (total > 10_000_000) throw invalid('The limit of a publish request is 10 MB');
  return checked;
}
