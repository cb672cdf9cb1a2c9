import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { setFaults } from '../../../../kit.ts';
import { openPubSub } from './kit.ts';
import { type Receiver, startReceiver, until } from './receiver.ts';

const topic = 'projects/lab/topics/files';
const letters = 'projects/lab/topics/letters';
const subscription = 'projects/lab/subscriptions/files';

let dir = '';
let local: Awaited<ReturnType<typeof openPubSub>>;
let receiver: Receiver;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
  local = await openPubSub(dir);
  await local.topics.create({ name: topic });
});
afterEach(async () => {
  await receiver?.close();
  await local.close();
  await rm(dir, { recursive: true });
});

async function subscribe(
  answer?: Parameters<typeof startReceiver>[0],
  options: pubsub_v1.Schema$Subscription = {},
) {
  receiver = await startReceiver(answer);
  await local.subscriptions.create({
    name: subscription,
    requestBody: {
      topic,
      pushConfig: { pushEndpoint: receiver.url },
      retryPolicy: { minimumBackoff: '0.05s', maximumBackoff: '0.2s' },
      ...options,
    },
  });
}
const settled = () => until(() => local.pubsub.pending() === 0);
const texts = () => receiver.pushes.map(({ text }) => text);
const faults = (...list: object[]) =>
  setFaults(local as unknown as Cloud, ...list.map((fault) => ({ service: 'pubsub', ...fault })));

test.each([102, 200, 201, 202, 204])('the status %i acknowledges', async (status) => {
  await subscribe(() => status);
  local.publish(topic, ['once']);
  await settled();
  expect(texts()).toEqual(['once']);
});

test('any other status, and a broken connection, brings the message again after a pause that doubles up to its limit', async () => {
  const answers = [301, 'die', 500, 203, 429] as const;
  let next = 0;
  await subscribe(() => answers[next++] ?? 204);
  local.publish(topic, ['again']);
  await settled();
  const times = receiver.pushes.map(({ at }) => at);
  const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect(pauses).toHaveLength(5);
  // A millisecond for the rounding of either clock.
  [50, 100, 200, 200, 200].forEach((least, index) => {
    expect(pauses[index]).toBeGreaterThanOrEqual(least - 2);
  });
});

test('an endpoint that is not there yet gets its messages when it is', async () => {
  const place = createServer().listen(0, '127.0.0.1');
  await until(() => place.listening);
  const { port } = place.address() as AddressInfo;
  await new Promise((resolve) => place.close(resolve));
  const pushEndpoint = `http://127.0.0.1:${port}/`;
  await subscribe(undefined, { pushConfig: { pushEndpoint } });
  local.publish(topic, ['patient']);
  const attempts = local.store.db.prepare('SELECT attempts FROM pubsub_deliveries');
  await until(() => (attempts.get()?.attempts as number) >= 3);
  expect(local.pubsub.pending()).toBe(1);
  const late = createServer((_request, response) => response.writeHead(204).end()).listen(port, '127.0.0.1');
  await settled();
  late.closeAllConnections();
  await new Promise((resolve) => late.close(resolve));
});

test('after the last attempt a message is a dead letter, and its subscription is done with it', async () => {
  await local.topics.create({ name: letters });
  await local.subscriptions.create({
    name: 'projects/lab/subscriptions/letters',
    requestBody: { topic: letters },
  });
  await subscribe(({ text }) => (text === 'bad' ? 500 : 200), {
    deadLetterPolicy: { deadLetterTopic: letters, maxDeliveryAttempts: 5 },
  });
  local.publish(topic, ['bad', 'good']);
  await settled();
  const attempts = receiver.pushes.filter(({ text }) => text === 'bad').map((push) => push.deliveryAttempt);
  expect(attempts).toEqual([1, 2, 3, 4, 5]);
  const view = await (await fetch(`${local.origin}/_local/pubsub`)).json();
  expect(view).toEqual({
    subscriptions: [
      { name: subscription, topic, push: true, backlog: 0, outstanding: 0, deadLettered: 1 },
      {
        name: 'projects/lab/subscriptions/letters',
        topic: letters,
        push: false,
        backlog: 1,
        outstanding: 0,
        deadLettered: 0,
      },
    ],
  });
});

test('of an ordering key the next message waits until the one before is acknowledged; other keys do not wait', async () => {
  let failures = 3;
  await subscribe(({ text }) => (text === 'a0' && failures-- > 0 ? 500 : 200), {
    enableMessageOrdering: true,
  });
  local.publish(topic, ['a0', 'a1', 'a2'], 'a');
  local.publish(topic, ['b0', 'b1', 'b2'], 'b');
  await settled();
  const of = (key: string) => texts().filter((text) => text.startsWith(key));
  expect(of('a')).toEqual(['a0', 'a0', 'a0', 'a0', 'a1', 'a2']);
  expect(of('b')).toEqual(['b0', 'b1', 'b2']);
  expect(texts().indexOf('b2')).toBeLessThan(texts().lastIndexOf('a0'));
  expect(receiver.pushes.map(({ message }) => message.orderingKey)).toContain('a');
});

test('no message is under way twice at a time, and no more than a hundred are', async () => {
  const under = new Map<string, number>();
  let most = 0;
  let twice = false;
  await subscribe(async ({ text }) => {
    under.set(text, (under.get(text) ?? 0) + 1);
    twice ||= (under.get(text) ?? 0) > 1;
    most = Math.max(most, under.size);
    await new Promise((resolve) => setTimeout(resolve, 20));
    under.delete(text);
    return text === '3' && receiver.pushes.filter((push) => push.text === text).length < 4 ? 503 : 200;
  });
  local.publish(
    topic,
    Array.from({ length: 1000 }, (_, index) => String(index)),
  );
  await settled();
  expect(new Set(texts()).size).toBe(1000);
  expect(twice).toBe(false);
  expect(most).toBeGreaterThan(10);
  expect(most).toBeLessThanOrEqual(100);
});

test('a push without an answer comes again at the deadline, and a late answer still acknowledges', async () => {
  let answer = (_status: number) => {};
  await subscribe(({ text }) =>
    texts().filter((one) => one === text).length === 1
      ? new Promise((resolve) => {
          answer = resolve;
        })
      : 'hang',
  );
  local.shortenDeadlines(0.2);
  local.publish(topic, ['slow']);
  await until(() => receiver.pushes.length === 2);
  expect(local.pubsub.pending()).toBe(1);
  answer(200);
  await settled();
  const delivered = receiver.pushes.length;
  local.publish(topic, ['next']);
  await until(() => texts().includes('next'));
  expect(texts().filter((text) => text === 'slow')).toHaveLength(delivered);
});

test('a lost push is made up for at the deadline, and a doubled one comes twice', async () => {
  await subscribe();
  local.shortenDeadlines(0.2);
  await faults({ kind: 'lostPush', times: 1 });
  local.publish(topic, ['lost']);
  await settled();
  expect(texts()).toEqual(['lost']);
  await faults({ kind: 'doubledPush', times: 1, path: 'subscriptions/files$' });
  local.publish(topic, ['doubled']);
  await until(() => texts().filter((text) => text === 'doubled').length === 2);
  await settled();
});

test('an endpoint that answers nothing does not stop its subscription for ever', async () => {
  await subscribe();
  local.shortenDeadlines(0.1);
  // More than there is room for at once: all of it is taken by pushes that are lost.
  await faults({ kind: 'lostPush', times: 150 });
  const numbers = Array.from({ length: 120 }, (_, index) => String(index));
  local.publish(topic, numbers);
  await settled();
  expect(new Set(texts())).toEqual(new Set(numbers));
});

test('late pushes overtake each other', async () => {
  await subscribe();
  await faults({ kind: 'latePush', ms: 100 });
  const numbers = Array.from({ length: 10 }, (_, index) => String(index));
  local.publish(topic, numbers);
  await settled();
  expect(texts()).not.toEqual(numbers);
  expect([...texts()].sort()).toEqual(numbers);
});

test('a message without the wrapper is its data, with what is known of it in headers', async () => {
  const bodies: string[] = [];
  const raw = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (chunk) => bodies.push(chunk));
    request.on('end', () => {
      bodies.push(String(request.headers['x-goog-pubsub-subscription-name']), String(request.headers.kind));
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await until(() => raw.listening);
  const pushEndpoint = `http://127.0.0.1:${(raw.address() as AddressInfo).port}/`;
  await subscribe(undefined, { pushConfig: { pushEndpoint, noWrapper: { writeMetadata: true } } });
  local.pubsub.publish(topic, [
    { data: Buffer.from('bare'), attributes: { kind: 'image', 'no header': '\n', host: 'else where' } },
  ]);
  await settled();
  raw.closeAllConnections();
  await new Promise((resolve) => raw.close(resolve));
  expect(bodies).toEqual(['bare', subscription, 'image']);
});

test('what a transaction publishes and then undoes is never sent', async () => {
  await subscribe();
  expect(() =>
    local.store.transaction(() => {
      local.publish(topic, ['undone']);
      throw new Error('second thoughts');
    }),
  ).toThrow('second thoughts');
  local.store.transaction(() => local.publish(topic, ['done']));
  await settled();
  expect(texts()).toEqual(['done']);
  expect(() => local.publish('projects/lab/topics/nobody', ['x'])).toThrow(
    expect.objectContaining({ code: 404 }) as unknown as Error,
  );
});
