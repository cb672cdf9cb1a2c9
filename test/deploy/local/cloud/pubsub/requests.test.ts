import { PubSub } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { clients } from '../../../../../shared/clients.ts';
import { requestsAt, setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';

const cloud = useLocalCloud();
let topics: pubsub_v1.Pubsub['projects']['topics'];
let subscriptions: pubsub_v1.Pubsub['projects']['subscriptions'];
let pubsub: PubSub;
const topic = 'projects/lab/topics/things';
beforeAll(async () => {
  ({ topics, subscriptions } = (await clients.pubsub()).projects);
  pubsub = new PubSub({ projectId: 'lab', apiEndpoint: cloud.grpcHost, emulatorMode: true });
  await topics.create({ name: topic });
});
afterAll(() => pubsub.close());

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code,
  );
let count = 0;
const create = async (requestBody: object) => {
  const name = `projects/lab/subscriptions/things-${count++}`;
  await subscriptions.create({ name, requestBody: { topic, ...requestBody } });
  return name;
};
const publish = (...messages: pubsub_v1.Schema$PubsubMessage[]) =>
  topics.publish({ topic, requestBody: { messages } });
const data = Buffer.from('x').toString('base64');

test.each([
  ['more than 1000 messages', Array.from({ length: 1001 }, () => ({ data }))],
  ['more than 10 MB', [{ data: Buffer.alloc(10_000_001).toString('base64') }]],
  ['an ordering key of more than 1024 bytes', [{ data, orderingKey: 'ü'.repeat(513) }]],
  ['an attribute without a key', [{ data, attributes: { '': 'x' } }]],
  ['an attribute whose key is too long', [{ data, attributes: { ['k'.repeat(257)]: 'x' } }]],
  ['an attribute whose value is too long', [{ data, attributes: { k: 'v'.repeat(1025) } }]],
  ['an attribute of Google’s', [{ data, attributes: { 'google-thing': 'x' } }]],
  [
    'too many attributes',
    [{ data, attributes: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, 'v'])) }],
  ],
  ['nothing in it', [{ data: '' }]],
])('a message with %s is refused', async (_, messages) => {
  expect(await codeOf(publish(...messages))).toBe(400);
});

test('a message of 10 MB goes in and out by either door', async () => {
  const name = await create({});
  const big = Buffer.alloc(9_999_999, 7);
  await publish({ data: big.toString('base64') });
  await pubsub.topic(topic).publishMessage({ data: big });
  for (let received = 0; received < 2; received++) {
    const { data } = await subscriptions.pull({ subscription: name, requestBody: { maxMessages: 2 } });
    expect(data.receivedMessages?.length).toBe(1);
    expect(Buffer.from(data.receivedMessages?.[0]?.message?.data ?? '', 'base64').equals(big)).toBe(true);
  }
});

test.each([
  { ackDeadlineSeconds: 9 },
  { ackDeadlineSeconds: 601 },
  { messageRetentionDuration: '599s' },
  { messageRetentionDuration: 'a week' },
  { retryPolicy: { minimumBackoff: '601s' } },
  { retryPolicy: { minimumBackoff: '20s', maximumBackoff: '10s' } },
  { deadLetterPolicy: { deadLetterTopic: topic, maxDeliveryAttempts: 4 } },
  { deadLetterPolicy: { deadLetterTopic: topic, maxDeliveryAttempts: 101 } },
  { pushConfig: { pushEndpoint: 'file:///etc/passwd' } },
  { expirationPolicy: { ttl: '60s' } },
  { filter: 'attributes.x = ' },
  { filter: `attributes.x = "${'y'.repeat(256)}"` },
  { labels: 5 },
])('a subscription with %j is refused', async (requestBody) => {
  expect(await codeOf(create(requestBody))).toBe(400);
});

test.each([
  ['attributes.x = "y"', [{ x: 'y' }], [{ x: 'z' }, {}]],
  ['attributes.x != "y"', [{ x: 'z' }, {}], [{ x: 'y' }]],
  ['attributes:x', [{ x: '' }], [{ y: 'x' }]],
  ['NOT attributes:toString', [{}], [{ toString: 'x' }]],
  ['hasPrefix(attributes.x, "ab")', [{ x: 'abc' }], [{ x: 'cab' }, {}]],
  [
    'attributes.x = "1" AND (attributes:y OR attributes."z z" = "\\"")',
    [
      { x: '1', y: '' },
      { x: '1', 'z z': '"' },
    ],
    [{ x: '1' }, { y: '' }],
  ],
  ['-attributes:x AND attributes.AND = "a"', [{ AND: 'a' }], [{ AND: 'a', x: '' }]],
] as [string, Record<string, string>[], Record<string, string>[]][])(
  'the filter %s',
  async (filter, taken, left) => {
    const name = await create({ filter });
    for (const attributes of [...left, ...taken]) await publish({ data, attributes });
    const { data: pulled } = await subscriptions.pull({
      subscription: name,
      requestBody: { maxMessages: 100 },
    });
    expect(pulled.receivedMessages?.map(({ message }) => message?.attributes ?? {})).toEqual(taken);
    await subscriptions.delete({ subscription: name });
  },
);

test('a list comes in pages', async () => {
  const names = [];
  for (let index = 0; index < 5; index++) {
    const name = `projects/pages/topics/topic-${index}`;
    await topics.create({ name });
    names.push(name);
  }
  await topics.create({ name: 'projects/pages-2/topics/topic-5' });
  const found: unknown[] = [];
  let pageToken = '';
  do {
    const { data } = await topics.list({ project: 'projects/pages', pageSize: 2, pageToken });
    found.push(...(data.topics ?? []).map(({ name }) => name));
    pageToken = data.nextPageToken ?? '';
  } while (pageToken);
  expect(found).toEqual(names);
});

test('a subscription is sought past what was published before', async () => {
  const name = await create({ enableMessageOrdering: true });
  await publish({ data, orderingKey: 'k' }, { data });
  await subscriptions.seek({
    subscription: name,
    requestBody: { time: new Date(Date.now() + 1).toISOString() },
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await publish({ data: Buffer.from('after').toString('base64'), orderingKey: 'k' });
  const { data: pulled } = await subscriptions.pull({ subscription: name, requestBody: { maxMessages: 10 } });
  expect(pulled.receivedMessages?.map(({ message }) => message?.data)).toEqual([
    Buffer.from('after').toString('base64'),
  ]);
});

test('what is not there is said to be not implemented', async () => {
  const schemaSettings = { schema: 'projects/lab/schemas/x', encoding: 'JSON' };
  expect(await codeOf(topics.create({ name: `${topic}-2`, requestBody: { schemaSettings } }))).toBe(501);
  expect(await codeOf(create({ enableExactlyOnceDelivery: true }))).toBe(501);
  expect(await codeOf(pubsub.createSchema('s', 'AVRO', '{}'))).toBe(12);
  expect(await codeOf(pubsub.subscription(await create({})).createSnapshot('snap'))).toBe(12);
});

test('a subscription with an endpoint cannot be pulled from', async () => {
  const name = await create({ pushConfig: { pushEndpoint: 'http://127.0.0.1:1/' } });
  const closed = new Promise<{ code?: unknown }>((resolve) => {
    pubsub
      .subscription(name)
      .on('error', resolve)
      .on('message', () => {});
  });
  expect((await closed).code).toBe(9);
  await subscriptions.delete({ subscription: name });
});

test('a listening client hears that its subscription was deleted', async () => {
  const name = await create({});
  const subscription = pubsub.subscription(name);
  const closed = new Promise<{ code?: unknown }>((resolve) => {
    subscription.on('error', resolve).on('message', (message) => message.ack());
  });
  await publish({ data });
  await subscriptions.delete({ subscription: name });
  expect((await closed).code).toBe(5);
});

test('faults hit calls over gRPC as they hit requests, and every call is noted', async () => {
  const path = 'Publisher/Publish$';
  await setFaults(
    cloud,
    { service: 'pubsub', kind: 'cut', path, times: 1 },
    { service: 'pubsub', kind: 'status', path, times: 1 },
    { service: 'pubsub', kind: 'latency', path, ms: 5, times: 1 },
  );
  const name = await create({});
  // The client tries an unavailable server again by itself.
  await pubsub.topic(topic).publishMessage({ data: Buffer.from('through') });
  const calls = (await requestsAt(cloud, 'pubsub')).filter(
    ({ method, url }) => method === 'GRPC' && url.endsWith('/Publish'),
  );
  expect(calls.slice(-3).map(({ status, detail }) => [status, detail])).toEqual([
    [503, { resource: topic }],
    [503, { resource: topic }],
    [200, { resource: topic }],
  ]);
  await setFaults(cloud, { service: 'pubsub', kind: 'status', status: 429, path: 'GetTopic', times: 1 });
  expect(await codeOf(pubsub.topic(topic).getMetadata({ maxRetries: 0 }))).toBe(8);
  const { data: pulled } = await subscriptions.pull({ subscription: name, requestBody: { maxMessages: 10 } });
  expect(pulled.receivedMessages?.length).toBe(1);
});
