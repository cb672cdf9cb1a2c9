import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';

export type Message = {
  /** Sent as JSON; bytes are sent as they are. */
  data: unknown;
  attributes?: Record<string, string>;
  /** Messages of one key are delivered one after the other, by subscriptions with message ordering. */
  orderingKey?: string;
};

/** Returns when Pub/Sub has every message. @throws when it may not have them; publishing again is then safe. */
export type Publish = (topic: string, messages: Message[]) => Promise<void>;

// https://cloud.google.com/pubsub/quotas#resource_limits allows 1,000 messages and 10 MB a request.
const messagesPerRequest = 500;

export function publishTo(pubsub: pubsub_v1.Pubsub, project: string): Publish {
  return async (topic, messages) => {
    for (let start = 0; start < messages.length; start += messagesPerRequest) {
      const batch = messages.slice(start, start + messagesPerRequest).map(({ data, ...rest }) => ({
        data: (Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data))).toString('base64'),
        ...rest,
      }));
      await pubsub.projects.topics.publish(
        { topic: `projects/${project}/topics/${topic}`, requestBody: { messages: batch } },
        // By itself the library never tries a POST again. A message that arrives twice does no harm here.
        { retryConfig: { httpMethodsToRetry: ['POST'], retry: 4, noResponseRetries: 4 } },
      );
    }
  };
}
