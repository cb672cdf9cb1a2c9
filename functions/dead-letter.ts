import { deadLetterId, keepDeadLetter } from '../shared/deadLetters.ts';
import type { Log } from '../shared/log.ts';
import type { Records } from '../shared/storage/records.ts';
import type { Delivery } from '../shared/trigger.ts';

/** https://cloud.google.com/pubsub/docs/handling-failures#how_a_dead-letter_topic_works */
const source = 'CloudPubSubDeadLetterSource';

/** Keeps what was given up where people find it, and from where it can be sent again. */
export async function deadLetter(
  { data, orderingKey }: { data: Buffer; orderingKey?: string },
  { id, attributes: given = {}, publishedAt }: Pick<Delivery, 'id' | 'attributes' | 'publishedAt'>,
  {
    records,
    topicOf,
    log,
    now,
  }: {
    records: Records;
    /** Of a function, whose subscription is called like it. */
    topicOf: (name: string) => string | undefined;
    log: Log;
    now: () => number;
  },
): Promise<void> {
  const {
    [`${source}Subscription`]: name = 'unknown',
    [`${source}DeliveryCount`]: attempts,
    [`${source}TopicPublishTime`]: published = publishedAt,
  } = given;
  const topic = topicOf(name);
  const attributes = Object.entries(given).filter(([key]) => !key.startsWith(source));
  await keepDeadLetter(records, {
    id: deadLetterId(id),
    function: name,
    ...(topic === undefined ? {} : { topic }),
    messageId: id,
    ...(published === undefined ? {} : { publishedAt: published }),
    deadAt: new Date(now()).toISOString(),
    ...(Number(attempts) > 0 ? { attempts: Number(attempts) } : {}),
    attributes: Object.fromEntries(attributes),
    ...(orderingKey === undefined ? {} : { orderingKey }),
    data: data.toString('base64'),
  });
  log.error('a message was given up; npx gazeline dead-letters shows it', { of: name, attempts });
}
