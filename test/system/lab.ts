import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LabOptions } from '../../deploy/local/lab.ts';
import { settled } from '../../deploy/local/settled.ts';
import { clients } from '../../shared/clients.ts';
import { useEnvironmentOf } from '../environment.ts';

export type RunningLab = {
  dir: string;
  /** The Drive, as a person sees it. */
  drive: string;
  origin: string;
  /** The process that served each function at the start. */
  pids: Record<string, number>;
  log: { message: string; [field: string]: unknown }[];
  settled(): Promise<unknown>;
  /** Everything in a bucket: name to bytes. */
  objects(bucket: string): Promise<Map<string, Buffer>>;
  json(bucket: string, name: string): Promise<unknown>;
  /** What reached a service since the start. */
  requests(service: string): Promise<{ method: string; url: string; status: number; detail?: unknown }[]>;
  fault(...faults: object[]): Promise<void>;
  /** Fires a schedule now. */
  tick(name: string): Promise<void>;
  kill(): Promise<void>;
  close(): Promise<void>;
};

type Options = Partial<Omit<LabOptions, 'onLog'>>;

/** A lab over a new folder, or over the folder of one that was killed. */
export async function openLab(options: Options = {}): Promise<RunningLab> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'gazeline-lab-')));
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'labProcess.ts'),
      JSON.stringify({ ...options, dir }),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const log: RunningLab['log'] = [];
  const address = await firstAddress(child, log);
  const { origin, project, pids } = address;
  useEnvironmentOf(address);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${origin}${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    dir,
    drive: join(dir, 'drive'),
    origin,
    pids,
    log,
    settled: () => settled(origin),
    async objects(bucket) {
      const [files] = await (await clients.storage()).bucket(bucket).getFiles();
      const contents = await Promise.all(files.map(async (file) => (await file.download())[0]));
      return new Map(files.map(({ name }, index) => [name, contents[index] as Buffer]));
    },
    async json(bucket, name) {
      const [bytes] = await (await clients.storage()).bucket(bucket).file(name).download();
      return JSON.parse(bytes.toString());
    },
    async requests(service) {
      return ((await ask(`/_local/requests?service=${service}`)) as { requests: never[] }).requests;
    },
    async fault(...faults) {
      await ask('/_local/faults', { method: 'DELETE' });
      const headers = { 'content-type': 'application/json' };
      if (faults.length > 0)
        await ask('/_local/faults', { method: 'POST', headers, body: JSON.stringify(faults) });
    },
    async tick(name) {
      await ask(`/v1/projects/${project}/locations/local/jobs/${name}:run`, { method: 'POST' });
    },
    kill: () => end('SIGKILL'),
    async close() {
      await end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function firstAddress(child: ChildProcess, log: RunningLab['log']) {
  type Address = Record<'origin' | 'keyFile' | 'project' | 'studyFolder', string> & Pick<RunningLab, 'pids'>;
  return new Promise<Address>((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`The lab ended with ${code}: ${JSON.stringify(log.slice(-5))}`)),
    );
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as { message: string; origin?: string };
      if (entry.origin) resolve(entry as never);
      else log.push(entry);
    });
  });
}
