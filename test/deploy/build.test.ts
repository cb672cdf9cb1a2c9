import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { mintIdToken } from '../../deploy/local/cloud/token/mintIdToken.ts';
import { clients } from '../../shared/clients.ts';
import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import { readJob } from '../../shared/jobs/parseJob.ts';
import { submitJob } from '../../shared/jobs/submitJob.ts';
import { machineName } from '../../shared/machines/names.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { useLocalCloud } from '../localCloud.ts';

const cloud = useLocalCloud();
const root = join(import.meta.dirname, '../..');
const framework = createRequire(import.meta.url).resolve('@google-cloud/functions-framework');
const running: ChildProcess[] = [];
process.env.GAZELINE_MACHINE_ACCOUNT = 'machines@gazeline-local.iam.gserviceaccount.com';

beforeAll(async () => {
  execFileSync(process.execPath, ['deploy/build.ts'], { cwd: root });
  const storage = await clients.storage();
  for (const bucket of ['raw', 'state']) await storage.createBucket(bucket);
}, 60_000);
afterAll(() => {
  for (const child of running) child.kill();
});

/** A function of the bundle, as Cloud Run would start it. */
async function serve(name: string): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const args = [
    framework.replace(/index\.js$/, 'main.js'),
    `--target=${name}`,
    '--source=build/functions/serve.js',
  ];
  running.push(spawn(process.execPath, args, { cwd: root, env: { ...process.env, PORT: String(port) } }));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries++) {
    if (await fetch(`${url}/robots.txt`).catch(() => undefined)) return url;
    await sleep(50);
  }
  throw new Error(`${name} does not start`);
}

const push = (data: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    message: { messageId: '1', data: Buffer.from(JSON.stringify(data)).toString('base64') },
  }),
});

test('what is deployed really works: the bundled feed, comparison and sync bring a file', async () => {
  const { studyFolder } = (await import('../../shared/config.ts')).config();
  const drive = await clients.drive();
  const { data } = await drive.files.create({
    requestBody: { name: 'a.txt', parents: [studyFolder] },
    media: { mimeType: 'text/plain', body: 'bundled' },
  });
  const pubsub = await clients.pubsub();
  const { project } = (await import('../../shared/config.ts')).config();
  for (const topic of ['drive-reconcile', 'file-changed', 'drive-changed'])
    await pubsub.projects.topics.create({ name: `projects/${project}/topics/${topic}` });

  for (const [name, message] of [
    ['drive-feed', {}],
    ['drive-reconcile', {}],
    ['file-sync', { fileId: data.id }],
  ] as const) {
    const url = await serve(name);
    expect({ name, status: (await fetch(url, push(message))).status }).toEqual({ name, status: 204 });
  }
  const [bytes] = await (await clients.storage()).bucket('raw').file('a.txt').download();
  expect(bytes.toString()).toBe('bundled');
  const records = recordsIn(await clients.storage(), 'state');
  expect(await records.read('drive/feed.json', z.looseObject({ pageToken: z.string() }))).toBeDefined();
  expect(await records.read('drive/reconcile.json', z.looseObject({ asked: z.literal(1) }))).toBeDefined();
}, 60_000);

test('and it starts machines: the bundled search finds one and hands it the start-up script', async () => {
  const records = recordsIn(await clients.storage(), 'state');
  const code = { repository: 'file:///nowhere', command: 'true' };
  const job = readJob({ name: 'Bundled', ...code }, { allowFile: true });
  const { id } = await submitJob(records, { job, key: 'bundled', owner: 'me' }, new Date());
  const url = await serve('job-start');
  expect((await fetch(url, push({ job: id }))).status).toBe(204);
  const record = await readJobRecord(records, id);
  const zone = record?.attempts[0]?.candidate?.zone ?? '';
  const { instances } = await clients.compute();
  const [machine] = await instances.get({ project: cloud.project, zone, instance: machineName(id, 1) });
  const script = machine.metadata?.items?.find(({ key }) => key === 'startup-script')?.value;
  expect(script).toBe(await readFile(join(root, 'deploy/google/machine/start.sh'), 'utf8'));
}, 60_000);

test('in the bundle, the API knows its caller and finds all that it loads late', async () => {
  const audience = 'https://api.example.org';
  process.env.GAZELINE_API_URL = audience;
  const account = 'caller-ada@gazeline-local.iam.gserviceaccount.com';
  const storage = await clients.storage();
  await storage.createBucket('derived');
  await recordsIn(storage, 'state').write('access.json', { members: { [account]: 'admin' } }, '0');
  const url = await serve('api');
  const authorization = `Bearer ${await mintIdToken(cloud.origin, account, audience)}`;
  const ask = async (method: string, path: string, body?: object) =>
    (
      await fetch(`${url}${path}`, {
        method,
        headers: { authorization, accept: 'text/csv, application/json', 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
    ).status;
  const job = { name: 'Quoted', repository: 'https://github.com/our-lab/scanpaths', command: 'make' };
  expect(await ask('GET', '/v1/openapi.json')).toBe(200);
  expect(await ask('GET', '/v1/areas-of-interest')).toBe(200);
  expect(await ask('GET', '/v1/sync/status')).toBe(200);
  expect(await ask('POST', '/v1/jobs/quote', job)).toBe(200);
  expect(await ask('GET', '/v1/machines')).toBe(200);
  expect((await fetch(`${url}/v1/me`)).status).toBe(401);
});
