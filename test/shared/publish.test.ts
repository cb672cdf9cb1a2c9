import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { type Message, publishTo } from '../../shared/publish.ts';

type Published = { data: string; attributes?: Record<string, string>; orderingKey?: string };
const seen: { path: string; messages: Published[] }[] = [];
/** What the server answers to the next requests instead of 200. */
const refusals: (number | 'cut')[] = [];

const server = createServer(async (request, response) => {
  const chunks = await request.toArray();
  const refusal = refusals.shift();
  if (refusal === 'cut') return void request.socket.destroy();
  response.setHeader('content-type', 'application/json');
  if (refusal) return void response.writeHead(refusal).end('{"error":{"message":"no"}}');
  const { messages } = JSON.parse(Buffer.concat(chunks).toString()) as { messages: Published[] };
  seen.push({ path: request.url ?? '', messages });
  response.end(JSON.stringify({ messageIds: messages.map((_, index) => String(index)) }));
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(() => void server.close());

async function publish(topic: string, messages: Message[]): Promise<typeof seen> {
  const { port } = server.address() as AddressInfo;
  seen.length = 0;
  const pubsub = new pubsub_v1.Pubsub({ rootUrl: `http://127.0.0.1:${port}/` });
  await publishTo(pubsub, 'lab')(topic, messages);
  return [...seen];
}

test('a message goes out as JSON with its attributes and its key', async () => {
  const data = { name: 'ü/🙂.png', generation: '12345678901234567890' };
  const message = { data, attributes: { a: 'b' }, orderingKey: 'k' };
  const [request, ...others] = await publish('file-changed', [message]);
  expect(others).toEqual([]);
  expect(request?.path).toMatch(/^\/v1\/projects\/lab\/topics\/file-changed:publish/);
  const [{ data: sent, ...rest } = { data: '' }] = request?.messages ?? [];
  expect(JSON.parse(Buffer.from(sent, 'base64').toString())).toEqual(data);
  expect(rest).toEqual({ attributes: { a: 'b' }, orderingKey: 'k' });
});

test('more messages than a request may hold go out in several, in their order', async () => {
  const messages = Array.from({ length: 1200 }, (_, data) => ({ data }));
  const requests = await publish('t', messages);
  expect(requests.map(({ messages }) => messages.length)).toEqual([500, 500, 200]);
  const sent = requests.flatMap(({ messages }) => messages.map(({ data }) => Number(atob(data))));
  expect(sent).toEqual(messages.map(({ data }) => data));
});

test('no messages are no request', async () => {
  expect(await publish('t', [])).toEqual([]);
});

test.each([[503], [429], ['cut']] as const)('a publish that met %s is tried again', async (refusal) => {
  refusals.push(refusal);
  expect(await publish('t', [{ data: {} }])).toHaveLength(1);
});

test('a publish that is refused for good is an error, and is not hammered', async () => {
  refusals.push(403, 404);
  await expect(publish('t', [{ data: {} }])).rejects.toThrow();
  expect(refusals).toEqual([404]);
  refusals.length = 0;
});
