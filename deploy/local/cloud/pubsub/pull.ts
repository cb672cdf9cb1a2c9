import type { protos } from '@google-cloud/pubsub';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Dispatcher, Room } from './dispatcher.ts';
import { failedPrecondition, invalid, notFound, unavailable } from './errors.ts';
import type { PubsubMessage } from './protos.ts';
import type { Delivery, Queue } from './queue.ts';
import { isPush, type SubscriptionRow, type Tables } from './tables.ts';

type ReceivedMessage = protos.google.pubsub.v1.IReceivedMessage;
type StreamingPullRequest = protos.google.pubsub.v1.IStreamingPullRequest;
type StreamingPullResponse = protos.google.pubsub.v1.IStreamingPullResponse;

/** How long a pull waits for the first message before it answers with none (ms). */
const patience = 20_000;
/** So much at most in one answer. */
const most: Room = { count: 1000, bytes: 10_000_000 };

export type Pulling = {
  pull(request: protos.google.pubsub.v1.IPullRequest, signal: AbortSignal): Promise<object>;
  acknowledge(request: protos.google.pubsub.v1.IAcknowledgeRequest): object;
  modifyAckDeadline(request: protos.google.pubsub.v1.IModifyAckDeadlineRequest): object;
  /** Ends when the client ends it or goes away, and throws what ended it otherwise. */
  streamingPull(stream: ServerDuplexStream<StreamingPullRequest, StreamingPullResponse>): Promise<void>;
};

/** Whatever subscribers without an endpoint do. */
export function createPulling(queue: Queue, dispatcher: Dispatcher, tables: Tables): Pulling {
  const find = (name?: string | null): SubscriptionRow => {
    const subscription = tables.subscription(name ?? '');
    if (!subscription) throw notFound(`Resource not found (resource=${name}).`);
    return subscription;
  };
  const findPull = (name?: string | null): SubscriptionRow => {
    const subscription = find(name);
    if (isPush(subscription) || subscription.resource.detached)
      throw failedPrecondition('This method is not supported for this subscription type.');
    return subscription;
  };

  return {
    async pull({ subscription: name, maxMessages, returnImmediately }, signal) {
      const subscription = findPull(name);
      if (!maxMessages || maxMessages < 0) throw invalid('No max_messages specified');
      const limit = { ...most, count: Math.min(maxMessages, most.count) };
      const deadline = (subscription.resource.ackDeadlineSeconds ?? 10) * 1000;
      const deliveries = await new Promise<Delivery[]>((resolve) => {
        const now = queue.lease(subscription, limit, deadline);
        if (now.length > 0 || returnImmediately) return resolve(now);
        const finish = (deliveries: Delivery[]) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', none);
          detach();
          resolve(deliveries);
        };
        const none = () => finish([]);
        const detach = dispatcher.attach(subscription, {
          room: () => limit,
          deadline: () => deadline,
          take: finish,
          end: none,
        });
        const timer = setTimeout(none, patience);
        signal.addEventListener('abort', none);
      });
      return { receivedMessages: deliveries.map((delivery) => received(delivery, subscription)) };
    },

    acknowledge({ subscription: name, ackIds }) {
      const subscription = find(name);
      if (!ackIds?.length) throw invalid('No ack ids specified.');
      queue.acknowledge(subscription, ackIds);
      return {};
    },

    modifyAckDeadline({ subscription: name, ackIds, ackDeadlineSeconds }) {
      const subscription = find(name);
      if (!ackIds?.length) throw invalid('No ack ids specified.');
      queue.modifyAckDeadline(subscription, ackIds, checkDeadline(ackDeadlineSeconds ?? 0, 0));
      return {};
    },

    streamingPull: (stream) =>
      new Promise<void>((resolve, reject) => {
        let subscription: SubscriptionRow | undefined;
        let deadline = 10;
        let limit = { count: 1000, bytes: Infinity };
        let keepAlive = false;
        let detach = () => {};

        const open = (request: StreamingPullRequest) => {
          subscription = findPull(request.subscription);
          const { maxOutstandingMessages: count, maxOutstandingBytes: bytes } = request;
          // 0 and less: no limit of the client's. https://cloud.google.com/pubsub/docs/pull#streamingpull_api
          limit = {
            count: Number(count) > 0 ? Number(count) : most.count * 10,
            bytes: Number(bytes) > 0 ? Number(bytes) : Infinity,
          };
          keepAlive = Number(request.protocolVersion) >= 1;
          deadline = checkDeadline(request.streamAckDeadlineSeconds ?? 0, 10);
          const { enableMessageOrdering: messageOrderingEnabled = false } = subscription.resource;
          const from = subscription;
          detach = dispatcher.attach(from, {
            room: (held) => ({
              count: Math.min(limit.count - held.count, most.count),
              bytes: Math.min(limit.bytes - held.bytes, most.bytes),
            }),
            deadline: () => deadline * 1000,
            take: (deliveries) =>
              stream.write({
                receivedMessages: deliveries.map((delivery) => received(delivery, from)),
                subscriptionProperties: { messageOrderingEnabled },
              }),
            end: () =>
              finish(
                tables.subscription(from.name)
                  ? unavailable('The server is closing')
                  : notFound(`Resource not found (resource=${from.name}).`),
              ),
          });
        };
        const more = (request: StreamingPullRequest, subscription: SubscriptionRow) => {
          if (request.subscription) throw invalid('The subscription is named in the first request only');
          if (request.streamAckDeadlineSeconds)
            deadline = checkDeadline(request.streamAckDeadlineSeconds, 10);
          const { ackIds, modifyDeadlineAckIds = [], modifyDeadlineSeconds = [] } = request;
          if (ackIds?.length) queue.acknowledge(subscription, ackIds);
          modifyDeadlineAckIds?.forEach((ackId, index) => {
            queue.modifyAckDeadline(
              subscription,
              [ackId],
              checkDeadline(modifyDeadlineSeconds?.[index] ?? 0, 0),
            );
          });
          // A client of version 1 takes a silent server for a dead one.
          if (keepAlive) stream.write({});
        };
        const finish = (error?: Error) => {
          detach();
          if (error) reject(error);
          else resolve();
        };

        stream.on('data', (request: StreamingPullRequest) => {
          try {
            if (subscription) more(request, subscription);
            else open(request);
          } catch (error) {
            finish(error as Error);
          }
        });
        stream.on('end', () => finish());
        stream.on('cancelled', () => finish());
        stream.on('error', () => finish());
      }),
  };
}

function checkDeadline(seconds: number, least: number): number {
  if (seconds < least || seconds > 600)
    throw invalid(`Invalid ack deadline given (${seconds}): must be between ${least} and 600 seconds.`);
  return seconds;
}

function received(delivery: Delivery, { resource }: SubscriptionRow): ReceivedMessage {
  const { id: messageId, data, attributes, orderingKey, published, ackId, attempt } = delivery;
  const publishTime = { seconds: Math.floor(published / 1000), nanos: (published % 1000) * 1e6 };
  const message: PubsubMessage = { data, attributes, messageId, publishTime, orderingKey };
  return { ackId, message, ...(resource.deadLetterPolicy ? { deliveryAttempt: attempt } : {}) };
}
