import { beforeAll, expect, test } from '@jest/globals';
import { mintIdToken } from '../../deploy/local/cloud/token/mintIdToken.ts';
import { functions } from '../../functions/index.ts';
import { clients } from '../../shared/clients.ts';
import { rememberLog } from '../kit.ts';
import { useExport } from './exportKit.ts';

/** The two functions as they are deployed, and the topic between them. */
const used = useExport();
const apiUrl = 'https://api.lab.example';
process.env.GAZELINE_API_URL = apiUrl;
const log = rememberLog();
const subscription = () => `projects/${used.cloud.project}/subscriptions/export`;

async function call(method: string, path: string, { as = 'runner', body = undefined as unknown } = {}) {
  const [bare = '', search = ''] = path.split('?');
  const token = await mintIdToken(used.cloud.origin, `${as}@lab.iam.gserviceaccount.com`, apiUrl);
  const answer = await functions.api.handle(
    {
      ...{ method, path: bare, search: search && `?${search}` },
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    },
    { name: 'api', logOf: () => log },
  );
  const { body: said } = answer;
  return {
    status: answer.status,
    body: (typeof said === 'string' ? JSON.parse(said) : said) as Record<string, unknown>,
  };
}

/** Delivers what is on the topic until nothing is, or so many messages. */
async function deliver(most = Number.POSITIVE_INFINITY): Promise<number[]> {
  const { subscriptions } = (await clients.pubsub()).projects;
  const statuses: number[] = [];
  for (;;) {
    const requestBody = { maxMessages: Math.min(100, most - statuses.length), returnImmediately: true };
    const { data } = await subscriptions.pull({ subscription: subscription(), requestBody });
    if (!data.receivedMessages?.length) return statuses;
    for (const { message, ackId } of data.receivedMessages) {
      const request = {
        ...{ method: 'POST', path: '/', search: '', headers: { 'content-type': 'application/json' } },
        body: Buffer.from(JSON.stringify({ message })),
      };
      const { status } = await functions.export.handle(request, { name: 'export', logOf: () => log });
      statuses.push(status);
      await subscriptions.acknowledge({
        subscription: subscription(),
        requestBody: { ackIds: [String(ackId)] },
      });
    }
    if (statuses.length >= most) return statuses;
  }
}

beforeAll(async () => {
  const { topics, subscriptions } = (await clients.pubsub()).projects;
  const topic = `projects/${used.cloud.project}/topics/export-requested`;
  await topics.create({ name: topic });
  await subscriptions.create({ name: subscription(), requestBody: { topic } });
  const member = (name: string) => `${name}@lab.iam.gserviceaccount.com`;
  const members = { [member('runner')]: { role: 'runner', person: 'zoë' }, [member('reader')]: 'reader' };
  await used.to.records.write('access.json', { members }, '0');
});

test('an export is asked for, done, shown and listed by the API', async () => {
  await used.put('a/one.csv', 'one');
  await used.to.file(used.here, 'two.csv', 'theirs');
  await used.put('two.csv', 'two');
  const link = `https://drive.google.com/drive/u/0/folders/${used.here}?usp=sharing`;
  const asked = await call('POST', '/v1/exports', { body: { prefix: used.prefix, folder: link } });
  expect(asked).toMatchObject({
    status: 202,
    body: { state: 'listing', by: 'zoë', folder: used.here, prefix: used.prefix, counts: {} },
  });
  const { id } = asked.body;
  expect(await deliver()).toEqual([204, 204, 204]);
  expect(await used.tree()).toEqual({
    a: { 'one.csv': 'one' },
    'two.csv': 'theirs',
    'two (gazeline).csv': 'two',
  });
  const shown = await call('GET', `/v1/exports/${id}`, { as: 'reader' });
  expect(shown).toMatchObject({
    status: 200,
    body: {
      ...{ id, state: 'done', objects: 2, bytes: 6, bytesSent: 6, counts: { exported: 1, conflict: 1 } },
      troubles: [{ name: `${used.prefix}two.csv`, did: 'conflict', as: 'two (gazeline).csv' }],
    },
  });
  const { troubles: _, ...summary } = shown.body;
  const second = (await call('POST', '/v1/exports', { body: { prefix: used.prefix, folder: used.here } }))
    .body.id;
  await deliver();
  const first = await call('GET', '/v1/exports?pageSize=1', { as: 'reader' });
  expect(first.body.items).toMatchObject([{ id: second, counts: { unchanged: 2 } }]);
  const rest = await call('GET', `/v1/exports?pageSize=1&pageToken=${first.body.nextPageToken}`, {
    as: 'reader',
  });
  expect(rest.body).toEqual({ items: [summary], unreadable: [] });
});

test('what cannot be exported to is refused with the reason, and nothing is begun', async () => {
  const study = process.env.GAZELINE_STUDY_FOLDER;
  expect(await call('POST', '/v1/exports', { body: { prefix: 'x/', folder: study } })).toMatchObject({
    status: 422,
    body: {
      detail: expect.stringContaining('would come back as raw data'),
      errors: [{ path: 'body.folder' }],
    },
  });
  const wrong = await call('POST', '/v1/exports', { body: { prefix: '', folder: 'https://example.org/' } });
  expect(wrong.status).toBe(400);
  expect((wrong.body.errors as { path: string }[]).map(({ path }) => path)).toEqual([
    'body.prefix',
    'body.folder',
  ]);
  const asReader = await call('POST', '/v1/exports', {
    as: 'reader',
    body: { prefix: 'x/', folder: used.here },
  });
  expect(asReader.status).toBe(403);
  expect((await call('GET', '/v1/exports/export-0123456789ab', { as: 'reader' })).status).toBe(404);
  expect(await deliver()).toEqual([]);
});

test('an export that is cancelled keeps what was copied, says it, and does not go on when deliveries come', async () => {
  for (const name of ['a.csv', 'b.csv', 'c.csv']) await used.put(name, name);
  const asked = await call('POST', '/v1/exports', { body: { prefix: used.prefix, folder: used.here } });
  const { id } = asked.body;
  const cancel = (as = 'runner') => call('POST', `/v1/exports/${id}/cancel`, { as });
  // The list, and one object.
  expect(await deliver(2)).toEqual([204, 204]);
  const [copied = ''] = Object.keys(await used.tree());
  expect((await cancel('reader')).status).toBe(403);
  const cancelled = await cancel();
  expect(cancelled).toMatchObject({
    status: 200,
    body: {
      ...{ id, state: 'cancelled', reason: 'zoë cancelled it', endedAt: expect.any(String) },
      ...{ objects: 3, counts: { exported: 1 }, bytesSent: copied.length, troubles: [] },
    },
  });
  expect(await deliver()).toEqual([204, 204]);
  expect(await used.tree()).toEqual({ [copied]: copied });
  expect(await cancel()).toEqual(cancelled);
  expect((await call('GET', '/v1/exports?pageSize=1', { as: 'reader' })).body.items).toMatchObject([
    { id, state: 'cancelled', counts: { exported: 1 } },
  ]);

  const again = await call('POST', '/v1/exports', { body: { prefix: used.prefix, folder: used.here } });
  await deliver();
  expect((await call('GET', `/v1/exports/${again.body.id}`)).body).toMatchObject({
    state: 'done',
    counts: { unchanged: 1, exported: 2 },
  });
  expect(await call('POST', `/v1/exports/${again.body.id}/cancel`)).toMatchObject({
    status: 409,
    body: { detail: `${again.body.id} is over (done): there is nothing to cancel.` },
  });
  expect((await call('POST', '/v1/exports/export-0123456789ab/cancel')).status).toBe(404);
});

test('one that is cancelled before it was listed copies nothing', async () => {
  await used.put('a.csv', 'one');
  const { id } = (await call('POST', '/v1/exports', { body: { prefix: used.prefix, folder: used.here } }))
    .body;
  expect((await call('POST', `/v1/exports/${id}/cancel`)).body).toMatchObject({ objects: 0, counts: {} });
  expect(await deliver()).toEqual([204]);
  expect(await used.tree()).toEqual({});
});

test('an export whose record cannot be read is named with its reason, and hides none of the others', async () => {
  await used.put('a.csv', 'one');
  const { id } = (await call('POST', '/v1/exports', { body: { prefix: used.prefix, folder: used.here } }))
    .body;
  await deliver();
  const broken = 'export-00000000dead';
  await used.to.records.write(`exports/${broken}.json`, { id: broken, state: 'elsewhere' }, '0');
  const { status, body } = await call('GET', '/v1/exports?pageSize=1', { as: 'reader' });
  expect(status).toBe(200);
  expect(body.items).toMatchObject([{ id, state: 'done' }]);
  expect(body.unreadable).toEqual([
    {
      id: broken,
      reason: expect.stringMatching(/exports\/export-00000000dead\.json is not a record as expected/),
    },
  ]);
  expect(await call('GET', `/v1/exports/${broken}`)).toMatchObject({
    status: 500,
    body: { detail: expect.stringContaining('not as expected') },
  });
  await used.to.records.remove(`exports/${broken}.json`);
});
