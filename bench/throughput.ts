import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import pLimit from 'p-limit';
import { collectLessOften } from '../deploy/local/collectLessOften.ts';
import { startLab } from '../deploy/local/lab.ts';
import { settled } from '../deploy/local/settled.ts';
import { clients } from '../shared/clients.ts';
import { table } from './report.ts';

/*
 * 1,000 files of 10 kB dropped into the Drive at once: files per second until the bucket holds them all, and requests
 * for each file. The peer, in the same run: the same bytes uploaded to the same bucket by Google's storage client alone,
 * from one process, as many at a time as Pub/Sub pushes.
 */
const files = Number(process.argv[2] ?? 1000);
const bytes = 10_000;
const dir = await mkdtemp(join(tmpdir(), 'gazeline-bench-'));
collectLessOften();
const lab = await startLab({
  dir,
  onLog: ({ severity, message }) => severity !== 'INFO' && console.error(message),
});
const { origin } = lab.cloud;
await settled(origin);

const storage = await clients.storage();
const [bare] = await storage.createBucket('bare');
const contents = Array.from({ length: files }, () => randomBytes(bytes));
const limit = pLimit(100);
const upload = (content: Buffer, index: number) =>
  bare.file(`${index}.bin`).save(content, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
await upload(randomBytes(bytes), -1);
const bareStart = performance.now();
await Promise.all(contents.map((content, index) => limit(upload, content, index)));
const bareSeconds = (performance.now() - bareStart) / 1000;

await fetch(`${origin}/_local/requests`, { method: 'DELETE' });
const drop = join(dir, 'drive', 'drop');
await mkdir(drop);
const start = performance.now();
await Promise.all(contents.map((content, index) => writeFile(join(drop, `${index}.bin`), content)));
await settled(origin);
const seconds = (performance.now() - start) / 1000;

const raw = storage.bucket('raw');
const [objects] = await raw.getFiles({ prefix: 'drop/' });
if (objects.length !== files) throw new Error(`${objects.length} of ${files} files arrived`);
const { requests } = (await (await fetch(`${origin}/_local/requests`)).json()) as {
  requests: { service: string }[];
};
const perFile = (service: string) =>
  (requests.filter((one) => one.service === service).length / files).toFixed(2);

console.log(
  table(
    [
      '',
      'seconds',
      'files / s',
      'storage requests / file',
      'Drive requests / file',
      'Pub/Sub requests and pushes / file',
    ],
    [
      [
        'Gazeline',
        seconds.toFixed(2),
        (files / seconds).toFixed(1),
        perFile('storage'),
        perFile('drive'),
        perFile('pubsub'),
      ],
      ['bare upload', bareSeconds.toFixed(2), (files / bareSeconds).toFixed(1), 1, 0, 0],
    ],
  ),
);
console.log(`Gazeline takes ${(seconds / bareSeconds).toFixed(2)} × the time of the bare upload.`);
await lab.close();
await rm(dir, { recursive: true });
