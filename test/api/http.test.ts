import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { paceOf } from '../../shared/api/pace.ts';
import { type Served, serve } from '../shared/framework.ts';
import { useApi } from './useApi.ts';

/* Under the real functions framework, in a process of its own. */
const api = useApi();
let served: Served;
beforeAll(async () => {
  served = await serve('api', {}, join(import.meta.dirname, '../../functions/serve.ts'));
});
afterAll(() => served?.stop());

const send = async (method: string, path: string, headers: Record<string, string> = {}, body = '') =>
  served.send({
    method,
    path,
    headers: { authorization: `Bearer ${await api.token('runner')}`, ...headers },
    body,
  });

test('the function answers at its own address', async () => {
  const { status, body } = await send('GET', '/v1/me');
  expect([status, JSON.parse(body).role]).toEqual([200, 'runner']);
  const listed = await send('GET', '/v1/datasets/raw/objects?prefix=a%2Fb&pageSize=5');
  expect([listed.status, JSON.parse(listed.body)]).toEqual([200, { items: [], prefixes: [] }]);
  expect((await send('HEAD', '/v1/me')).body).toBe('');
});

test('a body comes through, and one that is no JSON, compressed or too large is refused', async () => {
  const json = { 'content-type': 'application/json' };
  const made = await send('POST', '/v1/datasets/raw/manifests', json, '{"prefix": "größe/"}');
  expect([made.status, JSON.parse(made.body).prefix]).toEqual([201, 'größe/']);
  expect((await send('POST', '/v1/datasets/raw/manifests', json, '{bad')).status).toBe(400);
  expect(
    (await send('POST', '/v1/datasets/raw/manifests', { 'content-type': 'text/plain' }, '{}')).status,
  ).toBe(415);
  expect((await send('POST', '/v1/datasets/raw/manifests', json, ' '.repeat(2_000_000))).status).toBe(413);
  const compressed = { ...json, 'content-encoding': 'gzip' };
  const refused = await send('POST', '/v1/datasets/raw/manifests', compressed, 'x');
  expect([refused.status, JSON.parse(refused.body)]).toEqual([413, expect.objectContaining({ status: 413 })]);
  expect(served.alive()).toBe(true);
});

test('a method that a path does not take is told with those that it does', async () => {
  const { status, body } = await send('DELETE', '/v1/me');
  expect([status, JSON.parse(body)]).toEqual([
    405,
    { type: 'about:blank', title: 'Method Not Allowed', status: 405, detail: 'This path takes GET.' },
  ]);
  expect((await send('GET', '/v2/me')).status).toBe(404);
});

test('who asks too often is told when to go on, and nobody else is', async () => {
  const pace = paceOf(2);
  await pace('a@lab.edu');
  await pace('a@lab.edu');
  await expect(pace('a@lab.edu')).rejects.toMatchObject({
    status: 429,
    headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
  });
  await pace('b@lab.edu');
});
