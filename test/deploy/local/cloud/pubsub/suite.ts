import { type Message, PubSub, type Subscription, type Topic, v1 } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { type Receiver, startReceiver, until } from './receiver.ts';

export type Host = {
  /** `127.0.0.1:PORT` */
  grpc: string;
  /** `http://127.0.0.1:PORT` */
  http: string;
};

/**
 * What Google's own clients see of Pub/Sub, whoever serves it.
 * The emulator has no filters, so they are tested elsewhere.
 * @param host called when the tests run
 */
export function describePubSub(host: () => Host): void {
  let pubsub: PubSub;
  let rest: pubsub_v1.Pubsub;
  let low: InstanceType<typeof v1.SubscriberClient>;
  const receivers: Receiver[] = [];
  let count = 0;

  beforeAll(() => {
    const { grpc, http } = host();
    pubsub = new PubSub({ projectId: 'lab', apiEndpoint: grpc, emulatorMode: true });
    rest = new pubsub_v1.Pubsub({ rootUrl: `${http}/`, retry: false });
    // The client's own options, so that it, too, talks without encryption.
    low = new v1.SubscriberClient({ ...(pubsub.options as object), projectId: 'lab' });
  });
  afterAll(async () => {
    await low.close();
    await pubsub.close();
    for (const receiver of receivers) await receiver.close();
  });

  const fresh = (kind: string) => `${kind}-${Date.now().toString(36)}-${count++}`;
  const newTopic = async () => (await pubsub.createTopic(fresh('topic')))[0];
  type Options = Parameters<Topic['createSubscription']>[1];
  const subscribe = async (topic: Topic, options: Options = {}) =>
    (await topic.createSubscription(fresh('subscription'), options))[0];
  const receive = async (answer?: Parameters<typeof startReceiver>[0]) => {
    const receiver = await startReceiver(answer);
    receivers.push(receiver);
    return receiver;
  };
  const send = (
    topic: Topic,
    text: string,
    rest: { attributes?: Record<string, string>; orderingKey?: string } = {},
  ) => topic.publishMessage({ data: Buffer.from(text), ...rest });
  const pull = async ({ name: subscription }: Subscription, maxMessages = 100, returnImmediately = false) => {
    const [{ receivedMessages }] = await low.pull({ subscription, maxMessages, returnImmediately });
    return (receivedMessages ?? []).map(({ message, ackId, deliveryAttempt }) => ({
      ackId: ackId ?? '',
      id: message?.messageId,
      text: Buffer.from((message?.data ?? '') as Buffer).toString(),
      attributes: message?.attributes ?? {},
      deliveryAttempt,
    }));
  };
  /** Pulls until there are so many, and acknowledges them. */
  const pullAll = async (subscription: Subscription, count: number) => {
    const all: Awaited<ReturnType<typeof pull>> = [];
    while (all.length < count) {
      const some = await pull(subscription);
      if (some.length > 0)
        await low.acknowledge({ subscription: subscription.name, ackIds: some.map(({ ackId }) => ackId) });
      all.push(...some);
    }
    return all;
  };
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'no error',
      (error: { code?: unknown }) => error.code,
    );

  test('a topic is made once, found, listed and deleted', async () => {
    const topic = await newTopic();
    expect(await codeOf(pubsub.createTopic(topic.name))).toBe(6);
    const [topics] = await pubsub.getTopics();
    expect(topics.map(({ name }) => name)).toContain(topic.name);
    await topic.delete();
    expect(await codeOf(topic.getMetadata())).toBe(5);
    expect(await codeOf(topic.delete())).toBe(5);
  });

  test('a subscription has the documented defaults, is changed field by field, and is listed with its topic', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    const [metadata] = await subscription.getMetadata();
    expect(metadata).toMatchObject({ topic: topic.name, ackDeadlineSeconds: 10 });
    expect(Number(metadata.messageRetentionDuration?.seconds)).toBe(604_800);
    expect(await codeOf(topic.createSubscription(subscription.name))).toBe(6);

    await subscription.setMetadata({ ackDeadlineSeconds: 77 });
    const retryPolicy = { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 2 } };
    await subscription.setMetadata({ retryPolicy });
    const [changed] = await subscription.getMetadata();
    expect(changed).toMatchObject({ topic: topic.name, ackDeadlineSeconds: 77 });
    expect(Number(changed.retryPolicy?.maximumBackoff?.seconds)).toBe(2);

    const [ofTopic] = await topic.getSubscriptions();
    expect(ofTopic.map(({ name }) => name)).toEqual([subscription.name]);
    await subscription.delete();
    expect(await codeOf(subscription.getMetadata())).toBe(5);
  });

  test('what cannot be is refused as an invalid argument, and what is not there as not found', async () => {
    const topic = await newTopic();
    expect(await codeOf(pubsub.createTopic('goog-mine'))).toBe(3);
    expect(await codeOf(pubsub.createTopic('x'))).toBe(3);
    expect(await codeOf(topic.publishMessage({ data: Buffer.alloc(0) }))).toBe(3);
    expect(await codeOf(subscribe(topic, { pushConfig: { pushEndpoint: 'nowhere' } }))).toBe(3);
    expect(await codeOf(subscribe(topic, { messageRetentionDuration: { seconds: 5 } }))).toBe(3);
    expect(await codeOf(send(pubsub.topic('nobody'), 'x'))).toBe(5);
    expect(await codeOf(subscribe(pubsub.topic('nobody')))).toBe(5);
    const subscription = await subscribe(topic);
    const { name } = subscription;
    expect(await codeOf(low.pull({ subscription: name, maxMessages: 0 }))).toBe(3);
    expect(await codeOf(low.acknowledge({ subscription: name, ackIds: ['bogus'] }))).toBe(3);
    expect(await codeOf(low.acknowledge({ subscription: `${name}x`, ackIds: ['1'] }))).toBe(5);
    expect(
      await codeOf(low.updateSubscription({ subscription: { name }, updateMask: { paths: ['colour'] } })),
    ).toBe(3);
  });

  test('a message reaches every subscription that was there, with its attributes, once it is acknowledged no more', async () => {
    const topic = await newTopic();
    const [one, two] = [await subscribe(topic), await subscribe(topic)];
    const ids = [await send(topic, 'first', { attributes: { kind: 'a' } }), await send(topic, 'second')];
    expect(BigInt(ids[1] ?? 0) > BigInt(ids[0] ?? 0)).toBe(true);
    const late = await subscribe(topic);
    for (const subscription of [one, two]) {
      const all = await pullAll(subscription, 2);
      expect(all.map(({ id, text, attributes }) => [id, text, attributes])).toEqual([
        [ids[0], 'first', { kind: 'a' }],
        [ids[1], 'second', {}],
      ]);
    }
    for (const subscription of [one, late]) expect(await pull(subscription, 10, true)).toEqual([]);
  });

  test('a message that is given back comes again', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    const id = await send(topic, 'again');
    const [first] = await pull(subscription);
    await low.modifyAckDeadline({
      subscription: subscription.name,
      ackIds: [first?.ackId ?? ''],
      ackDeadlineSeconds: 0,
    });
    expect((await pullAll(subscription, 1))[0]).toMatchObject({ id, text: 'again' });
  });

  test('who gave a message back has no say any more when it was delivered again', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    await send(topic, 'again');
    const giveBack = (ackId = '') =>
      low.modifyAckDeadline({ subscription: subscription.name, ackIds: [ackId], ackDeadlineSeconds: 0 });
    const [first] = await pull(subscription);
    await giveBack(first?.ackId);
    await pull(subscription);
    await giveBack(first?.ackId);
    expect(await pull(subscription, 1, true)).toEqual([]);
  });

  test('a pull waits for the message that is still to come', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    const pulled = pull(subscription);
    await send(topic, 'late');
    expect((await pulled).map(({ text }) => text)).toEqual(['late']);
  });

  test('a listening client gets every message, and again what it gave back', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    const seen: string[] = [];
    const refused = new Set<string>();
    const errors: unknown[] = [];
    subscription.on('error', (error) => errors.push(error));
    subscription.on('message', (message: Message) => {
      const text = message.data.toString();
      if (Number(text) % 10 === 0 && !refused.has(text)) {
        refused.add(text);
        message.nack();
        return;
      }
      seen.push(text);
      message.ack();
    });
    const texts = Array.from({ length: 300 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => send(topic, text)));
    await until(() => seen.length >= 300);
    await subscription.close();
    expect([...new Set(seen)].sort()).toEqual([...texts].sort());
    expect(refused.size).toBe(30);
    expect(errors).toEqual([]);
  });

  test('messages of one ordering key come in their order', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic, { enableMessageOrdering: true });
    const ordered = pubsub.topic(topic.name, { messageOrdering: true });
    const seen = new Map<string, number[]>([
      ['red', []],
      ['blue', []],
    ]);
    subscription.on('message', (message: Message) => {
      seen.get(message.orderingKey ?? '')?.push(Number(message.data));
      message.ack();
    });
    const numbers = Array.from({ length: 15 }, (_, index) => index);
    await Promise.all(
      numbers.flatMap((number) =>
        [...seen.keys()].map((orderingKey) => send(ordered, String(number), { orderingKey })),
      ),
    );
    await until(() => [...seen.values()].every((list) => list.length >= 15));
    await subscription.close();
    expect([...seen.values()]).toEqual([numbers, numbers]);
  });

  test('a message that nobody takes becomes a dead letter that says where it came from', async () => {
    const [topic, letters] = [await newTopic(), await newTopic()];
    const lettersSubscription = await subscribe(letters);
    const subscription = await subscribe(topic, {
      deadLetterPolicy: { deadLetterTopic: letters.name, maxDeliveryAttempts: 5 },
    });
    await send(topic, 'bad', { attributes: { mine: 'yes' } });
    const attempts: unknown[] = [];
    while (attempts.length < 5) {
      for (const { ackId, deliveryAttempt } of await pull(subscription, 1)) {
        attempts.push(deliveryAttempt);
        await low.modifyAckDeadline({
          subscription: subscription.name,
          ackIds: [ackId],
          ackDeadlineSeconds: 0,
        });
      }
    }
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    const letter = await until(async () => {
      // Google's emulator forwards a dead letter only when somebody asks for more.
      expect(await pull(subscription, 1, true)).toEqual([]);
      return (await pull(lettersSubscription, 1, true))[0];
    });
    expect(letter).toMatchObject({
      text: 'bad',
      attributes: {
        mine: 'yes',
        CloudPubSubDeadLetterSourceDeliveryCount: '5',
        CloudPubSubDeadLetterSourceSubscription: subscription.name.split('/').at(-1),
        CloudPubSubDeadLetterSourceSubscriptionProject: 'lab',
        CloudPubSubDeadLetterSourceTopicPublishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
    });
  });

  test('a push carries the message as documented, and comes again until it is accepted', async () => {
    const statuses = [500, 404, 204];
    const receiver = await receive(() => statuses.shift() ?? 200);
    const topic = await newTopic();
    const subscription = await subscribe(topic, {
      pushConfig: { pushEndpoint: receiver.url },
      retryPolicy: { minimumBackoff: { nanos: 1e8 }, maximumBackoff: { seconds: 1 } },
    });
    const messageId = await send(topic, 'ü', { attributes: { kind: 'a' } });
    await until(() => receiver.pushes.length === 3);
    const { text: _text, at: _at, headers, ...body } = receiver.pushes[0] as Receiver['pushes'][number];
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    expect(body).toEqual({
      message: {
        data: Buffer.from('ü').toString('base64'),
        attributes: { kind: 'a' },
        messageId,
        message_id: messageId,
        publishTime: time,
        publish_time: time,
      },
      subscription: subscription.name,
    });
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(new Set(receiver.pushes.map(({ message }) => message.messageId))).toEqual(new Set([messageId]));
    const [first = 0, second = 0] = receiver.pushes.map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(90);
  });

  test('a pull subscription becomes a push subscription with what has waited in it', async () => {
    const receiver = await receive();
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    await send(topic, 'waited');
    await subscription.modifyPushConfig({ pushEndpoint: receiver.url });
    await send(topic, 'came');
    await until(() => receiver.pushes.length === 2);
    expect(receiver.pushes.map(({ text }) => text).sort()).toEqual(['came', 'waited']);
  });

  test('a subscription outlives its topic with the messages it has', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    await send(topic, 'left behind');
    await topic.delete();
    expect((await subscription.getMetadata())[0].topic).toBe('_deleted-topic_');
    expect((await pullAll(subscription, 1)).map(({ text }) => text)).toEqual(['left behind']);
  });

  test('the same is there in JSON', async () => {
    const { topics, subscriptions } = rest.projects;
    const topic = `projects/lab/topics/${fresh('json')}`;
    const name = `projects/lab/subscriptions/${fresh('json')}`;
    await topics.create({ name: topic, requestBody: { labels: { colour: 'red' } } });
    expect(await codeOf(topics.create({ name: topic }))).toBe(409);
    expect((await topics.get({ topic })).data).toEqual({ name: topic, labels: { colour: 'red' } });
    const { data: made } = await subscriptions.create({
      name,
      requestBody: { topic, ackDeadlineSeconds: 20, retryPolicy: {}, expirationPolicy: {} },
    });
    expect(made).toEqual({
      name,
      topic,
      ackDeadlineSeconds: 20,
      messageRetentionDuration: '604800s',
      pushConfig: {},
      retryPolicy: { minimumBackoff: '10s', maximumBackoff: '600s' },
      expirationPolicy: {},
    });
    const data = Buffer.from('hello').toString('base64');
    const messages = [
      { data, attributes: { a: 'b' } },
      { data, orderingKey: 'k' },
    ];
    const { messageIds } = (await topics.publish({ topic, requestBody: { messages } })).data;
    expect(messageIds).toHaveLength(2);
    const pulled = await subscriptions.pull({ subscription: name, requestBody: { maxMessages: 10 } });
    const received = pulled.data.receivedMessages ?? [];
    const publishTime = expect.any(String);
    expect(received.map(({ message }) => message)).toEqual([
      { data, attributes: { a: 'b' }, messageId: messageIds?.[0], publishTime },
      { data, messageId: messageIds?.[1], orderingKey: 'k', publishTime },
    ]);
    const ackIds = received.map(({ ackId }) => ackId ?? '');
    await subscriptions.modifyAckDeadline({
      subscription: name,
      requestBody: { ackIds, ackDeadlineSeconds: 30 },
    });
    await subscriptions.acknowledge({ subscription: name, requestBody: { ackIds } });
    const { data: patched } = await subscriptions.patch({
      name,
      requestBody: { subscription: { name, ackDeadlineSeconds: 33 }, updateMask: 'ackDeadlineSeconds' },
    });
    expect(patched).toMatchObject({ topic, ackDeadlineSeconds: 33 });
    const listed = await topics.subscriptions.list({ topic });
    expect(listed.data).toEqual({ subscriptions: [name] });
    await subscriptions.delete({ subscription: name });
    expect(await codeOf(subscriptions.get({ subscription: name }))).toBe(404);
    const unknown = { requestBody: { nope: 1 } as object };
    expect(await codeOf(topics.create({ name: `${topic}2`, ...unknown }))).toBe(400);
  });
}
