import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FirstEvent } from './firstEvents.ts';

/** Milliseconds since the process began; megabytes, of which only Linux tells. */
export type Start = { ready: number; answer: number; status: number; memory: number };

/**
 * Starts the function `target` of a package as the build of Google would: with the framework that lies in the package,
 * in its folder.
 */
export async function startPackage(
  folder: string,
  target: string,
  { env, event }: { env: NodeJS.ProcessEnv; event: FirstEvent | undefined },
): Promise<Start> {
  const port = await freePort();
  const framework = join(folder, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
  const begin = performance.now();
  const child = spawn(process.execPath, [framework, `--target=${target}`, `--port=${port}`], {
    cwd: folder,
    env: { ...env, NODE_ENV: 'production' },
    stdio: ['ignore', process.env.VERBOSE ? 'inherit' : 'ignore', 'inherit'],
  });
  const ended = new Promise((done) => child.once('exit', done));
  const died = ended.then(() => {
    throw new Error(`${target} does not start`);
  });
  try {
    const url = `http://127.0.0.1:${port}/`;
    // Refused without a client: what has been loaded by then is the framework, and the function with its imports.
    let { status } = await Promise.race([firstAnswer(url, {}), died]);
    const ready = performance.now() - begin;
    if (event) {
      const { method = 'POST', path = '', headers = {}, body } = event;
      const request = {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
      };
      ({ status } = await firstAnswer(`${url}${path}`, request));
    }
    const answer = performance.now() - begin;
    return { ready, answer, status, memory: await peakMemory(child.pid as number) };
  } finally {
    died.catch(() => undefined);
    child.kill('SIGKILL');
    await ended;
  }
}

/** Asks until somebody listens there. */
async function firstAnswer(url: string, request: RequestInit): Promise<Response> {
  for (const begin = performance.now(); ; await sleep(2)) {
    try {
      const response = await fetch(url, { ...request, signal: AbortSignal.timeout(10_000) });
      await response.arrayBuffer();
      return response;
    } catch (error) {
      const refused = String((error as Error).cause).includes('ECONNREFUSED');
      if (!refused || performance.now() - begin > 20_000) throw error;
    }
  }
}

async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
