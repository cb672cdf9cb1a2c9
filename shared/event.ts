import * as z from 'zod';
import type { Incoming } from './trigger.ts';

export type Event = {
  id: string;
  /** A CloudEvent's type; empty for a plain Pub/Sub push. */
  type: string;
  attributes: Record<string, string>;
  /** When a Pub/Sub message was published, by Google's clock. */
  publishedAt?: string;
  orderingKey?: string;
  /** The bytes of a Pub/Sub message, or the JSON of a CloudEvent. */
  data: unknown;
};

const PubSubPush = z.object({
  message: z.object({
    messageId: z.string().min(1),
    data: z.base64().default(''),
    attributes: z.record(z.string(), z.string()).nullish(),
    publishTime: z.iso.datetime().optional().catch(undefined),
    orderingKey: z.string().optional(),
  }),
});
const CloudEvent = z.object({ id: z.string().min(1), type: z.string(), data: z.unknown() });
const messagePublished = 'google.cloud.pubsub.topic.v1.messagePublished';

/**
 * The four ways in which an event may reach us: pushed by a subscription of ours, or as a CloudEvent in binary or
 * structured mode, which may hold a Pub/Sub message again.
 * https://cloud.google.com/pubsub/docs/push#receive_push
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export function eventOf({ headers, body }: Incoming): Event {
  const json = parseJson(body);
  const structured = headers['content-type']?.startsWith('application/cloudevents+json');
  if (structured || headers['ce-id']) {
    const cloudEvent = CloudEvent.parse(
      structured ? json : { id: headers['ce-id'], type: headers['ce-type'], data: json },
    );
    if (cloudEvent.type !== messagePublished) return { ...cloudEvent, attributes: {} };
    return { ...pubSubEvent(cloudEvent.data), type: cloudEvent.type };
  }
  return pubSubEvent(json);
}

function pubSubEvent(json: unknown): Event {
  const { messageId, data, attributes, publishTime, orderingKey } = PubSubPush.parse(json).message;
  return {
    id: messageId,
    type: '',
    attributes: attributes ?? {},
    data: Buffer.from(data, 'base64'),
    ...(publishTime ? { publishedAt: publishTime } : {}),
    ...(orderingKey ? { orderingKey } : {}),
  };
}

export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new SyntaxError('expected JSON');
  }
}
