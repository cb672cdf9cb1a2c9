import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { mintIdToken } from '../../deploy/local/cloud/token/mintIdToken.ts';
import { clients } from '../../shared/clients.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openSessions, type Sessions } from './sessionKit.ts';

/* The routes through the function, with real tokens; what is asked for is done by the other two functions. */
const audience = 'https://api.example.org';
process.env.GAZELINE_API_URL = audience;
const cloud = useLocalCloud();
let sessions: Sessions;
const at = (who: string) => `${who}@lab.iam.gserviceaccount.com`;

beforeAll(async () => {
  sessions = await openSessions(cloud);
  const { topics } = (await clients.pubsub()).projects;
  for (const topic of ['session-requested', 'job-requested'])
    await topics.create({ name: `projects/${cloud.project}/topics/${topic}` });
  const members = Object.fromEntries(
    Object.entries({ ada: 'runner', bob: 'runner', eve: 'reader', root: 'admin' }).map(([who, role]) => [
      at(who),
      { role, person: `${who}@lab.org` },
    ]),
  );
  await recordsIn(await clients.storage(), 'state').write('access.json', { members }, '0');
});

async function call(who: string, method: string, target: string, body?: object, headers: object = {}) {
  const { functions } = await import('../../functions/index.ts');
  const [path = '', search = ''] = target.split('?');
  const token = await mintIdToken(cloud.origin, at(who), audience);
  const answer = await functions.api.handle(
    {
      method,
      path,
      search: search ? `?${search}` : '',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      } as Record<string, string>,
      body: Buffer.from(body ? JSON.stringify(body) : ''),
    } as never,
    { name: 'api', logOf: () => sessions.log } as never,
  );
  const { status, body: said } = answer;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever it is
  return { status, body: (typeof said === 'string' ? JSON.parse(said) : said) as any };
}
/** What the function published is done. */
const done = async (name: string) => {
  await sessions.start(name);
  return (await call('eve', 'GET', `/v1/sessions/${name}`)).body;
};

test('a session is started, seen, stopped by anybody, resumed and deleted by its owner only', async () => {
  const wish = { name: 'pupils', regions: ['europe-west4'], disk: 50 };
  expect((await call('eve', 'POST', '/v1/sessions', wish)).status).toBe(403);
  const made = await call('ada', 'POST', '/v1/sessions', wish, { 'idempotency-key': 'mine' });
  expect(made).toMatchObject({
    status: 202,
    body: { name: 'pupils', owner: 'ada@lab.org', state: 'placing' },
  });
  expect(await done('pupils')).toMatchObject({
    state: 'running',
    link: expect.any(String),
    cost: { perHour: expect.any(Number), perMonthStopped: 22 },
  });
  expect((await call('ada', 'POST', '/v1/sessions', wish, { 'idempotency-key': 'mine' })).body).toEqual(
    made.body,
  );
  expect(await call('bob', 'POST', '/v1/sessions', wish)).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/there is a session pupils of ada@lab\.org already/) },
  });
  const list = await call('eve', 'GET', '/v1/sessions?pageSize=1');
  expect(list.body).toEqual({ items: [expect.objectContaining({ name: 'pupils' })], unreadable: [] });
  expect((await call('eve', 'GET', '/v1/sessions?owner=bob%40lab.org')).body).toEqual({
    items: [],
    unreadable: [],
  });

  const more = { hours: 2 };
  expect((await call('bob', 'POST', '/v1/sessions/pupils/prolong', more)).status).toBe(403);
  const { endsAt } = (await call('ada', 'GET', '/v1/sessions/pupils')).body;
  const prolonged = await call('ada', 'POST', '/v1/sessions/pupils/prolong', more);
  expect(prolonged).toMatchObject({ status: 200, body: { name: 'pupils', state: 'running' } });
  expect(Date.parse(prolonged.body.endsAt) - Date.parse(endsAt)).toBe(2 * 3_600_000);
  expect(await call('ada', 'POST', '/v1/sessions/pupils/prolong', { hours: 160 })).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/a week from now at the most: by 15\d(\.\d)? hours more/) },
  });
  expect((await call('ada', 'POST', '/v1/sessions/pupils/prolong', { hours: 0 })).status).toBe(400);

  expect((await call('bob', 'POST', '/v1/sessions/pupils/stop')).status).toBe(202);
  expect(await done('pupils')).toMatchObject({ state: 'stopped' });
  expect(await call('bob', 'POST', '/v1/sessions/pupils/start')).toMatchObject({
    status: 403,
    body: { detail: 'pupils is of ada@lab.org.' },
  });
  expect((await call('ada', 'POST', '/v1/sessions/pupils/start')).status).toBe(202);
  expect(await done('pupils')).toMatchObject({ state: 'running' });

  expect((await call('bob', 'DELETE', '/v1/sessions/pupils?disk=delete')).status).toBe(403);
  expect(await call('ada', 'DELETE', '/v1/sessions/pupils')).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/its disks of 200 GB only.*\$22\.00 a month.*disk=delete/) },
  });
  expect((await call('root', 'DELETE', '/v1/sessions/pupils?disk=delete')).status).toBe(202);
  expect(await done('pupils')).toMatchObject({ state: 'deleted' });
  expect((await call('ada', 'POST', '/v1/sessions/pupils/start')).status).toBe(409);
  expect((await call('eve', 'GET', '/v1/sessions')).body).toEqual({ items: [], unreadable: [] });
  expect((await call('eve', 'GET', '/v1/sessions?state=deleted')).body.items).toHaveLength(1);
});

test('a run is a job of its own with what the session has, and a session without a repository has none', async () => {
  const wish = {
    name: 'analysis',
    repository: 'https://github.com/lab/analysis',
    ref: 'v2',
    data: ['raw/recordings/'],
    accelerators: ['L4', 'cpu:8'],
    regions: ['europe-west4'],
    hours: 3,
  };
  await call('ada', 'POST', '/v1/sessions', wish);
  const body = {
    notebook: 'notebooks/look.ipynb',
    parameters: { epochs: 4 },
    environment: { pip: 'requirements.txt' },
  };
  const run = await call('bob', 'POST', '/v1/sessions/analysis/runs', body);
  expect(run).toMatchObject({
    status: 201,
    body: { name: 'analysis look.ipynb', owner: 'bob@lab.org', state: 'queued' },
  });
  const { record } = (await call('eve', 'GET', `/v1/jobs/${run.body.id}`)).body;
  expect(record.job).toMatchObject({
    repository: 'https://github.com/lab/analysis',
    ref: 'v2',
    notebook: 'notebooks/look.ipynb',
    parameters: { epochs: 4 },
    inputs: [{ bucket: 'raw', prefix: 'recordings/', folder: 'raw/recordings' }],
    accelerators: [{ gpu: 'L4', count: 1 }, { cpu: 8 }],
    regions: ['europe-west4'],
    limits: { hours: 3 },
  });
  const wrong = await call('ada', 'POST', '/v1/sessions/analysis/runs', { notebook: '../../etc/x.ipynb' });
  expect(wrong).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'body.notebook', message: expect.stringContaining('expected a path') }] },
  });
  await call('ada', 'POST', '/v1/sessions', { name: 'bare' });
  expect((await call('ada', 'POST', '/v1/sessions/bare/runs', body)).status).toBe(409);
});

test('what is wrong is told field by field, and a name leads nowhere', async () => {
  const wrong = await call('ada', 'POST', '/v1/sessions', { name: 'x', disc: 5, accelerators: 'v2-8' });
  expect(wrong.status).toBe(400);
  expect(wrong.body.errors).toEqual(
    expect.arrayContaining([{ path: 'body', message: 'there is no field “disc”; did you mean “disk”?' }]),
  );
  for (const body of [[], 5, 'x', null])
    expect((await call('ada', 'POST', '/v1/sessions', body as object)).status).toBe(400);
  for (const name of ['..%2F..%2Faccess', 'A', `a${'b'.repeat(60)}`, randomUUID()])
    expect([400, 404]).toContain((await call('ada', 'GET', `/v1/sessions/${name}`)).status);
  expect(
    (await call('ada', 'POST', '/v1/sessions', { name: 'pupils', regions: ['mars-north1'] })).status,
  ).toBe(422);
});
