import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { permissionsOf } from '../../../../deploy/google/methods.ts';
import { mintIdToken } from '../../../../deploy/local/cloud/token/mintIdToken.ts';
import { functions } from '../../../../functions/index.ts';
import { clients } from '../../../../shared/clients.ts';
import { publishTo } from '../../../../shared/publish.ts';
import { deadLetterTopic } from '../../../../shared/trigger.ts';
import { openLab, type RunningLab } from '../../../system/lab.ts';
import { clientsOf, insert, machine } from '../../local/cloud/compute/kit.ts';
import { names, tableOf, unexplained } from './elsewhere.ts';

/*
 * A lab in which about everything happens once. Which function sent which request is written down by its process itself
 * (`observe.ts`), and each request stands for the permissions that Google would ask for.
 */
let lab: RunningLab;
let folder: string;
const sent = new Map<string, Set<string>>();
const unknown = new Set<string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gazeline-observed-'));
  const preload = join(import.meta.dirname, 'observe.ts');
  lab = await openLab({
    env: {
      OBSERVED: folder,
      NODE_OPTIONS: `--import=${preload}`,
      GAZELINE_DRIVE_ACCOUNT: 'gazeline-drive@gazeline-local.iam.gserviceaccount.com',
      GAZELINE_DETACH_BILLING: 'on',
      GAZELINE_DETACH_PROJECTS: 'gazeline-local',
      GAZELINE_BUDGET_THRESHOLDS: 'detached=2',
    },
  });
  await filesComeAndGo();
  await aJobRuns();
  await whatCannotWork();
  await somebodyForgetsAMachine();
  await peopleCallTheApi();
  const clocks = ['drive-tick', 'machine-sweep', 'session-sweep', 'idle-sweep', 'cost-tick', 'waiting-tick'];
  for (const clock of clocks) await lab.tick(clock);
  await tooMuchIsSpent();
  await sleep(500);
  for (const file of await readdir(folder))
    for (const line of (await readFile(join(folder, file), 'utf8')).split('\n').filter(Boolean))
      note(JSON.parse(line));
}, 240_000);
afterAll(async () => {
  await lab?.close();
  await rm(folder, { recursive: true });
});

function note({ function: name, method, url }: { function: string; method: string; url: string }): void {
  const asked = permissionsOf(method, url);
  if (!asked) unknown.add(`${name}: ${method} ${url}`);
  const known = sent.get(name) ?? new Set();
  for (const { permission, at } of asked ?? []) known.add(at ? `${at}: ${permission}` : permission);
  sent.set(name, known);
}

async function said(message: string): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (lab.log.some((entry) => entry.message === message)) return;
    await sleep(50);
  }
  throw new Error(`nobody said ${message}: ${JSON.stringify(lab.log.slice(-10))}`);
}

async function filesComeAndGo(): Promise<void> {
  const file = (name: string) => join(lab.drive, name);
  await mkdir(file('pages'));
  await writeFile(file('pages/story.txt'), 'Marie Curie lived in Paris.');
  await writeFile(file('recording.csv'), `time,x,y\n${'4,100.5,200.5\n'.repeat(50)}`);
  await writeFile(file('gone.txt'), 'Nobody will miss it.');
  await lab.settled();
  await rename(file('pages'), file('texts'));
  await rm(file('gone.txt'));
  await utimes(file('recording.csv'), new Date(), new Date('2026-01-01'));
  await lab.settled();
  await writeFile(file('texts/story.txt'), 'Marie Curie was happy in Paris.');
  await writeFile(file('gazeline.yaml'), 'annotate: { texts: [syntax] }');
  await lab.settled();
  await lab.tick('drive-reconcile');
  await lab.settled();
}

async function aJobRuns(): Promise<void> {
  const code = join(lab.dir, 'code');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@uni.example', ...args], {
      stdio: 'ignore',
    });
  git('init', '-q', code);
  git('-C', code, 'commit', '--allow-empty', '-m', 'Nothing yet');
  const job = ['name: Hello', `repository: file://${code}`, 'command: echo hello', 'accelerators: cpu:2'];
  await writeFile(join(lab.drive, 'hello.job.yaml'), job.join('\n'));
  await said('job over');
  await lab.settled();
}

async function whatCannotWork(): Promise<void> {
  const { topics } = (await clients.pubsub()).projects;
  for (const name of names) {
    const { trigger } = functions[name] as { trigger: { topic?: string } };
    if (!trigger.topic) continue;
    const messages = [
      {
        data: Buffer.from('{"nonsense": 1}').toString('base64'),
        attributes: { eventType: 'OBJECT_FINALIZE' },
      },
    ];
    await topics.publish({
      topic: `projects/${project()}/topics/${trigger.topic}`,
      requestBody: { messages },
    });
  }
  // As Pub/Sub itself puts it there when it gives up.
  const attributes = { CloudPubSubDeadLetterSourceSubscription: 'waiting-tick' };
  const letter = { data: Buffer.from('{}').toString('base64'), attributes };
  const topic = `projects/${project()}/topics/${deadLetterTopic}`;
  await topics.publish({ topic, requestBody: { messages: [letter] } });
  await lab.settled();
}

/** Whoever it was, it is looked at. */
async function somebodyForgetsAMachine(): Promise<void> {
  const cloud = { origin: lab.origin, project: project() } as Parameters<typeof clientsOf>[0];
  await insert(cloud, clientsOf(cloud), machine('somebodys', 'sleep 100'));
}

/** Data, an export, a session, a machine, a dead letter. */
async function peopleCallTheApi(): Promise<void> {
  const url = (await environmentOf()).GAZELINE_API_URL ?? '';
  const token = await mintIdToken(lab.origin, `gazeline@${project()}.iam.gserviceaccount.com`, url);
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever it is
  const ask = async (method: string, path: string, body?: object): Promise<any> => {
    const answer = await fetch(`${url}/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'idempotency-key': randomUUID(),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  await ask('GET', 'datasets/derived/objects?prefix=annotations/');
  const { items } = await ask('GET', 'datasets/raw/objects?prefix=texts/');
  const objects = items.map(({ name, generation }: Record<string, string>) => ({ name, generation }));
  await ask('POST', 'signed-urls', { action: 'read', bucket: 'raw', objects });
  const results = [{ name: 'results/a.csv', ifGenerationMatch: '0' }];
  await ask('POST', 'signed-urls', { action: 'write', bucket: 'derived', objects: results });
  await ask('GET', 'annotations');
  await ask('GET', 'sync/plan');
  await ask('POST', 'sync/now', {});
  const job = { name: 'Once more', repository: `file://${lab.dir}/code`, command: 'true' };
  await ask('POST', 'jobs', { ...job, accelerators: 'cpu:2' });

  await mkdir(join(lab.dir, 'shared-drives/Results'), { recursive: true });
  const { drives } = (await (await clients.drive()).drives.list()).data;
  await ask('POST', 'exports', { prefix: 'annotations/', folder: drives?.[0]?.id });
  await said('exported');

  const session = 'sessions/pupils';
  await ask('POST', 'sessions', { name: 'pupils', regions: ['europe-west4'], disk: 50 });
  await said('session');
  await ask('POST', `${session}/stop`);
  await is(async () => (await ask('GET', session)).state === 'stopped');
  await ask('POST', `${session}/start`);
  await is(async () => (await ask('GET', session)).state === 'running');
  await ask('DELETE', `${session}?disk=delete`);
  await is(async () => (await ask('GET', session)).state === 'deleted');

  const { items: machines } = await ask('GET', 'machines');
  const [{ zone }] = machines.filter(({ name }: { name: string }) => name === 'somebodys');
  await ask('POST', `machines/${zone}/somebodys/stop`);
  await ask('POST', `machines/${zone}/somebodys/keep`, { until: '2999-12-31' });

  await ask('POST', 'guard/raise', { level: 'warned', why: 'to see what it does' });
  const [{ id }] = (await ask('GET', 'dead-letters')).items.filter(
    ({ function: of }: { function: string }) => of === 'waiting-tick',
  );
  await ask('POST', `dead-letters/${id}/replay`);
}

async function is(so: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await so()) return;
    await sleep(100);
  }
  throw new Error(`it is not so: ${JSON.stringify(lab.log.slice(-10))}`);
}

/** More than twice the budget: all that runs is stopped, and then the project is about to lose its billing account. */
async function tooMuchIsSpent(): Promise<void> {
  const [budget = ''] = (await environmentOf()).GAZELINE_BUDGETS?.split(',') ?? [];
  const publish = publishTo(await clients.pubsub(), project());
  await publish('budget-notified', [
    {
      data: {
        budgetDisplayName: 'The lab',
        costAmount: 1000,
        costIntervalStart: `${new Date().toISOString().slice(0, 7)}-01T08:00:00Z`,
        budgetAmount: 200,
        budgetAmountType: 'SPECIFIED_AMOUNT',
        currencyCode: 'USD',
      },
      attributes: { billingAccountId: '012345-567890-ABCDEF', budgetId: budget, schemaVersion: '1.0' },
    },
  ]);
  await said('a step of the budget guard');
  await sleep(3000);
}

const project = () => process.env.GAZELINE_PROJECT ?? '';
const environmentOf = async () =>
  JSON.parse(await readFile(join(lab.dir, '.cloud', 'environment.json'), 'utf8')) as Record<string, string>;

test('every request is one of which the permission is known', () => {
  expect([...unknown]).toEqual([]);
});

test.each(names)('%s sends nothing that it may not', (name) => {
  const may = new Set(tableOf(name));
  expect([...(sent.get(name) ?? [])].filter((one) => !may.has(one))).toEqual([]);
});

test('every function was at work', () => {
  expect([...sent.keys()].sort()).toEqual([...names].sort());
});

test.each(names)('%s may do nothing that it was not seen to do, but for what has a reason', (name) => {
  expect(unexplained(name, tableOf(name), sent.get(name) ?? new Set())).toEqual([]);
});
