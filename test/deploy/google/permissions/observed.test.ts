import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { permissionsOf } from '../../../../deploy/google/methods.ts';
import { type Needs, permissions } from '../../../../deploy/google/permissions.ts';
import { functions } from '../../../../functions/index.ts';
import { clients } from '../../../../shared/clients.ts';
import { publishTo } from '../../../../shared/publish.ts';
import { openLab, type RunningLab } from '../../../system/lab.ts';
import { clientsOf, insert, machine } from '../../local/cloud/compute/kit.ts';

/*
 * A lab in which about everything happens once. Which function sent which request is written down by its process itself
 * (`observe.ts`), and each request stands for the permissions that Google would ask for.
 */
type Name = keyof typeof functions;
const names = Object.keys(functions) as Name[];
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
  for (const clock of ['drive-tick', 'machine-sweep', 'idle-sweep', 'cost-tick', 'waiting-tick'] as const)
    await lab.tick(clock);
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
  await writeFile(file('story.txt'), 'Marie Curie lived in Paris.');
  await writeFile(file('recording.csv'), 'time,x,y\n0,1,2\n4,1,2\n');
  await writeFile(file('gone.txt'), 'Nobody will miss it.');
  await lab.settled();
  await rename(file('story.txt'), file('tale.txt'));
  await rm(file('gone.txt'));
  await utimes(file('recording.csv'), new Date(), new Date('2026-01-01'));
  await lab.settled();
  await writeFile(file('tale.txt'), 'Marie Curie was happy in Paris.');
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
  const { project } = process.env.GAZELINE_PROJECT
    ? { project: process.env.GAZELINE_PROJECT }
    : { project: '' };
  for (const name of names) {
    const { trigger } = functions[name] as { trigger: { topic?: string } };
    if (!trigger.topic) continue;
    const messages = [
      {
        data: Buffer.from('{"nonsense": 1}').toString('base64'),
        attributes: { eventType: 'OBJECT_FINALIZE' },
      },
    ];
    await topics.publish({ topic: `projects/${project}/topics/${trigger.topic}`, requestBody: { messages } });
  }
  await lab.settled();
}

/** More than twice the budget: all that runs is stopped, and then the project loses its billing account. */
async function tooMuchIsSpent(): Promise<void> {
  const project = process.env.GAZELINE_PROJECT ?? '';
  const cloud = { origin: lab.origin, project } as Parameters<typeof clientsOf>[0];
  await insert(cloud, clientsOf(cloud), machine('somebodys', 'sleep 100'));
  await lab.settled().catch(() => undefined);
  const [budget = ''] = (await environmentOf()).GAZELINE_BUDGETS?.split(',') ?? [];
  const publish = publishTo(await clients.pubsub(), project);
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

const environmentOf = async () =>
  JSON.parse(await readFile(join(lab.dir, '.cloud', 'environment.json'), 'utf8')) as Record<string, string>;

/** The table, as requests are written here: buckets and topics by name. */
const tableOf = (name: Name): string[] =>
  Object.entries(permissions[name] as Needs).flatMap(([on, list]) => {
    if (on === 'publishes') return list.map((topic) => `${topic}: pubsub.topics.publish`);
    return list.map((one) => (['raw', 'derived', 'state'].includes(on) ? `${on}: ${one}` : one));
  });

test('every request is one of which the permission is known', () => {
  expect([...unknown]).toEqual([]);
});

test.each(names)('%s sends nothing that it may not', (name) => {
  const may = new Set(tableOf(name));
  expect([...(sent.get(name) ?? [])].filter((one) => !may.has(one))).toEqual([]);
});

test.each(names)('%s may do nothing that it never does', (name) => {
  const was = sent.get(name) ?? new Set();
  const rest = [...new Set(tableOf(name))].filter((one) => !was.has(one)).sort();
  console.log(name, rest);
});
