import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { firstEvents } from '../../../bench/coldStart/firstEvents.ts';
import { type Start, startPackage } from '../../../bench/coldStart/startPackage.ts';
import { packageOf } from '../../../deploy/package/packageOf.ts';
import { unpack } from '../../../deploy/package/unpack.ts';
import { zip } from '../../../deploy/package/zip.ts';
import { functions } from '../../../functions/index.ts';
import { clients } from '../../../shared/clients.ts';
import { readJobRecord } from '../../../shared/jobs/changeJob.ts';
import { readJob } from '../../../shared/jobs/parseJob.ts';
import { submitJob } from '../../../shared/jobs/submitJob.ts';
import { machineName } from '../../../shared/machines/names.ts';
import { recordsIn } from '../../../shared/storage/records.ts';
import { useLocalCloud } from '../../localCloud.ts';

process.env.GAZELINE_CHANNEL_SECRET = 'a secret of this test';
process.env.GAZELINE_API_URL = 'https://api.example.org';
process.env.GAZELINE_MACHINE_ACCOUNT = 'machines@gazeline-local.iam.gserviceaccount.com';
const cloud = useLocalCloud();
const root = join(import.meta.dirname, '../../..');
let dir: string;
let events: Awaited<ReturnType<typeof firstEvents>>;
const packages = new Map<string, Map<string, Buffer>>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-packages-'));
  events = await firstEvents();
  for (const name of Object.keys(functions)) {
    const files = await packageOf(name);
    packages.set(name, files);
    await unpack(files, join(dir, name));
  }
}, 120_000);
afterAll(() => rm(dir, { recursive: true }));

/** In a temporary folder, with nothing of the repository in reach. */
const start = (name: string, body: unknown, folder = join(dir, name)): Promise<Start> =>
  startPackage(folder, name, { env: process.env, event: { body } });
const push = (data: object) => ({
  message: { messageId: '1', data: Buffer.from(JSON.stringify(data)).toString('base64') },
});

test('the package of every function starts by itself and answers its first event', async () => {
  for (const name of Object.keys(functions)) {
    const { status } = await startPackage(join(dir, name), name, { env: process.env, event: events[name] });
    // One that is not asked anything here has refused the question of nobody.
    const good = events[name] ? [200, 204] : [400, 401, 403, 404, 405];
    expect({ name, isGood: good.includes(status), status }).toMatchObject({ name, isGood: true });
  }
}, 120_000);

test('the package of the API finds all that it loads late', async () => {
  const job = { name: 'Quoted', repository: 'https://github.com/our-lab/scanpaths', command: 'make' };
  const ask = async (method: string, path: string, body?: object) => {
    const event = { ...events.api, method, path, ...(body ? { body } : {}) };
    return (await startPackage(join(dir, 'api'), 'api', { env: process.env, event })).status;
  };
  expect(await ask('GET', 'v1/openapi.json')).toBe(200);
  expect(await ask('POST', 'v1/jobs/quote', job)).toBe(200);
  expect(await ask('GET', 'v1/machines')).toBe(200);
}, 60_000);

test('a function has its own code in it and no other’s, and only the clients that it uses', () => {
  const holds = (name: string, what: string) =>
    [...(packages.get(name) ?? [])].some(([file, text]) => file.endsWith('.js') && text.includes(what));
  expect(holds('annotate', '// functions/annotate.ts')).toBe(true);
  expect(holds('annotate', '// functions/file-sync.ts')).toBe(false);
  expect(holds('file-sync', '// functions/annotate.ts')).toBe(false);
  const withMachines = Object.entries(functions)
    .filter(([, { trigger }]) => (trigger.memory ?? 0) > 512)
    .map(([name]) => name);
  const withCompute = [...packages].filter(([, files]) => files.has('compute-protos.json'));
  expect(withCompute.map(([name]) => name).filter((name) => !withMachines.includes(name))).toEqual([]);
  expect(packages.get('job-start')?.has('machine/start.sh')).toBe(true);
  expect(packages.get('annotate')?.has('machine/start.sh')).toBe(false);
});

test('the manifest names the versions that were tested, with their checksums', async () => {
  const files = packages.get('annotate') as Map<string, Buffer>;
  const manifest = JSON.parse(String(files.get('package.json')));
  const lock = JSON.parse(String(files.get('package-lock.json')));
  const ours = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  expect(manifest).toMatchObject({ main: 'index.js', type: 'module', engines: { node: '24' } });
  expect(Object.keys(manifest.dependencies)).toEqual(['@google-cloud/functions-framework']);
  const vendored = [...files.keys()].filter((file) => file.endsWith('/package.json'));
  for (const file of vendored) {
    const place = file.slice(0, -'/package.json'.length);
    if (!ours.packages[place]) continue;
    expect(lock.packages[place]).toMatchObject({ integrity: ours.packages[place].integrity });
    expect(JSON.parse(String(files.get(file))).version).toBe(lock.packages[place].version);
  }
  expect(vendored.length).toBeGreaterThan(20);
});

test('what is deployed really works: the packaged feed, comparison and sync bring a file', async () => {
  const { studyFolder } = (await import('../../../shared/config.ts')).config();
  const drive = await clients.drive();
  const { data } = await drive.files.create({
    requestBody: { name: 'a.txt', parents: [studyFolder] },
    media: { mimeType: 'text/plain', body: 'packaged' },
  });
  for (const [name, message] of [
    ['drive-feed', {}],
    ['drive-reconcile', {}],
    ['file-sync', { fileId: data.id }],
  ] as const)
    expect({ name, status: (await start(name, push(message))).status }).toEqual({ name, status: 204 });
  const [bytes] = await (await clients.storage()).bucket('raw').file('a.txt').download();
  expect(bytes.toString()).toBe('packaged');
  const records = recordsIn(await clients.storage(), 'state');
  expect(await records.read('drive/feed.json', z.looseObject({ pageToken: z.string() }))).toBeDefined();
}, 60_000);

test('and it starts machines: the packaged search finds one and hands it the start-up script', async () => {
  const records = recordsIn(await clients.storage(), 'state');
  const code = { repository: 'file:///nowhere', command: 'true' };
  const job = readJob({ name: 'Packaged', ...code }, { allowFile: true });
  const { id } = await submitJob(records, { job, key: 'packaged', owner: 'me' }, new Date());
  expect((await start('job-start', push({ job: id }))).status).toBe(204);
  const record = await readJobRecord(records, id);
  const zone = record?.attempts[0]?.candidate?.zone ?? '';
  const { instances } = await clients.compute();
  const [machine] = await instances.get({ project: cloud.project, zone, instance: machineName(id, 1) });
  const script = machine.metadata?.items?.find(({ key }) => key === 'startup-script')?.value;
  expect(script).toBe(await readFile(join(root, 'deploy/google/machine/start.sh'), 'utf8'));
}, 60_000);

/** The sources in another place, as another person has them. */
async function otherCheckout(): Promise<string> {
  const other = join(dir, 'other-checkout');
  for (const part of ['functions', 'shared', 'deploy', 'package.json', 'package-lock.json', 'tsconfig.json'])
    await cp(join(root, part), join(other, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(other, 'node_modules'));
  return other;
}

test('the same source makes the same bytes, in another folder and another time zone', async () => {
  const other = await otherCheckout();
  const env = { ...process.env, TZ: 'Asia/Tokyo' };
  execFileSync(process.execPath, ['deploy/build.ts', 'object-arrived'], { cwd: other, env });
  const there = await readFile(join(other, 'build/packages/object-arrived.zip'));
  expect(there.equals(zip(packages.get('object-arrived') as Map<string, Buffer>))).toBe(true);

  // And a file that starts itself as a thread still does.
  await writeFile(
    join(other, 'shared/threaded.ts'),
    `import { isMainThread, parentPort, Worker } from 'node:worker_threads';
     if (!isMainThread) parentPort?.postMessage('from a thread');
     export const ask = () => new Promise((answer, refuse) =>
       new Worker(new URL(import.meta.url)).once('message', answer).once('error', refuse));`,
  );
  await writeFile(
    join(other, 'functions/waiting-tick.ts'),
    `import { ask } from '../shared/threaded.ts';
     export const waitingTick = async () => {
       if ((await ask()) !== 'from a thread') throw new Error('no thread');
     };`,
  );
  execFileSync(process.execPath, ['deploy/build.ts', 'waiting-tick'], { cwd: other, env });
  const folder = join(dir, 'threaded');
  await cp(join(other, 'build/packages/waiting-tick'), folder, { recursive: true });
  expect((await start('waiting-tick', push({}), folder)).status).toBe(204);
}, 60_000);
