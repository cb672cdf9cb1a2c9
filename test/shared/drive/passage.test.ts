import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';
import { openPassage } from '../../../shared/drive/passage.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A part of so many bytes, without saying how many it will be. */
const sourceOf = (size: number) =>
  serve((_request, response) => {
    response.writeHead(206, { 'content-range': 'bytes 0-9/100' });
    response.end(Buffer.alloc(size, 7));
  });

const put = (length: number) => ({ method: 'PUT', headers: { 'content-length': String(length) } });

test('bytes pass from one server to another, and the heads of both answers are told', async () => {
  let got: Promise<Buffer> | undefined;
  const target = await serve((request, response) => {
    got = buffer(request);
    got.then(() => response.writeHead(308, { range: 'bytes=0-99999' }).end()).catch(() => {});
  });
  const passage = openPassage(100_000);
  const asked = await passage.ask(await sourceOf(100_000));
  const sent = await passage.send(target, put(100_000));
  expect([asked.status, asked.headers.get('content-range'), asked.body]).toEqual([
    206,
    'bytes 0-9/100',
    null,
  ]);
  expect([sent.status, sent.headers.get('range')]).toEqual([308, 'bytes=0-99999']);
  expect(await got).toEqual(Buffer.alloc(100_000, 7));
});

test('a refusal is told with its reason', async () => {
  const source = await serve((_request, response) => response.writeHead(403).end('{"error":"quota"}'));
  const answer = await openPassage(10).ask(source);
  expect([answer.status, await answer.text()]).toEqual([403, '{"error":"quota"}']);
});

test.each([
  [99_999, { name: 'Error', message: '99999 bytes came, and not 100000' }],
  [100_001, { name: 'WrongBytes', message: 'more than 100000 bytes came' }],
])('%i bytes, where 100000 were to come, are an error', async (size, error) => {
  const target = await serve((request) => request.on('error', () => {}).resume());
  const passage = openPassage(100_000);
  await passage.ask(await sourceOf(size));
  await expect(passage.send(target, put(100_000))).rejects.toMatchObject(error);
});

test('an answer that comes before all was sent is heard, and the rest is not sent', async () => {
  const target = await serve((_request, response) => response.writeHead(503).end('busy'));
  let isGone: Promise<unknown> | undefined;
  const source = await serve((_request, response) => {
    isGone = once(response, 'close');
    response.writeHead(206);
    response.write(Buffer.alloc(10_000_000));
  });
  const passage = openPassage(20_000_000);
  await passage.ask(source);
  expect((await passage.send(target, put(20_000_000))).status).toBe(503);
  await isGone;
});

test('what is not wanted any more is not fetched to its end', async () => {
  let isGone: Promise<unknown> | undefined;
  const source = await serve((_request, response) => {
    isGone = once(response, 'close');
    response.writeHead(206);
    response.write(Buffer.alloc(10_000_000));
  });
  const passage = openPassage(20_000_000);
  await passage.ask(source);
  passage.close();
  await isGone;
  await expect(passage.send(source, put(20_000_000))).rejects.toThrow('are gone');
});

test('a server that is not there is an error with its code', async () => {
  await expect(openPassage(1).ask('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
