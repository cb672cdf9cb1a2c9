import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from '@jest/globals';
import type { Cloud } from '../../../../deploy/local/cloud/cloud.ts';
import {
  type MetadataServer,
  startMetadataServer,
} from '../../../../deploy/local/cloud/compute/metadataServer.ts';
import type { MachineMetadata } from '../../../../deploy/local/cloud/compute/metadataTree.ts';
import { mintToken } from '../../../../deploy/local/cloud/compute/mintToken.ts';
import { clients } from '../../../../shared/clients.ts';
import { useLocalCloud } from '../../../localCloud.ts';

const run = promisify(execFile);
export const script = join(import.meta.dirname, '../../../../deploy/google/machine/start.sh');

/** A real Git repository with one commit of these files. */
export async function makeRepository(
  files: Record<string, string>,
): Promise<{ url: string; commit: string }> {
  const dir = await newFolder('repository');
  const git = (...args: string[]) =>
    run('git', ['-C', dir, '-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args]);
  await git('init', '-q', '-b', 'main');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  await git('add', '.');
  await git('commit', '-q', '-m', 'All of it');
  return { url: `file://${dir}`, commit: (await git('rev-parse', 'HEAD')).stdout.trim() };
}

export type Report = {
  job: string;
  attempt: number;
  sequence: number;
  phase: string;
  outcome?: string;
  reason?: string;
  commit?: string;
  exitCode?: number;
  lastLines?: string;
  freeDisk?: number;
  checkpoint?: string;
  results?: { files: number; bytes: number };
};

/** A machine that runs. */
export type Machine = {
  metadata: MachineMetadata;
  /** Tells those who wait that `metadata` has changed. */
  changed(): void;
  /** Its folder, `GAZELINE_WORK`. */
  work: string;
  signal(signal: NodeJS.Signals): void;
  objects(): Promise<Map<string, string>>;
  /** Waits until a report says it. */
  reported(isIt: (report: Report) => boolean): Promise<void>;
  /** Waits until these words are in the log in the bucket. */
  logged(words: string): Promise<void>;
  ended: Promise<unknown>;
  /** Waits for its end: what it left. */
  left(): Promise<Left>;
};

export type Left = {
  work: string;
  serialPort: string;
  reports: Report[];
  last: Report | undefined;
  /** The objects of the job, by their names below `jobs/<id>/`. */
  objects: Map<string, string>;
  log: string;
};

/** A local cloud with its buckets, a repository with these files, and the shortest job: a command. */
export function useMachines(files: Record<string, string> = { 'README.md': 'Nothing\n' }) {
  const cloud = useLocalCloud();
  const repository = { url: '', commit: '' };
  beforeAll(async () => {
    const storage = await clients.storage();
    for (const bucket of ['raw', 'derived']) await storage.createBucket(bucket);
    Object.assign(repository, await makeRepository(files));
  });
  // None stays behind a test that failed.
  afterAll(async () => {
    for (const machine of running) machine.kill();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });
  const command = (job: string, target: string, more: Record<string, string> = {}): MachineOptions => ({
    cloud,
    attributes: {
      'gazeline-job': job,
      'gazeline-repository': repository.url,
      'gazeline-commit': repository.commit,
      'gazeline-run': 'command',
      'gazeline-target': target,
      'gazeline-results': 'out',
      ...more,
    },
  });
  return { cloud, repository, command };
}

let machines = 0;
const running = new Set<ChildProcess>();
/** To be removed at the end. */
const folders: string[] = [];

async function newFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `gazeline-${name}-`));
  folders.push(folder);
  return folder;
}

export type MachineOptions = {
  cloud: Cloud;
  attributes: Record<string, string>;
  environment?: { GAZELINE_WORK?: string };
  /** The metadata server is not there for so long. */
  networkAfter?: number;
};

/** Runs the start-up script in a folder of its own, with a metadata server of its own. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { cloud, attributes, environment = {}, networkAfter = 0 } = options;
  const metadata: MachineMetadata = {
    id: String(4520031799277581000n + BigInt(++machines)),
    name: `gazeline-${attributes['gazeline-job']}-${attributes['gazeline-attempt'] ?? 1}`,
    zone: 'europe-west4-a',
    machineType: 'n1-standard-1',
    project: cloud.project,
    numericProject: '123456789012',
    attributes: {
      'gazeline-attempt': '1',
      'gazeline-derived-bucket': 'derived',
      'gazeline-storage': cloud.origin,
      'gazeline-report-seconds': '1',
      'gazeline-log-seconds': '1',
      'gazeline-retry-seconds': '10',
      'gazeline-grace-seconds': '5',
      'gazeline-rescue-seconds': '1',
      'gazeline-spare-bytes': '0',
      ...attributes,
    },
    preempted: false,
    scheduling: { preemptible: true, automaticRestart: false, onHostMaintenance: 'TERMINATE' },
    serviceAccount: { email: 'gazeline-machine@example.iam.gserviceaccount.com', scopes: [] },
    guestAttributes: {},
  };
  const mint = () => mintToken(cloud.origin, cloud.keyFile);
  let server: MetadataServer = await startMetadataServer(metadata, { mintToken: mint });
  const { host } = server;
  if (networkAfter > 0) {
    await server.close();
    const port = Number(host.split(':')[1]);
    void setTimeout(networkAfter).then(async () => {
      server = await startMetadataServer(metadata, { mintToken: mint, port });
    });
  }
  const work = await newFolder('machine');
  const env = {
    PATH: process.env.PATH,
    GCE_METADATA_HOST: host,
    GAZELINE_WORK: work,
    GAZELINE_POWEROFF: `touch ${work}/off`,
    ...environment,
  };
  const machine = spawn('bash', [script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(machine);
  let serialPort = '';
  for (const stream of [machine.stdout, machine.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      serialPort += text;
    });
  }
  const ended = new Promise((resolve) => {
    machine.once('close', async () => {
      running.delete(machine);
      await server.close();
      resolve(undefined);
    });
  });

  const job = attributes['gazeline-job'] ?? '';
  const place = `attempts/${attributes['gazeline-attempt'] ?? 1}`;
  const objects = () => objectsOf(cloud, job);
  const reportsIn = (all: Map<string, string>): Report[] =>
    below(`${place}/reports/`, all).map((json) => JSON.parse(json));
  const logIn = (all: Map<string, string>) => below(`${place}/log/`, all).join('');
  const until = async (isIt: (all: Map<string, string>) => boolean) => {
    for (const deadline = Date.now() + 60_000; !isIt(await objects()); await setTimeout(100)) {
      if (Date.now() > deadline) throw new Error(`The machine does not get there:\n${serialPort}`);
    }
  };
  return {
    metadata,
    changed: () => server.changed(),
    work: env.GAZELINE_WORK,
    signal: (signal) => void machine.kill(signal),
    objects,
    reported: (isIt) => until((all) => reportsIn(all).some(isIt)),
    logged: (words) => until((all) => logIn(all).includes(words)),
    ended,
    async left() {
      await ended;
      const all = await objects();
      const reports = reportsIn(all);
      const log = logIn(all);
      return { work: env.GAZELINE_WORK, serialPort, reports, last: reports.at(-1), objects: all, log };
    },
  };
}

/** Runs a machine to its end. */
export const runMachine = async (options: MachineOptions): Promise<Left> =>
  (await startMachine(options)).left();

async function objectsOf({ origin }: Cloud, job: string): Promise<Map<string, string>> {
  const bucket = `${origin}/storage/v1/b/derived/o`;
  const prefix = `jobs/${job}/`;
  const list = await fetch(`${bucket}?prefix=${encodeURIComponent(prefix)}`);
  const { items = [] } = (await list.json()) as { items?: { name: string }[] };
  const found = new Map<string, string>();
  for (const { name } of items) {
    const answer = await fetch(`${bucket}/${encodeURIComponent(name)}?alt=media`);
    // It may be gone since it was listed.
    if (answer.ok) found.set(name.slice(prefix.length), await answer.text());
  }
  return found;
}

/** Contents in the order of their names. */
const below = (prefix: string, objects: Map<string, string>): string[] =>
  [...objects]
    .filter(([name]) => name.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, content]) => content);
