import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { clients } from '../../shared/clients.ts';
import { median, table } from '../report.ts';
import { type Ran, run } from '../sync/children.ts';
import { type Files, writeLarge, writeMany } from '../sync/files.ts';
import { type Bench, curl, gazeline } from './bench.ts';
import { curlFiles } from './curl.ts';

type Samples = Map<string, (Ran & { inside?: number })[]>;

export async function large(bench: Bench, bytes: number): Promise<string> {
  const source = join(bench.dir, 'source-large');
  const files = await writeLarge(source, 'large.bin', bytes);
  await upload(source, 'large/', files);
  const samples = await fresh(bench, 'large/', files);
  return [
    `One file of ${(bytes / 1e9).toPrecision(3)} GB`,
    tableOf(samples, { amount: bytes / 1e6, unit: 'MB / s' }),
  ].join('\n');
}

/** Many small files: into an empty folder, and into one that has them all. */
export async function small(bench: Bench, count: number, only: string | undefined): Promise<string[]> {
  const source = join(bench.dir, 'source-small');
  const files = await writeMany(source, count, 50_000);
  await upload(source, 'small/', files);
  const results: string[] = [];
  if (only !== 'unchanged') {
    const samples = await fresh(bench, 'small/', files);
    results.push(`${count} files of 50 kB\n${tableOf(samples, { amount: count, unit: 'files / s' })}`);
  }
  if (only !== 'small') {
    const samples = await unchanged(bench, 'small/', files);
    results.push(`${count} files of 50 kB, of which none has changed\n${tableOf(samples)}`);
  }
  return results;
}

async function fresh(bench: Bench, prefix: string, files: Files): Promise<Samples> {
  const samples: Samples = new Map();
  const { origin } = bench.lab.cloud;
  const bare = {
    name: curl,
    pull: (prefix: string, folder: string) => curlFiles(origin, prefix, folder, files),
  };
  const all = [...bench.pullers, bare];
  const pulled = async ({ name, pull }: (typeof all)[number]) => {
    const folder = await emptyFolder(bench, name);
    await flush();
    const ran = await pull(prefix, folder, false);
    await check(folderOf(name, folder, prefix), files);
    await rm(folder, { recursive: true });
    return ran;
  };
  for (let round = 0; round < bench.rounds; round++) {
    bench.progress(`${prefix}, round ${round + 1} of ${bench.rounds}`);
    // Memory that is new to a virtual machine costs it seconds: whoever came first would pay for all.
    await pulled(bare);
    for (const puller of [...all.slice(round), ...all.slice(0, round)])
      keep(samples, puller.name, await pulled(puller));
  }
  return samples;
}

async function unchanged(bench: Bench, prefix: string, files: Files): Promise<Samples> {
  const samples: Samples = new Map();
  for (const { name, pull } of bench.pullers) {
    bench.progress(`nothing has changed, ${name}`);
    const folder = await emptyFolder(bench, name);
    await pull(prefix, folder, false);
    for (let round = 0; round < bench.rounds; round++) keep(samples, name, await pull(prefix, folder, true));
    await check(folderOf(name, folder, prefix), files);
    await rm(folder, { recursive: true });
  }
  return samples;
}

/** Gazeline keeps the whole names; the others were asked for what is below the prefix. */
const folderOf = (name: string, folder: string, prefix: string) =>
  name === gazeline ? join(folder, prefix) : folder;

async function emptyFolder({ dir }: Bench, name: string): Promise<string> {
  const folder = join(dir, 'pulled', name.replaceAll(' ', '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

async function upload(source: string, prefix: string, files: Files): Promise<void> {
  const bucket = (await clients.storage()).bucket('raw');
  for (const name of files.keys()) {
    const options = {
      destination: `${prefix}${name}`,
      preconditionOpts: { ifGenerationMatch: 0 },
      resumable: false,
    };
    await bucket.upload(join(source, name), options);
  }
  await rm(source, { recursive: true });
}

/** @throws if there are not just these files, with just these bytes */
async function check(folder: string, files: Files): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  if (names.length !== files.size) throw new Error(`${folder} has ${names.length} files, not ${files.size}`);
  for (const [name, md5] of files) {
    const hash = createHash('md5');
    await pipeline(createReadStream(join(folder, name)), hash);
    if (hash.digest('base64') !== md5) throw new Error(`${join(folder, name)} has other bytes`);
  }
}

/** What the one before wrote is written to the disk before the next one begins. */
const flush = () => run('sync', []);

function keep(samples: Samples, name: string, sample: Ran & { inside?: number }): void {
  samples.set(name, [...(samples.get(name) ?? []), sample]);
  console.error(`    ${name}: ${sample.seconds.toFixed(2)} s`);
}

function tableOf(samples: Samples, rate?: { amount: number; unit: string }): string {
  const secondsOf = (name: string) => median((samples.get(name) ?? []).map(({ seconds }) => seconds));
  const rows = Array.from(samples, ([name, runs]) => {
    const seconds = secondsOf(name);
    const inside = runs.flatMap(({ inside }) => inside ?? []);
    return [
      name,
      seconds.toFixed(2),
      inside.length > 0 ? median(inside).toFixed(2) : '',
      ...(rate ? [(rate.amount / seconds).toPrecision(3), ratio(secondsOf(curl), seconds)] : []),
      ratio(seconds, secondsOf(gazeline)),
    ];
  });
  const rates = rate ? [rate.unit, 'rate:\n× curl'] : [];
  return table(['', 'seconds', 'the call\nalone', ...rates, 'Gazeline\nis × fast'], rows);
}

const ratio = (one: number, other: number) => (Number.isNaN(one / other) ? '' : (one / other).toFixed(2));
