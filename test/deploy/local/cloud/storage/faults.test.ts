import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { type Answer, bytes, call } from './raw.ts';

const cloud = useLocalCloud();
const quantum = 256 * 1024;
const data = bytes(2 * quantum + 1000);
let count = 0;

beforeAll(async () => {
  await call('POST', `${cloud.origin}/storage/v1/b`, { json: { name: 'uploads' } });
});
afterEach(async () => setFaults(cloud));

const begin = (name: string) =>
  call('POST', `${cloud.origin}/upload/storage/v1/b/uploads/o?uploadType=resumable&name=${name}`);
const put = (uri: string, range: string, body: Buffer | string = '') =>
  call('PUT', uri, { headers: { 'content-range': `bytes ${range}` }, body });
const first = (uri: string) => put(uri, `0-${quantum - 1}/${data.length}`, data.subarray(0, quantum));
const last = (uri: string) =>
  put(uri, `${quantum}-${data.length - 1}/${data.length}`, data.subarray(quantum));

/** Each request of a session; the ones before it are made without a fault. */
const requests: { [what: string]: (name: string, strike: () => Promise<void>) => Promise<Answer> } = {
  'the start': async (name, strike) => {
    await strike();
    return begin(name);
  },
  'the first chunk': async (name, strike) => {
    const uri = await started(name);
    await strike();
    return first(uri);
  },
  'the question how far it is': async (name, strike) => {
    const uri = await started(name);
    await first(uri);
    await strike();
    return put(uri, '*/*');
  },
  'the last chunk': async (name, strike) => {
    const uri = await started(name);
    await first(uri);
    await strike();
    return last(uri);
  },
};
const started = async (name: string) => (await begin(name)).headers.get('location') ?? '';
const every = Object.entries(requests);
const fresh = () => `object-${++count}`;
/** A fault that names the object, so that it strikes requests of this session only. */
const striking = (name: string, kind: string, more: object) => () =>
  setFaults(cloud, { service: 'storage', kind, path: `/o/${name}$`, times: 1, ...more });

test.each(every)('the fault status strikes %s of a resumable upload, with its reason', async (_, request) => {
  const name = fresh();
  const more = { status: 429, reason: 'rateLimitExceeded', retryAfter: 7 };
  const answer = await request(name, striking(name, 'status', more));
  expect(answer).toMatchObject({
    status: 429,
    body: { error: { errors: [{ reason: 'rateLimitExceeded' }] } },
  });
  expect(answer.headers.get('retry-after')).toBe('7');
});

test.each(every)('the faults cut and lostAnswer strike %s of a resumable upload', async (_, request) => {
  for (const kind of ['cut', 'lostAnswer']) {
    const name = fresh();
    await expect(request(name, striking(name, kind, {}))).rejects.toThrow('fetch failed');
  }
});

test('with a lost answer the work is done', async () => {
  const name = fresh();
  const uri = await started(name);
  await striking(name, 'lostAnswer', {})();
  await expect(first(uri)).rejects.toThrow('fetch failed');
  expect((await put(uri, '*/*')).headers.get('range')).toBe(`bytes=0-${quantum - 1}`);
  await striking(name, 'lostAnswer', {})();
  await expect(last(uri)).rejects.toThrow('fetch failed');
  const object = await call('GET', `${cloud.origin}/storage/v1/b/uploads/o/${name}`);
  expect(object).toMatchObject({ status: 200, body: { size: String(data.length) } });
});

test('the fault shortAck strikes the last chunk too, and no object is made', async () => {
  const name = fresh();
  const uri = await started(name);
  await striking(name, 'shortAck', {})();
  const answer = await put(uri, `0-${data.length - 1}/${data.length}`, data);
  expect([answer.status, answer.headers.get('range')]).toEqual([308, `bytes=0-${quantum - 1}`]);
  expect((await call('GET', `${cloud.origin}/storage/v1/b/uploads/o/${name}`)).status).toBe(404);
});

test.each([
  ['410', {}, 410],
  ['404', { status: 404 }, 404],
])('a session that the fault expireSession ends answers %s from then on', async (_, more, status) => {
  for (const what of ['the first chunk', 'the question how far it is', 'the last chunk']) {
    const name = fresh();
    const answer = await requests[what]?.(name, striking(name, 'expireSession', more));
    expect(answer?.status).toBe(status);
    expect((await call('GET', `${cloud.origin}/storage/v1/b/uploads/o/${name}`)).status).toBe(404);
    // Another session of the same object is not touched.
    const uri = await started(name);
    await first(uri);
    expect((await last(uri)).status).toBe(200);
    // The object stays, though the session that made it ends.
    await striking(name, 'expireSession', more)();
    expect((await put(uri, '*/*')).status).toBe(status);
    expect((await put(uri, '*/*')).status).toBe(status);
    const whole = await fetch(`${cloud.origin}/storage/v1/b/uploads/o/${name}?alt=media`);
    expect(Buffer.from(await whole.arrayBuffer()).equals(data)).toBe(true);
  }
});
