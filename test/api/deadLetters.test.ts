import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { functions } from '../../functions/index.ts';
import { clients } from '../../shared/clients.ts';
import { publishTo } from '../../shared/publish.ts';
import { gazeline } from '../cli/gazeline.ts';
import { requestsAt } from '../kit.ts';
import { useApi } from './useApi.ts';

const api = useApi();
let server: Server;
let received: { data: string; attributes: Record<string, string>; orderingKey: string }[] = [];
/** What `annotate` does with a message. */
let annotateStatus = 500;

/** Where Pub/Sub pushes to: `/annotate`, which fails, and `/dead-letter`, which is the function. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (request.url === '/annotate') {
      const { message } = JSON.parse(body.toString());
      if (annotateStatus < 300) received.push(message);
      return response.writeHead(annotateStatus).end();
    }
    const { status } = await functions['dead-letter'].handle(
      { method: 'POST', path: '/', headers: {}, body },
      { name: 'dead-letter', logOf: () => api.log },
    );
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const { subscriptions } = (await clients.pubsub()).projects;
  const { project } = api.cloud;
  const subscribe = (name: string, topic: string, more: object) =>
    subscriptions.create({
      name: `projects/${project}/subscriptions/${name}`,
      requestBody: {
        topic: `projects/${project}/topics/${topic}`,
        pushConfig: { pushEndpoint: `http://127.0.0.1:${port}/${name}` },
        enableMessageOrdering: true,
        retryPolicy: { minimumBackoff: '0s', maximumBackoff: '0.01s' },
        ...more,
      },
    });
  const deadLetterTopic = `projects/${project}/topics/dead-letters`;
  await subscribe('annotate', 'stimulus-arrived', {
    deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: 5 },
  });
  await subscribe('dead-letter', 'dead-letters', {});
});
afterAll(() => void server.close());

const list = async () => (await api.ask('admin', 'GET', '/v1/dead-letters')).json.items;

/** Publishes a message that nobody manages. @returns what became of it */
async function giveUp(name: string) {
  annotateStatus = 500;
  const publish = publishTo(await clients.pubsub(), api.cloud.project);
  const message = { data: { name }, attributes: { source: 'test' }, orderingKey: name };
  await publish('stimulus-arrived', [message]);
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    for (const letter of await list()) if (letter.orderingKey === name) return letter;
  }
  throw new Error('it was not given up');
}

test('a message that was given up is kept, shown, and sent again as it was', async () => {
  const letter = await giveUp('a');
  expect(letter).toMatchObject({ function: 'annotate', topic: 'stimulus-arrived', attempts: 5 });
  expect((await api.ask('admin', 'GET', `/v1/dead-letters/${letter.id}`)).json).toMatchObject({
    data: { name: 'a' },
    attributes: { source: 'test' },
  });
  annotateStatus = 204;
  received = [];
  const { status, json } = await api.ask('admin', 'POST', `/v1/dead-letters/${letter.id}/replay`);
  expect([status, json.replayed.by]).toEqual([202, 'admin@lab.edu']);
  for (const deadline = Date.now() + 5000; received.length === 0 && Date.now() < deadline; ) await sleep(10);
  expect(received).toMatchObject([{ attributes: { source: 'test' }, orderingKey: 'a' }]);
  expect(JSON.parse(Buffer.from(received[0]?.data ?? '', 'base64').toString())).toEqual({ name: 'a' });
});

test('however many send it again at once, it is sent once', async () => {
  const { id } = await giveUp('b');
  annotateStatus = 204;
  received = [];
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => api.ask('admin', 'POST', `/v1/dead-letters/${id}/replay`)),
  );
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  for (const { status } of answers) expect([202, 409, 503]).toContain(status);
  expect((await api.ask('admin', 'POST', `/v1/dead-letters/${id}/replay`)).status).toBe(409);
  await sleep(200);
  expect(received).toHaveLength(1);
});

test('what comes twice is one dead letter', async () => {
  const message = { messageId: 'twice', data: 'e30=', attributes: {} };
  const push = () =>
    functions['dead-letter'].handle(
      { method: 'POST', path: '/', headers: {}, body: Buffer.from(JSON.stringify({ message })) },
      { name: 'dead-letter', logOf: () => api.log },
    );
  expect([(await push()).status, (await push()).status]).toEqual([204, 204]);
  expect((await list()).filter(({ id }: { id: string }) => id === 'twice')).toHaveLength(1);
  // Nobody knows where it should go.
  const { status, json } = await api.ask('admin', 'POST', '/v1/dead-letters/twice/replay');
  expect([status, json.detail]).toEqual([409, expect.stringContaining('no function unknown')]);
});

test('npx gazeline dead-letters lists, shows and sends them again', async () => {
  const { id } = await giveUp('c');
  annotateStatus = 204;
  received = [];
  const run = (...args: string[]) => gazeline(['dead-letters', ...args]);
  const listed = await run('list');
  expect([listed.code, listed.out]).toEqual([1, expect.stringContaining(id)]);
  expect((await run('show', id)).out).toContain('{"name":"c"}');
  const sent = await run('replay', id);
  expect([sent.code, sent.out]).toEqual([0, expect.stringContaining('was sent again to annotate')]);
  await api.records.write('dead-letters/broken.json', { id: 'broken' }, '0');
  for (const args of [['list'], ['replay', '--all']])
    expect(await run(...args)).toMatchObject({
      code: 1,
      out: expect.not.stringContaining('No message was given up'),
      err: expect.stringContaining('broken cannot be read: '),
    });
  await api.records.remove('dead-letters/broken.json');
  const again = await run('replay', id);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('was not sent: it was sent again at')]);
  expect((await requestsAt(api.cloud, 'pubsub')).length).toBeGreaterThan(0);
});
