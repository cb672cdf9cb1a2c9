import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Compute, GoogleAuth, OAuth2Client } from 'google-auth-library';
import {
  type MetadataServer,
  startMetadataServer,
} from '../../../../../deploy/local/cloud/compute/metadataServer.ts';
import type { MachineMetadata } from '../../../../../deploy/local/cloud/compute/metadataTree.ts';
import { mintToken } from '../../../../../deploy/local/cloud/compute/mintToken.ts';
import { mintIdToken } from '../../../../../deploy/local/cloud/token/mintIdToken.ts';
import { requestsAt } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from '../storage/raw.ts';

const run = promisify(execFile);
const cloud = useLocalCloud();
const email = 'gazeline-machine@gazeline-local.iam.gserviceaccount.com';
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const flavor = { 'Metadata-Flavor': 'Google' };

const fresh = (): MachineMetadata => ({
  id: '4520031799277581759',
  name: 'gazeline-train-1',
  zone: 'europe-west4-a',
  machineType: 'n1-standard-4',
  project: 'gazeline-local',
  numericProject: '123456789012',
  attributes: { 'gazeline-job': 'train', 'enable-guest-attributes': 'TRUE', 'gazeline-target': 'a  b\n' },
  preempted: false,
  scheduling: { preemptible: true, automaticRestart: false, onHostMaintenance: 'TERMINATE' },
  serviceAccount: { email, scopes: [scope] },
  guestAttributes: {},
});
const machine = fresh();
let server: MetadataServer;
let writes = 0;
beforeAll(async () => {
  server = await startMetadataServer(machine, {
    mintToken: () => mintToken(cloud.origin, cloud.keyFile),
    mintIdToken: (...asked) => mintIdToken(cloud.origin, ...asked),
    guestWrote: () => void writes++,
  });
});
afterAll(() => server.close());
beforeEach(() => void Object.assign(machine, fresh()));

const ask = (path: string, init: RequestInit = {}) =>
  call(init.method ?? 'GET', `http://${server.host}/computeMetadata/v1/${path}`, {
    headers: flavor,
    ...init,
  });
/** `call` would read a number out of it. */
const text = async (path: string) =>
  (await fetch(`http://${server.host}/computeMetadata/v1/${path}`, { headers: flavor })).text();

test('a question without the header, or through a proxy, is refused; who only looks whether this is Google is not', async () => {
  expect((await ask('instance/id', { headers: {} })).status).toBe(403);
  expect((await ask('instance/id', { headers: { ...flavor, 'X-Forwarded-For': '10.0.0.1' } })).status).toBe(
    403,
  );
  const front = await call('GET', `http://${server.host}/`);
  expect(front).toMatchObject({ status: 200, body: '0.1/\ncomputeMetadata/\n' });
  expect(front.headers.get('metadata-flavor')).toBe('Google');
});

test('every value can be asked for by its path', async () => {
  const paths = {
    'instance/id': '4520031799277581759',
    'instance/name': 'gazeline-train-1',
    'instance/hostname': 'gazeline-train-1.europe-west4-a.c.gazeline-local.internal',
    'instance/zone': 'projects/123456789012/zones/europe-west4-a',
    'instance/machine-type': 'projects/123456789012/machineTypes/n1-standard-4',
    'instance/preempted': 'FALSE',
    'instance/scheduling/preemptible': 'TRUE',
    'instance/scheduling/automatic-restart': 'FALSE',
    'instance/scheduling/on-host-maintenance': 'TERMINATE',
    'instance/attributes/gazeline-target': 'a  b\n',
    'instance/service-accounts/default/email': email,
    'instance/service-accounts/default/scopes': `${scope}\n`,
    [`instance/service-accounts/${email}/aliases`]: 'default\n',
    'project/project-id': 'gazeline-local',
    'project/numeric-project-id': '123456789012',
    'universe/universe-domain': 'googleapis.com',
  };
  for (const [path, value] of Object.entries(paths)) expect([path, await text(path)]).toEqual([path, value]);
  expect((await ask('instance/attributes/not-there')).status).toBe(404);
  expect((await ask('instance/attributes/toString')).status).toBe(404);
  expect((await ask('instance/attributes/%ZZ')).status).toBe(400);
  expect((await ask('instance/name', { method: 'PUT', body: 'x' })).status).toBe(405);
});

test('folders list what is in them, and a path without the last slash leads there', async () => {
  expect(await text('')).toBe('instance/\nproject/\nuniverse/\n');
  expect(await text('instance/scheduling/')).toBe('automatic-restart\non-host-maintenance\npreemptible\n');
  expect(await text('instance/service-accounts/')).toBe(`default/\n${email}/\n`);
  expect(await text('instance/service-accounts/default/')).toBe('aliases\nemail\nscopes\ntoken\n');
  const moved = await ask('instance/scheduling?recursive=true');
  expect(moved.status).toBe(301);
  expect(moved.headers.get('location')).toBe(
    `http://${server.host}/computeMetadata/v1/instance/scheduling/?recursive=true`,
  );
});

test('a folder comes whole as JSON or text, in the names that Google uses, and without a token', async () => {
  const whole = await text('?recursive=true');
  expect(whole).toContain('"id":4520031799277581759,');
  expect(whole).not.toContain('token');
  expect(JSON.parse(whole)).toMatchObject({
    instance: {
      attributes: machine.attributes,
      guestAttributes: {},
      machineType: 'projects/123456789012/machineTypes/n1-standard-4',
      preempted: 'FALSE',
      scheduling: { automaticRestart: 'FALSE', onHostMaintenance: 'TERMINATE', preemptible: 'TRUE' },
      serviceAccounts: { [email]: { email, aliases: ['default'], scopes: [scope] } },
    },
    project: { projectId: 'gazeline-local', numericProjectId: 123456789012 },
  });
  expect(await text('instance/service-accounts/default/?recursive=true&alt=text')).toBe(
    `aliases default\nemail ${email}\nscopes ${scope}\n`,
  );
  expect(await text('instance/attributes/gazeline-job?alt=json')).toBe('"train"');
});

test('who waits for a change is told of it when it happens, and of no other', async () => {
  const before = await ask('instance/preempted');
  let said = '';
  const waiting = ask('instance/preempted?wait_for_change=true').then(({ body }) => {
    said = body;
  });
  await setTimeout(50);
  machine.attributes['gazeline-job'] = 'another';
  server.changed();
  await setTimeout(50);
  expect(said).toBe('');
  machine.preempted = true;
  server.changed();
  await waiting;
  expect(said).toBe('TRUE');
  const late = await ask(
    `instance/preempted?wait_for_change=true&last_etag=${before.headers.get('etag')}&timeout_sec=20`,
  );
  expect(late.body).toBe('TRUE');
  expect(late.headers.get('etag')).not.toBe(before.headers.get('etag'));
});

test('who waits longer than he wanted to is told what is there', async () => {
  const started = Date.now();
  const { status, body } = await ask('instance/preempted?wait_for_change=true&timeout_sec=1');
  expect([status, body]).toEqual([200, 'FALSE']);
  expect(Date.now() - started).toBeGreaterThan(900);
});

test('a value that goes away while somebody waits for it is not found', async () => {
  const waiting = ask('instance/attributes/gazeline-job?wait_for_change=true');
  await setTimeout(50);
  delete machine.attributes['gazeline-job'];
  server.changed();
  expect((await waiting).status).toBe(404);
});

test('the guest writes, reads and deletes guest attributes, if that is switched on', async () => {
  const path = 'instance/guest-attributes/gazeline/phase';
  writes = 0;
  expect((await ask(path, { method: 'PUT', body: 'running' })).status).toBe(200);
  expect(machine.guestAttributes).toEqual({ gazeline: { phase: 'running' } });
  expect(await text(path)).toBe('running');
  expect(await text('instance/guest-attributes/')).toBe('gazeline/\n');
  expect((await ask(path, { method: 'DELETE' })).status).toBe(200);
  expect((await ask(path, { method: 'DELETE' })).status).toBe(404);
  expect((await ask('instance/guest-attributes/a/b/c', { method: 'PUT', body: '' })).status).toBe(400);
  expect(
    (await ask('instance/guest-attributes/a/b', { method: 'PUT', body: 'x'.repeat(300_000) })).status,
  ).toBe(400);
  expect([machine.guestAttributes, writes]).toEqual([{}, 2]);

  machine.attributes['enable-guest-attributes'] = 'FALSE';
  expect((await ask(path, { method: 'PUT', body: 'running' })).status).toBe(403);
  expect((await ask(path)).status).toBe(403);
});

test('a machine without a service account has no token', async () => {
  delete machine.serviceAccount;
  expect(await text('instance/service-accounts/')).toBe('');
  expect((await ask('instance/service-accounts/default/token')).status).toBe(404);
});

test("Google's library for Node gets a token, the project and the account from it", async () => {
  const { GOOGLE_APPLICATION_CREDENTIALS, ...env } = process.env;
  const before = process.env;
  // Its file of credentials would win; HOME may hold those of a person.
  process.env = { ...env, HOME: cloud.dir, GCE_METADATA_HOST: server.host };
  try {
    const auth = new GoogleAuth({ scopes: [scope] });
    expect(await auth.getAccessToken()).toMatch(/^local\./);
    expect(await auth.getProjectId()).toBe('gazeline-local');
    expect(await auth.getCredentials()).toMatchObject({ client_email: email });
  } finally {
    process.env = before;
  }
  const tokens = await requestsAt(cloud, 'token');
  expect(tokens.at(-1)).toMatchObject({ method: 'POST', url: '/token', status: 200 });
});

test('curl gets a token in the shape that scripts take apart', async () => {
  const url = `http://${server.host}/computeMetadata/v1/instance/service-accounts/default/token`;
  const { stdout } = await run('curl', ['-sSf', '-H', 'Metadata-Flavor: Google', url]);
  expect(JSON.parse(stdout)).toEqual({
    access_token: expect.stringMatching(/^local\./),
    expires_in: 3600,
    token_type: 'Bearer',
  });
});

test('a machine has an ID token for whom it calls, and Google’s library checks it', async () => {
  const audience = 'https://api.example.org/a b';
  const identity = (query: string) => text(`instance/service-accounts/default/identity?${query}`);
  const claimsOf = async (idToken: string) => {
    const endpoints = { oauth2FederatedSignonPemCertsUrl: `${cloud.origin}/oauth2/v1/certs` };
    return (await new OAuth2Client({ endpoints }).verifyIdToken({ idToken, audience })).getPayload();
  };
  const query = new URLSearchParams({ audience });
  expect(await claimsOf(await identity(`${query}&format=full`))).toMatchObject({
    email,
    email_verified: true,
  });
  expect(await claimsOf(await identity(`${query}`))).not.toHaveProperty('email');
  expect((await ask('instance/service-accounts/default/identity')).status).toBe(400);
  expect((await ask('instance/service-accounts/other@lab.edu/identity?audience=a')).status).toBe(404);

  process.env.GCE_METADATA_HOST = server.host;
  const idToken = await new Compute().fetchIdToken(audience);
  expect(await claimsOf(idToken)).toMatchObject({ aud: audience, email });
});
