import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCloud } from '../deploy/local/cloud/cloud.ts';
import { mintIdToken } from '../deploy/local/cloud/token/mintIdToken.ts';
import { letIn } from '../deploy/local/host/letIn.ts';
import { provision } from '../deploy/local/host/provision.ts';
import { functions } from '../functions/index.ts';
import { clients } from '../shared/clients.ts';
import { median, table } from './report.ts';

/*
 * How long each function takes from the start of its process, under the functions framework, beside a bare hello world in
 * the same run: until it is imported and answers at all, and until its first real event is done, with a token fetched and
 * its clients used against the local cloud.
 * Run after `npm run build`: what is measured is what is deployed.
 */
const rounds = Number(process.argv[2] ?? 7);
const framework = createRequire(import.meta.url)
  .resolve('@google-cloud/functions-framework')
  .replace(/index\.js$/, 'main.js');
const secret = 'a secret of the benchmark';
const audience = 'https://api.example.org';

const dir = await mkdtemp(join(tmpdir(), 'gazeline-bench-'));
const cloud = await startCloud({ dir });
const env = {
  ...process.env,
  NODE_ENV: 'production',
  GAZELINE_LOCAL_CLOUD: cloud.origin,
  GOOGLE_APPLICATION_CREDENTIALS: cloud.keyFile,
  GAZELINE_PROJECT: cloud.project,
  GAZELINE_STUDY_FOLDER: cloud.studyFolder,
  GAZELINE_RAW_BUCKET: 'raw',
  GAZELINE_DERIVED_BUCKET: 'derived',
  GAZELINE_STATE_BUCKET: 'state',
  GAZELINE_CHANNEL_SECRET: secret,
  GAZELINE_API_URL: audience,
};
Object.assign(process.env, env);
// Nobody listens there: the only deliveries are those of the benchmark.
await provision({ endpointOf: (name) => `http://127.0.0.1:9/${name}`, maximumBackoff: 600 });
await letIn(cloud);
const account = `gazeline@${cloud.project}.iam.gserviceaccount.com`;
const idToken = await mintIdToken(cloud.origin, account, audience);

const hello = join(dir, 'hello.mjs');
await writeFile(
  hello,
  `import { http } from ${JSON.stringify(createRequire(import.meta.url).resolve('@google-cloud/functions-framework'))};
http('hello', (request, response) => response.send('hello'));`,
);

const raw = (await clients.storage()).bucket('raw');
const text = raw.file('story.txt');
await text.save('A short story about a lamp and its keeper.', {
  resumable: false,
  preconditionOpts: { ifGenerationMatch: 0 },
});
const settings = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } };
await raw.file('gazeline.yaml').save('annotate: { texts: [syntax, sentiment] }', settings);
const object = { bucketId: 'raw', objectId: 'story.txt', objectGeneration: String(text.metadata.generation) };

let deliveries = 0;
const push = (data: unknown, attributes: Record<string, string> = {}) => ({
  message: {
    messageId: `bench-${deliveries++}`,
    data: Buffer.from(JSON.stringify(data)).toString('base64'),
    attributes,
  },
});
type Request = { method?: string; path?: string; headers?: Record<string, string>; body?: unknown };
/** What each function is asked first. A function that is missing here is started and not asked. */
const requests: Record<keyof typeof functions, () => Request> = {
  api: () => ({ method: 'GET', path: 'v1/me', headers: { authorization: `Bearer ${idToken}` } }),
  'drive-webhook': () => ({
    headers: {
      'x-goog-channel-id': 'bench',
      'x-goog-channel-token': createHmac('sha256', secret).update('bench').digest('base64url'),
      'x-goog-resource-state': 'change',
    },
  }),
  'drive-tick': () => ({ body: push({}) }),
  'drive-feed': () => ({ body: push({}) }),
  'file-sync': () => ({ body: push({ fileId: 'a-file-that-is-not-there' }) }),
  export: () => ({ body: push({ export: 'export-0123456789ab' }) }),
  'object-arrived': () => ({ body: push({}, { eventType: 'OBJECT_FINALIZE', ...object }) }),
  annotate: () => ({ body: push({ name: 'story.txt', generation: object.objectGeneration, kind: 'text' }) }),
  'waiting-tick': () => ({ body: push({}) }),
  'cost-tick': () => ({ body: push({}) }),
  'budget-guard': () => ({ body: push({ check: {} }) }),
  'drive-reconcile': () => ({ body: push({}) }),
  'job-start': () => ({ body: push({ job: 'a-job-that-is-not-there' }) }),
  'job-event': () => ({
    body: push({}, { ...object, bucketId: 'derived', objectId: 'story.txt', eventType: 'OBJECT_FINALIZE' }),
  }),
  'machine-sweep': () => ({ body: push({}) }),
  'idle-sweep': () => ({ body: push({}) }),
  'session-start': () => ({ body: push({ session: 'a-session-that-is-not-there' }) }),
  'session-sweep': () => ({ body: push({}) }),
  'dead-letter': () => ({ body: push({}) }),
};

type Start = { ready: number; answer: number; memory: number };

async function start(name: string, source: string): Promise<Start> {
  const port = await freePort();
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [framework, `--target=${name}`, `--source=${source}`, `--port=${port}`],
    {
      env,
      stdio: ['ignore', process.env.VERBOSE ? 'inherit' : 'ignore', 'inherit'],
    },
  );
  const { method = 'POST', path = '', headers, body } = requests[name as keyof typeof functions]?.() ?? {};
  try {
    const url = `http://127.0.0.1:${port}/`;
    // Refused without a client: what has been loaded by then is the framework, and the function with its imports.
    await firstAnswer(url, {});
    const ready = performance.now() - begin;
    const response = await firstAnswer(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = performance.now() - begin;
    if (!response.ok) throw new Error(`${name} answered ${response.status}; VERBOSE=1 shows its log`);
    return { ready, answer, memory: await peakMemory(child.pid as number) };
  } finally {
    const ended = new Promise((done) => child.once('exit', done));
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

/** Megabytes; only Linux tells. */
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

const names = ['hello', ...Object.keys(functions)];
const starts = new Map<string, Start[]>(names.map((name) => [name, []]));
// In turns, so that whatever else the machine does hits all alike; the first round warms the file cache.
for (let round = 0; round <= rounds; round++) {
  for (const name of names) {
    const one = await start(name, name === 'hello' ? hello : resolve('build/functions/serve.js'));
    if (round > 0) starts.get(name)?.push(one);
  }
}
const of = (name: string, field: keyof Start) => median((starts.get(name) ?? []).map((one) => one[field]));
console.log(
  table(
    ['function', 'imported, ms', '× hello', 'first event done, ms', '× hello', 'peak memory, MB', '× hello'],
    names.map((name) => [
      name,
      of(name, 'ready').toFixed(0),
      (of(name, 'ready') / of('hello', 'ready')).toFixed(2),
      of(name, 'answer').toFixed(0),
      (of(name, 'answer') / of('hello', 'answer')).toFixed(2),
      of(name, 'memory').toFixed(0),
      (of(name, 'memory') / of('hello', 'memory')).toFixed(2),
    ]),
  ),
);
await cloud.close();
await rm(dir, { recursive: true });
