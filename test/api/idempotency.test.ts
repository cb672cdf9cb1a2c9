import { expect, test } from '@jest/globals';
import { answerOnce } from '../../shared/api/answerOnce.ts';
import type { Records } from '../../shared/storage/records.ts';
import type { Answer } from '../../shared/trigger.ts';
import { forgetRequests, requestsAt } from '../kit.ts';
import { useApi } from './useApi.ts';

const api = useApi();

const job = (name: string) => ({
  name,
  repository: 'https://github.com/our-lab/scanpaths',
  command: 'make',
  accelerators: ['cpu:2'],
});
const submit = (body: object, key: string, who = 'runner') =>
  api.ask(who, 'POST', '/v1/jobs', { body, headers: { 'idempotency-key': key } });
const published = async () =>
  (await requestsAt(api.cloud, 'pubsub')).filter(({ url }) => url.includes('job-requested:publish')).length;

test('equal requests at the same time are one, and all of them have its answer', async () => {
  await forgetRequests(api.cloud);
  const answers = await Promise.all(Array.from({ length: 12 }, () => submit(job('Race'), 'a key')));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(201));
  expect(answers.filter(({ headers }) => !headers['idempotency-replayed'])).toHaveLength(1);
  expect(await published()).toBe(1);
  expect((await submit(job('Race'), 'a key')).text).toBe(answers[0]?.text);
});

test('the same key with another body, or at another route, is refused', async () => {
  await submit(job('First'), 'taken');
  expect((await submit(job('Second'), 'taken')).status).toBe(422);
  const headers = { 'idempotency-key': 'taken' };
  const other = await api.ask('runner', 'POST', '/v1/datasets/raw/manifests', {
    body: { prefix: '' },
    headers,
  });
  expect(other.status).toBe(422);
  const { items } = (await api.ask('reader', 'GET', '/v1/jobs')).json;
  expect(items.filter(({ name }: { name: string }) => name === 'Second')).toEqual([]);
});

test('another caller’s key is another key', async () => {
  const [one, other] = await Promise.all([
    submit(job('Ours'), 'k', 'runner'),
    submit(job('Ours'), 'k', 'admin'),
  ]);
  expect([one.json.owner, other.json.owner]).toEqual(['runner@lab.edu', 'admin@lab.edu']);
  expect(one.json.id).not.toBe(other.json.id);
});

test('without a key, equal jobs are two', async () => {
  const ask = () => api.ask('runner', 'POST', '/v1/jobs', { body: job('Twice') });
  const [one, other] = await Promise.all([ask(), ask()]);
  expect(one.json.id).not.toBe(other.json.id);
});

test('a request that was refused may be mended and sent again with its key', async () => {
  expect((await submit({ ...job('Mended'), accelerators: ['L5'] }, 'mended')).status).toBe(400);
  expect((await submit(job('Mended'), 'mended')).status).toBe(201);
});

test.each(['', 'x'.repeat(201), 'ä', 'two\nlines'])('a key that is no key is refused: %j', async (key) => {
  expect((await submit(job('Key'), key)).status).toBe(400);
});

test('a body that is nested without end is refused', async () => {
  const depth = 200_000;
  const parameters = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const body = JSON.stringify({ ...job('Deep'), parameters: 0 }).replace('0}', `${parameters}}`);
  const headers = { 'idempotency-key': 'deep' };
  expect((await api.ask('runner', 'POST', '/v1/jobs', { body, headers })).status).toBe(400);
});

test('nothing that is as good as a password is kept', async () => {
  const objects = [{ name: 'models/secret', ifGenerationMatch: '0' }];
  const ask = () =>
    api.ask('runner', 'POST', '/v1/signed-urls', {
      body: { action: 'write', bucket: 'derived', objects },
      headers: { 'idempotency-key': 'urls' },
    });
  const { json } = await ask();
  const kept: string[] = [];
  for await (const name of api.records.list('idempotency/'))
    kept.push(JSON.stringify(await api.records.read(name, (await import('zod')).json())));
  expect(kept.join()).not.toContain(new URL(json.items[0].url).searchParams.get('upload_id'));
  expect((await ask()).status).toBe(200);
});

/** A caller in another process, who shares only the records. */
function process(records: Records, clock: { now: number }) {
  const work = { calls: 0, answer: (): Promise<Answer> => Promise.resolve({ status: 200, body: '"done"' }) };
  const ask = (key: string, request: unknown = 'the same') =>
    answerOnce(
      { key, request, isSecret: false },
      () => {
        work.calls++;
        return work.answer();
      },
      {
        records,
        lease: 600_000,
        patience: 1000,
        now: () => clock.now,
        wait: async (ms) => {
          clock.now += ms;
        },
      },
    );
  return { work, ask };
}

test('when the first has died half-way, the next does it again after its time, and not before', async () => {
  const clock = { now: Date.now() };
  const [first, second] = [process(api.records, clock), process(api.records, clock)];
  const dies = new Promise<never>(() => {});
  first.work.answer = () => dies;
  void first.ask('died');
  while (first.work.calls === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await expect(second.ask('died')).rejects.toMatchObject({ status: 409 });
  await expect(second.ask('died', 'another')).rejects.toMatchObject({ status: 422 });
  expect(second.work.calls).toBe(0);
  clock.now += 600_000;
  expect(await second.ask('died')).toEqual({ status: 200, body: '"done"' });
  expect(await second.ask('died')).toMatchObject({
    body: '"done"',
    headers: { 'idempotency-replayed': 'true' },
  });
  expect(second.work.calls).toBe(1);
});

test('when the first has died after its effect, the next finds it', async () => {
  const post = (path: string, body: object) =>
    api.ask('runner', 'POST', path, { body, headers: { 'idempotency-key': `after ${path}` } });
  for (const [path, body] of [
    ['/v1/jobs', job('After')],
    ['/v1/datasets/raw/manifests', { prefix: 'none/' }],
  ] as const) {
    const first = await post(path, body);
    // Nothing was kept of the answer.
    for await (const name of api.records.list('idempotency/')) await api.records.remove(name);
    const second = await post(path, body);
    expect([first.status, second.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect(second.text).toBe(first.text);
  }
});

test('what failed is done again at once, and what was done long ago is forgotten', async () => {
  const clock = { now: Date.now() };
  const { work, ask } = process(api.records, clock);
  const good = work.answer;
  work.answer = () => Promise.reject(new Error('no connection'));
  await expect(ask('failed')).rejects.toThrow('no connection');
  work.answer = good;
  await ask('failed');
  expect(work.calls).toBe(2);
  clock.now += 24 * 3_600_000;
  await ask('failed', 'another');
  expect(work.calls).toBe(3);
});
