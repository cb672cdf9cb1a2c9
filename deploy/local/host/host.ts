import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Trigger, usualMemory } from '../../../shared/trigger.ts';
import { environmentFor } from '../../instance.ts';

export type HostOptions = {
  functions: Record<string, { trigger: Trigger }>;
  /** One process for each function, so that one can be killed without the others. */
  isolate: boolean;
  /** The environment of the functions, some of whom must know where others are reached. */
  env: (endpointOf: Host['endpointOf']) => Record<string, string>;
  /** A structured log line of a function, or a line that it printed otherwise, as `{ message }`. */
  onLog: (entry: LogEntry) => void;
};
export type LogEntry = { message: string; severity?: string; function?: string; [field: string]: unknown };

export type Host = {
  endpointOf(name: string): string;
  /** The process that serves a function now, for a test to kill. It is started again, as Cloud Run would. */
  pidOf(name: string): number | undefined;
  close(): Promise<void>;
};

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const preload = ['--import', path('./endWithHost.ts')];
const framework = createRequire(import.meta.url).resolve('@google-cloud/functions-framework');

/** Runs the functions under the functions framework: in a process for each size of memory, or each in one of its own. */
export async function startHost({ functions, isolate, env, onLog }: HostOptions): Promise<Host> {
  const memoryOf = (name: string) => functions[name]?.trigger.memory ?? usualMemory;
  const together = Map.groupBy(Object.keys(functions), (name) => (isolate ? name : memoryOf(name)));
  const groups = await Promise.all(
    [...together.values()].map(async (names) => ({
      names,
      memory: Math.max(...names.map(memoryOf)),
      port: await freePort(),
    })),
  );
  const groupOf = (name: string) => {
    const group = groups.find(({ names }) => names.includes(name));
    if (!group) throw new Error(`There is no function ${name}`);
    return group;
  };
  const endpointOf = (name: string) => `http://127.0.0.1:${groupOf(name).port}/${isolate ? '' : name}`;
  const environment = env(endpointOf);

  const processes = groups.map(({ names: [name = ''], memory, port }) => {
    const args = isolate
      ? [
          framework.replace(/index\.js$/, 'main.js'),
          `--target=${name}`,
          `--source=${path('../../../functions/serve.ts')}`,
        ]
      : [path('./serve.ts')];
    return keepRunning(
      [...preload, ...args],
      { ...environment, ...environmentFor(memory, environment.NODE_OPTIONS), PORT: String(port) },
      onLog,
    );
  });
  await Promise.all(groups.map(({ port }) => answers(port)));
  return {
    endpointOf,
    pidOf: (name) => processes[groups.indexOf(groupOf(name))]?.pid(),
    async close() {
      await Promise.all(processes.map(({ stop }) => stop()));
    },
  };
}

/** Starts a process, and again when it dies: at once, then after pauses that grow up to some seconds. */
function keepRunning(args: string[], env: Record<string, string>, onLog: HostOptions['onLog']) {
  let child: ChildProcess;
  let stopped = false;
  let failures = 0;
  const start = () => {
    child = spawn(process.execPath, args, {
      env: { ...process.env, ...env, NODE_ENV: 'production' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const startedAt = Date.now();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => onLog(entryOf(line)));
    }
    child.once('exit', async (code, signal) => {
      if (stopped) return;
      failures = Date.now() - startedAt > 10_000 ? 0 : failures + 1;
      onLog({
        severity: 'WARNING',
        message: 'a process of the functions ended and is started again',
        code,
        signal,
      });
      await sleep(Math.min(100 * 2 ** failures, 5000));
      if (!stopped) start();
    });
  };
  start();
  return {
    pid: () => child.pid,
    async stop() {
      stopped = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function entryOf(line: string): LogEntry {
  try {
    const entry: unknown = JSON.parse(line);
    if (entry && typeof entry === 'object' && 'message' in entry) return entry as LogEntry;
  } catch {
    // Not one of ours: the framework and libraries print plain text.
  }
  return { message: line };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Any answer will do: the framework answers before a function is loaded with nothing at all. */
async function answers(port: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${port}/robots.txt`, { signal: AbortSignal.timeout(5000) });
      return;
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error('The functions do not start; see what they printed', { cause: error });
      await sleep(20);
    }
  }
}
