import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud } from '../deploy/local/cloud/cloud.ts';
import { frameworkFiles } from '../deploy/package/framework.ts';
import { manifest } from '../deploy/package/manifest.ts';
import { packageOf } from '../deploy/package/packageOf.ts';
import { unpack } from '../deploy/package/unpack.ts';
import { zip } from '../deploy/package/zip.ts';
import { functions } from '../functions/index.ts';
import { firstEvents } from './coldStart/firstEvents.ts';
import { type Start, startPackage } from './coldStart/startPackage.ts';
import { median, table } from './report.ts';

/*
 * How long each function's package takes from the start of its process, under the functions framework, beside a bare
 * hello world in the same run: until it is imported and answers at all, and until its first real event is done, with a
 * token fetched and its clients used against the local cloud. Each is in a temporary folder, as it is deployed.
 */
const rounds = Number(process.argv[2] ?? 7);
const dir = await mkdtemp(join(tmpdir(), 'gazeline-bench-'));
const cloud = await startCloud({ dir: join(dir, 'cloud') });
const env = {
  ...process.env,
  GAZELINE_LOCAL_CLOUD: cloud.origin,
  GOOGLE_APPLICATION_CREDENTIALS: cloud.keyFile,
  GAZELINE_PROJECT: cloud.project,
  GAZELINE_STUDY_FOLDER: cloud.studyFolder,
  GAZELINE_RAW_BUCKET: 'raw',
  GAZELINE_DERIVED_BUCKET: 'derived',
  GAZELINE_STATE_BUCKET: 'state',
  GAZELINE_CHANNEL_SECRET: 'a secret of the benchmark',
  GAZELINE_API_URL: 'https://api.example.org',
};
Object.assign(process.env, env);
const events = await firstEvents();

const hello = Buffer.from(`import { http } from '@google-cloud/functions-framework';
http('hello', (request, response) => response.send('hello'));`);
const packages = new Map([
  [
    'hello',
    new Map([...(await frameworkFiles()), ...(await manifest('hello')), ['index.js', hello] as const]),
  ],
]);
for (const name of Object.keys(functions)) packages.set(name, await packageOf(name));
for (const [name, files] of packages) await unpack(files, join(dir, name));

const starts = new Map<string, Start[]>([...packages.keys()].map((name) => [name, []]));
// In turns, so that whatever else the machine does hits all alike; the first round warms the file cache.
for (let round = 0; round <= rounds; round++) {
  for (const [name, measured] of starts) {
    const event = name === 'hello' ? {} : events[name];
    const one = await startPackage(join(dir, name), name, { env, event });
    if (event && one.status >= 300)
      throw new Error(`${name} answered ${one.status}; VERBOSE=1 shows its log`);
    if (round > 0) measured.push(one);
  }
}
const of = (name: string, field: keyof Start) => median((starts.get(name) ?? []).map((one) => one[field]));
const beside = (name: string, field: keyof Start) => (of(name, field) / of('hello', field)).toFixed(2);
console.log(
  table(
    [
      'package',
      'zipped, kB',
      'imported, ms',
      '× hello',
      'first event done, ms',
      '× hello',
      'peak memory, MB',
      '× hello',
    ],
    [...packages].map(([name, files]) => [
      name,
      (zip(files).length / 1000).toFixed(0),
      of(name, 'ready').toFixed(0),
      beside(name, 'ready'),
      of(name, 'answer').toFixed(0),
      beside(name, 'answer'),
      of(name, 'memory').toFixed(0),
      beside(name, 'memory'),
    ]),
  ),
);
await cloud.close();
await rm(dir, { recursive: true });
