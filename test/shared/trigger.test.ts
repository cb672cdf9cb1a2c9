import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { listProblems, type Problem } from '../../shared/unprocessable.ts';
import { useLocalCloud } from '../localCloud.ts';
import { logged, type Served, serve } from './framework.ts';

const cloud = useLocalCloud();
const served = {} as Record<'message' | 'object' | 'clock' | 'request' | 'unreachable', Served>;

beforeAll(async () => {
  await (await clients.storage()).createBucket('state');
  const unreachable = serve('message', { GAZELINE_STATE_BUCKET: 'is-not-there' });
  const kinds = (['message', 'object', 'clock', 'request'] as const).map(
    async (kind) => [kind, await serve(kind)] as const,
  );
  Object.assign(served, Object.fromEntries(await Promise.all(kinds)), { unreachable: await unreachable });
});

afterAll(async () => {
  await Promise.all(Object.values(served).map(async (one) => one.stop()));
});

let last = 0;
const json = { 'content-type': 'application/json' };
const trace = '0af7651916cd43dd8448eb211c80319c';
const base64 = (data: unknown) =>
  Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64');

/** A push as Pub/Sub sends it; https://cloud.google.com/pubsub/docs/push#receive_push */
function push(message: object, id = `m${last++}`) {
  const subscription = 'projects/gazeline-local/subscriptions/said';
  const body = JSON.stringify({
    message: { messageId: id, message_id: id, publishTime: '2026-11-23T10:00:00Z', ...message },
    subscription,
  });
  return { id, request: { headers: { ...json, traceparent: `00-${trace}-b7ad6b7169203331-01` }, body } };
}

async function problems(): Promise<Problem[]> {
  const found: Problem[] = [];
  for await (const problem of listProblems(recordsIn(await clients.storage(), 'state'))) found.push(problem);
  return found;
}

test('a Pub/Sub push reaches the function as what its schema says, once', async () => {
  const { id, request } = push({ data: base64({ say: 'hello' }), attributes: { some: 'thing' } });
  expect(await served.message.send(request)).toEqual({ status: 204, body: '' });
  expect(await logged(served.message, id)).toEqual([
    expect.objectContaining({
      severity: 'INFO',
      message: 'worked',
      function: 'message',
      id,
      input: 'hello',
      'logging.googleapis.com/trace': `projects/${cloud.project}/traces/${trace}`,
    }),
  ]);
});

test('a message of almost the largest size is read', async () => {
  const { id, request } = push({ data: base64({ say: 'x'.repeat(750_000) }) });
  expect(await served.message.send(request)).toEqual({ status: 204, body: '' });
  expect(await logged(served.message, id)).toMatchObject([{ length: 750_000 }]);
});

test.each([
  ['data that is not JSON', { data: base64('{not json') }],
  ['data of another shape', { data: base64({ say: 42 }) }],
  ['no data but attributes', { attributes: { say: 'hello' } }],
  ['what the function itself cannot process', { data: base64({ say: 'never' }) }],
])('%s is acknowledged, logged as an error, and kept where a person finds it', async (_what, message) => {
  const { id, request } = push(message);
  expect(await served.message.send(request)).toEqual({ status: 204, body: '' });
  const [entry] = await logged(served.message, id);
  expect(entry).toMatchObject({ severity: 'ERROR', message: 'unprocessable', reason: expect.any(String) });
  const kept = (await problems()).filter(({ event }) => event === id);
  expect(kept).toMatchObject([{ function: 'message', event: id, reason: entry?.reason }]);
  // Again: Pub/Sub may deliver twice.
  expect((await served.message.send(request)).status).toBe(204);
  expect((await problems()).filter(({ event }) => event === id)).toHaveLength(1);
});

test.each([
  ['a way up', '../../escape'],
  ['a folder', 'a/b'],
  ['only dots', '..'],
  ['escapes', '%2e%2e'],
  ['half a character', '\ud800'],
  ['control characters', 'é\r\n\0'],
  ['thousands of bytes', '🙂'.repeat(800)],
])('an event whose id is %s makes one problem and no name of its own', async (_what, event) => {
  const before = await problems();
  const { request } = push({ data: base64('no') }, event);
  expect(await served.message.send(request)).toEqual({ status: 204, body: '' });
  expect(await problems()).toHaveLength(before.length + 1);
  const [files] = await (await clients.storage()).bucket('state').getFiles();
  for (const { name } of files) expect(name).toMatch(/^problems\/message\/[^/.\r\n]+\.json$/);
});

test('what cannot be kept, because the state bucket does not answer, is not acknowledged', async () => {
  const { id, request } = push({ data: base64({ say: 'never' }) });
  expect(await served.unreachable.send(request)).toEqual({ status: 500, body: '' });
  expect(await logged(served.unreachable, id)).toMatchObject([{ severity: 'ERROR' }]);
});

test('what a handler throws comes again; the log has it all, the answer nothing', async () => {
  const { id, request } = push({ data: base64({ say: 'fail' }) });
  expect(await served.message.send(request)).toEqual({ status: 500, body: '' });
  expect(await logged(served.message, id)).toEqual([
    expect.objectContaining({
      severity: 'ERROR',
      stack_trace: expect.stringMatching(/secret-detail-42[\s\S]*triggerFixture\.ts/),
      'logging.googleapis.com/trace': `projects/${cloud.project}/traces/${trace}`,
    }),
  ]);
  const answer = await served.request.send({ path: '/fail' });
  expect(answer).toEqual({ status: 500, body: '' });
});

test('what is only too early comes again, and is no error', async () => {
  const { id, request } = push({ data: base64({ say: 'later' }) });
  expect(await served.message.send(request)).toEqual({ status: 503, body: '' });
  expect(await logged(served.message, id)).toMatchObject([{ severity: 'INFO' }]);
});

const object = { bucket: 'raw', name: 'a/ü.png', generation: '1700000000000001' };
const finalized = 'google.cloud.storage.object.v1.finalized';
const published = 'google.cloud.pubsub.topic.v1.messagePublished';
const notification = {
  data: base64({ kind: 'storage#object', ...object }),
  attributes: {
    eventType: 'OBJECT_FINALIZE',
    bucketId: object.bucket,
    objectId: object.name,
    objectGeneration: object.generation,
    payloadFormat: 'JSON_API_V1',
  },
};
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const ce = (type: string, id: string) => ({
  ...json,
  'ce-id': id,
  'ce-type': type,
  'ce-source': '//storage.googleapis.com/projects/_/buckets/raw',
  'ce-specversion': '1.0',
});

test.each([
  ['a notification through Pub/Sub', (id: string) => push(notification, id).request],
  [
    'an Eventarc event in binary mode',
    (id: string) => ({ headers: ce(finalized, id), body: JSON.stringify({ ...object, size: '12' }) }),
  ],
  [
    'an Eventarc event in structured mode',
    (id: string) => ({
      headers: structured,
      body: JSON.stringify({ specversion: '1.0', id, type: finalized, source: '//s', data: object }),
    }),
  ],
  [
    'a notification through Pub/Sub and Eventarc',
    (id: string) => ({
      headers: ce(published, 'other'),
      body: JSON.stringify({ message: { messageId: id, ...notification }, subscription: 's' }),
    }),
  ],
])('%s says which object arrived', async (_what, requestFor) => {
  const id = `o${last++}`;
  expect(await served.object.send(requestFor(id))).toEqual({ status: 204, body: '' });
  expect(await logged(served.object, id)).toMatchObject([{ message: 'worked', id, input: object }]);
});

test('what happened to an object otherwise is acknowledged and left alone', async () => {
  const attributes = { ...notification.attributes, eventType: 'OBJECT_DELETE' };
  const removed = push({ ...notification, attributes });
  const archived = { headers: ce(finalized.replace('finalized', 'archived'), 'gone'), body: '{"x":1}' };
  const before = served.object.log.length;
  expect((await served.object.send(removed.request)).status).toBe(204);
  expect((await served.object.send(archived)).status).toBe(204);
  const { id, request } = push(notification);
  await served.object.send(request);
  await logged(served.object, id);
  expect(served.object.log).toHaveLength(before + 1);
});

test.each([
  ['no object', { eventType: 'OBJECT_FINALIZE', bucketId: 'raw' }],
  ['a generation that is no number', { ...notification.attributes, objectGeneration: '1; drop' }],
])('a notification with %s is unprocessable', async (_what, attributes) => {
  const { id, request } = push({ attributes });
  expect((await served.object.send(request)).status).toBe(204);
  expect(await logged(served.object, id)).toMatchObject([{ message: 'unprocessable' }]);
});

test.each([['{}'], ['not JSON'], ['']])('a tick is a tick, whatever is in it: %j', async (data) => {
  const { id, request } = push({ data: base64(data) });
  expect((await served.clock.send(request)).status).toBe(204);
  expect(await logged(served.clock, id)).toMatchObject([{ message: 'worked', input: expect.any(String) }]);
});

/** Of a stack trace or an error's message; Express's bare `Bad Request` page is none. */
const internals = /\.[jt]s\b|node_modules|<pre>(?!Bad Request<)|:\d+:\d+|secret/i;
const cloudEvent = { 'content-type': 'application/cloudevents+json' };
test.each<[string, number, { method?: string; headers?: Record<string, string>; body?: string }]>([
  ['GET', 405, { method: 'GET' }],
  ['HEAD', 405, { method: 'HEAD' }],
  ['OPTIONS', 405, { method: 'OPTIONS' }],
  ['PUT', 405, { method: 'PUT', body: '{}' }],
  ['an empty body', 400, { headers: json }],
  ['an empty body of no type', 400, {}],
  ['{bad', 400, { body: '{bad' }],
  ['{}', 400, { body: '{}' }],
  ['null', 400, { body: 'null' }],
  ['a list', 400, { body: '[]' }],
  ['a text', 400, { body: '"text"' }],
  ['an empty message', 400, { body: '{"message":{}}' }],
  ['no message', 400, { body: '{"message":null}' }],
  ['a message without an id', 400, { body: '{"message":{"messageId":"","data":"e30="}}' }],
  ['a number as an id', 400, { body: '{"message":{"messageId":7,"data":"e30="}}' }],
  ['bad base64', 400, { body: '{"message":{"messageId":"1","data":"%%%"}}' }],
  ['nested attributes', 400, { body: '{"message":{"messageId":"1","attributes":{"a":{"b":1}}}}' }],
  ['brackets without end', 400, { body: '['.repeat(100_000) }],
  ['a form', 400, { body: 'a=b&c[d]=e', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ['XML', 400, { body: '<x/>', headers: { 'content-type': 'text/xml' } }],
  ['a structured CloudEvent that is not JSON', 400, { body: '{bad', headers: cloudEvent }],
  ['a structured CloudEvent of no type', 400, { body: '{"id":"1"}', headers: cloudEvent }],
  ['a binary CloudEvent of no type', 400, { body: '{}', headers: { ...json, 'ce-id': 'x' } }],
  ['a CloudEvent of no message', 400, { body: '{}', headers: { 'ce-id': 'x', 'ce-type': published } }],
  ['a nonsense content type', 400, { body: 'x', headers: { 'content-type': '; charset=nonsense' } }],
])('a request that is no event is refused without internals: %s', async (_what, status, request) => {
  const answer = await served.message.send({ headers: json, ...request });
  expect(answer.status).toBe(status);
  expect(answer.body).not.toMatch(internals);
});

test.each([
  ['text/plain', 'application/octet-stream'],
  ['application/octet-stream', ''],
  ['nothing', ''],
])('an event is read whatever its content type says: %s', async (type) => {
  const { id, request } = push({ data: base64({ say: 'hello' }) });
  const headers: Record<string, string> = type === 'nothing' ? {} : { 'content-type': type };
  expect((await served.message.send({ ...request, headers })).status).toBe(204);
  expect(await logged(served.message, id)).toMatchObject([{ message: 'worked' }]);
});

function* zeros(megabytes: number): Iterable<Buffer> {
  for (let i = 0; i < 16 * megabytes; i++) yield Buffer.alloc(65_536, ' ');
}
const big = 40;
const bomb = gzipSync(Buffer.alloc(big * 1024 * 1024, ' '));

test.each([
  [
    '40 MB of text',
    { 'content-type': 'text/plain', 'content-length': String(big * 1024 * 1024) },
    () => zeros(big),
  ],
  ['40 MB of JSON', { ...json, 'content-length': String(big * 1024 * 1024) }, () => zeros(big)],
  ['40 MB without a length', { ...json, 'transfer-encoding': 'chunked' }, () => zeros(big)],
  ['a gzip bomb', { ...json, 'content-encoding': 'gzip' }, () => bomb],
  [
    'a gzip bomb without a length',
    { ...json, 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' },
    () => bomb,
  ],
  ['a body in an unknown coding', { ...json, 'content-encoding': 'zstd, gzip' }, () => 'x'],
])('%s is refused, and costs no memory', async (_what, headers, body) => {
  const before = served.message.peakMemory();
  const answer = await served.message.send({ headers, body: body() });
  expect(answer.status).toBe(413);
  const after = served.message.peakMemory();
  if (before && after) expect(after - before).toBeLessThan(32 * 1024 * 1024);
});

test('a path that cannot be decoded is answered without internals', async () => {
  const answer = await served.request.send({ path: '/%E0%A4%A' });
  expect(answer.status).toBeLessThan(500);
  expect(answer.body).not.toMatch(internals);
});

test('an HTTP function gets method, path and body, and refuses what its schema does not know', async () => {
  const answer = await served.request.send({
    path: '/a/b?c=d',
    body: 'hello',
    headers: { 'content-type': 'text/plain' },
  });
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toEqual({ method: 'POST', path: '/a/b', body: 'hello' });
  const refused = await served.request.send({ body: 'x'.repeat(101) });
  expect(refused.status).toBe(400);
  expect(JSON.parse(refused.body)).toEqual({ error: expect.stringContaining('body') });
});

test('a connection that is cut in the middle of a body is survived', async () => {
  await expect(
    served.message.send({
      headers: { ...json, 'content-length': '5000' },
      body: (function* () {
        yield Buffer.from('{"message"');
        throw new Error('cut');
      })(),
    }),
  ).rejects.toThrow();
  const { request } = push({ data: base64({ say: 'still there' }) });
  expect((await served.message.send(request)).status).toBe(204);
});

test('after all this every process is alive', () => {
  expect(Object.values(served).map((one) => one.alive())).toEqual(Array(5).fill(true));
});
