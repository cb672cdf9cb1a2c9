import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export type Entry = { severity: string; message: string; event: string; [field: string]: unknown };
export type Answer = { status: number; body: string };
export type Served = {
  log: Entry[];
  /** Sends one request, its body in pieces as the server takes them. */
  send(options: {
    method?: string;
    path?: string;
    headers?: Record<string, string>;
    body?: string | Buffer | Iterable<Buffer>;
  }): Promise<Answer>;
  /** The most memory that the process ever had, in bytes; undefined where the system does not say. */
  peakMemory(): number | undefined;
  alive(): boolean;
  stop(): Promise<void>;
};

const framework = createRequire(import.meta.url)
  .resolve('@google-cloud/functions-framework')
  .replace(/index\.js$/, 'main.js');

/** Serves one function of the fixture, or of `source`, under the real functions framework, in a process of its own. */
export async function serve(
  target: string,
  env: Record<string, string> = {},
  source = join(import.meta.dirname, 'triggerFixture.ts'),
): Promise<Served> {
  const port = await freePort();
  const child = spawn(process.execPath, [framework, `--target=${target}`, `--source=${source}`], {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const log: Entry[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) log.push(JSON.parse(line) as Entry);
  });
  const send: Served['send'] = ({ method = 'POST', path = '/', headers = {}, body = '' }) =>
    new Promise((resolve, reject) => {
      // Kept alive, as Google's proxy does: the rest of a body that was refused is then taken and thrown away.
      const agent = new Agent({ keepAlive: true });
      const outgoing = request({ port, method, path, headers, agent }, async (response) => {
        const chunks = await response.toArray();
        agent.destroy();
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
      // An answer that comes before the whole body was taken may close the connection; it counts all the same.
      const failed = (error: unknown) => setTimeout(reject, 100, error);
      outgoing.on('error', failed);
      if (typeof body === 'string' || Buffer.isBuffer(body)) outgoing.end(body);
      else pipeline(body, outgoing).catch(failed);
    });
  await listening(child, send);
  return {
    log,
    send,
    peakMemory() {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]) * 1024;
      } catch {
        return undefined;
      }
    },
    alive: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What was logged for an event; the line may come a moment after the answer. */
export async function logged(one: Served, event: string): Promise<Entry[]> {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await sleep(5)) {
    const entries = one.log.filter((entry) => entry.event === event);
    if (entries.length > 0) return entries;
  }
  throw new Error(`Nothing was logged for ${event}`);
}

async function listening(child: ChildProcess, send: Served['send']): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(20)) {
    try {
      await send({ method: 'GET', path: '/robots.txt' });
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
