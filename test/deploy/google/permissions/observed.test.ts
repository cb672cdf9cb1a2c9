import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
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
  await somebodyForgetsAMachine();
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
  await lab.settled();
}

/** Whoever it was, it is looked at. */
async function somebodyForgetsAMachine(): Promise<void> {
  const cloud = { origin: lab.origin, project: project() } as Parameters<typeof clientsOf>[0];
  await insert(cloud, clientsOf(cloud), machine('somebodys', 'sleep 100'));
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

test('every function was at work', () => {
  // Nobody exports, calls the API or has a session here: their own tests do.
  const others = ['api', 'export', 'session-start', 'session-sweep'];
  expect(names.filter((name) => !sent.has(name) && !others.includes(name))).toEqual([]);
});

/** What cannot be waited for here: by whom it is done, and where; a file, and words in it. */
const tpuNodes = 'shared/machines/tpuNodes.ts';
const computeEngine = 'shared/machines/computeEngine.ts';
const idleVms = 'shared/machines/idle/idleVms.ts';
const instances = 'shared/sessions/instances.ts';
const drive: Name[] = [
  ...(['drive-tick', 'drive-feed', 'drive-reconcile', 'file-sync', 'export', 'notice-board', 'api'] as const),
];
const sessions: Name[] = ['session-start', 'session-sweep'];
const jobs: Name[] = ['job-start', 'job-event', 'machine-sweep'];
const idle: Name[] = ['idle-sweep', 'budget-guard'];
const ofTpus: Name[] = [...jobs, 'budget-guard'];
const elsewhere: Record<string, [by: Name[], file: string, words: string]> = {
  // Cloud Run reads it in the function's name, before there is a process.
  'secretmanager.versions.access': [
    ['drive-webhook', 'drive-tick'],
    'deploy/google/terraform/functions.tf',
    'secret_environment_variables',
  ],
  // All that run in one process share a token, which one of them has asked for.
  'iam.serviceAccounts.getAccessToken': [drive, 'shared/clients.ts', ':generateAccessToken'],
  'state: storage.objects.get': [names, 'shared/storage/records.ts', 'readObject(bucket.file(name))'],
  'state: storage.objects.create': [names, 'shared/unprocessable.ts', 'records.write(nameOf(problem)'],
  'state: storage.objects.delete': [names, 'shared/storage/records.ts', 'await file.delete('],
  'state: storage.objects.list': [
    ['drive-reconcile', 'machine-sweep', 'waiting-tick', 'api', ...idle, ...sessions],
    'shared/storage/records.ts',
    'bucket.getFiles(',
  ],
  'raw: storage.objects.get': [['drive-reconcile', 'api'], 'shared/drive/compare.ts', 'lookAtObject(raw'],
  'raw: storage.objects.list': [['file-sync', 'api'], 'functions/file-sync.ts', 'pagesOf(raw'],
  'derived: storage.objects.get': [
    ['machine-sweep', 'export', 'api', ...sessions],
    'shared/jobs/hearReport.ts',
    'derived.file(',
  ],
  'derived: storage.objects.list': [
    ['machine-sweep', 'export', 'api'],
    'shared/jobs/hearReport.ts',
    'pagesOf(dependencies.derived',
  ],
  'drive-reconcile: pubsub.topics.publish': [
    ['drive-reconcile', 'api'],
    'functions/drive-reconcile.ts',
    "publish('drive-reconcile'",
  ],
  'job-requested: pubsub.topics.publish': [
    [...jobs, 'api'],
    'shared/jobs/submitJob.ts',
    "publish('job-requested'",
  ],
  'guard-notices: pubsub.topics.publish': [
    [...idle, 'waiting-tick', 'api'],
    'shared/budget/sendNotice.ts',
    'publish(noticesTopic',
  ],
  'file-changed: pubsub.topics.publish': [
    ['file-sync', 'waiting-tick', 'api'],
    'functions/index.ts',
    "topic: 'file-changed', key",
  ],
  'stimulus-arrived: pubsub.topics.publish': [
    ['waiting-tick', 'api'],
    'functions/index.ts',
    "topic: 'stimulus-arrived', key",
  ],
  'compute.instances.get': [[...jobs, ...idle, 'api'], computeEngine, 'instances.get('],
  'compute.instances.delete': [[...jobs, 'idle-sweep'], computeEngine, 'instances.delete('],
  'compute.instances.stop': [[...idle, 'api'], computeEngine, 'instances.stop('],
  'compute.instances.getSerialPortOutput': [
    ['machine-sweep'],
    computeEngine,
    'instances.getSerialPortOutput(',
  ],
  'compute.disks.delete': [['machine-sweep'], computeEngine, 'disks.delete('],
  'compute.zoneOperations.get': [[...jobs, ...idle, 'api'], computeEngine, 'zoneOperations.wait('],
  'compute.zoneOperations.list': [[...jobs, 'cost-tick'], computeEngine, 'zoneOperations.listAsync('],
  'compute.instances.getGuestAttributes': [[...idle, 'api'], idleVms, 'instances.getGuestAttributes('],
  'compute.instances.setLabels': [[...idle, 'api'], idleVms, 'instances.setLabels('],
  'monitoring.timeSeries.list': [
    [...idle, 'cost-tick'],
    'shared/machines/idle/utilization.ts',
    'timeSeries.list(',
  ],
  'notebooks.instances.stop': [
    [...idle, ...sessions, 'api'],
    'shared/machines/idle/workbench.ts',
    'instances.stop(',
  ],
  'notebooks.operations.get': [
    [...idle, ...sessions, 'api'],
    'shared/machines/idle/workbench.ts',
    'operations.get(',
  ],
  'tpu.nodes.create': [['job-start'], tpuNodes, 'queuedResources.create('],
  'tpu.nodes.get': [ofTpus, tpuNodes, 'nodes.get('],
  'tpu.nodes.list': [['machine-sweep', 'cost-tick', ...idle], tpuNodes, 'nodes.list('],
  'tpu.nodes.delete': [ofTpus, tpuNodes, 'nodes.delete('],
  'tpu.operations.get': [ofTpus, tpuNodes, 'operations.get('],
  'notebooks.instances.create': [sessions, instances, 'instances.create('],
  'notebooks.instances.get': [sessions, instances, 'instances.get('],
  'notebooks.instances.start': [sessions, instances, 'instances.start('],
  'notebooks.instances.delete': [sessions, instances, 'instances.delete('],
  'iam.serviceAccounts.actAs': [sessions, instances, 'instances.create('],
  'iam.serviceAccounts.signBlob': [['api'], 'shared/api/routes/signedUrls.ts', 'getSignedUrl('],
  'compute.instances.list': [['api'], idleVms, 'listInstances'],
  'derived: storage.objects.create': [[...sessions, 'api'], 'shared/sessions/script.ts', 'derived.file('],
  'derived: storage.objects.delete': [[...sessions, 'api'], 'shared/sessions/script.ts', 'derived.file('],
  'session-requested: pubsub.topics.publish': [
    [...sessions, 'api'],
    'shared/sessions/requestSession.ts',
    'publish(',
  ],
  'export-requested: pubsub.topics.publish': [
    ['export', 'waiting-tick', 'api'],
    'shared/export/requestExport.ts',
    'publish(',
  ],
  'resourcemanager.projects.deleteBillingAssignment': [
    ['budget-guard'],
    'shared/budget/detach.ts',
    'updateBillingInfo(',
  ],
};
const root = join(import.meta.dirname, '../../../..');

test.each(names)('%s may do nothing of which it is not known where it does it', async (name) => {
  const was = sent.get(name) ?? new Set();
  for (const one of tableOf(name)) {
    // Whoever may replay dead letters publishes to all topics.
    if (was.has(one) || (name === 'api' && one.endsWith('pubsub.topics.publish'))) continue;
    const [by = [], file, words] = elsewhere[one] ?? [];
    expect({ one, by }).toEqual({ one, by: expect.arrayContaining([name]) });
    expect(await readFile(join(root, file ?? ''), 'utf8')).toContain(words);
  }
});
