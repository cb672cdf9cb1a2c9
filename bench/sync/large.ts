import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { barePipe } from './barePipe.ts';
import { type Bench, who } from './bench.ts';
import { check, empty, newBucket } from './bucket.ts';
import { type Ran, run } from './children.ts';
import { writeLarge } from './files.ts';
import { keep, metered, type Samples, tableOf } from './samples.ts';
import { shown } from './study.ts';

const byUrl = 'rclone copyurl, no proxy';
const fromDisk = 'rclone, from disk';

/** One large file. */
export async function large(bench: Bench, bytes: number): Promise<string> {
  const { dir, study, rclone, proxy, rounds, progress } = bench;
  const { origin } = study.lab.cloud;
  const samples: Samples = new Map();
  const gigabytes = `${(bytes / 1e9).toPrecision(3)} GB`;
  for (let round = 0; round < rounds; round++) {
    progress(`one file of ${gigabytes}, round ${round + 1} of ${rounds}`);
    const folder = `large-${round}`;
    const disk = join(dir, 'drive', folder);
    const files = await writeLarge(disk, 'large.bin', bytes);
    await study.known();

    await flush();
    keep(samples, who.gazeline, await study.sync(async () => (await shown(dir, 'raw', folder)) === 1));
    await check('raw', `${folder}/`, files);

    const bucket = await newBucket(`copies-of-${folder}`);
    const peer = async (name: string, work: () => Promise<Ran>) => {
      await flush();
      keep(samples, name, await metered(work));
      await check(bucket, '', files);
      await empty(bucket);
    };
    await peer(who.pipe, () => barePipe(bench, { folder, bucket }));
    if (proxy) await peer(who.pipeByProxy, () => barePipe(bench, { folder, bucket, byProxy: true }));
    if (rclone) {
      await peer(who.rclone, () => rclone.run('sync', `drive:${folder}`, `bucket:${bucket}`));
      const url = `${origin}/drive/v3/files/${await study.idOf(`${folder}/large.bin`)}?alt=media`;
      await peer(byUrl, () => rclone.run('copyurl', url, `bucket:${bucket}/large.bin`));
      await peer(fromDisk, () => rclone.run('sync', disk, `bucket:${bucket}`));
    }

    await rm(disk, { recursive: true });
    await study.known();
    await study.sync();
    await empty('raw', `${folder}/`);
  }

  return [
    `One file of ${gigabytes}`,
    tableOf(samples, { amount: bytes / 1e6, unit: 'MB / s', pipe: who.pipe }),
  ].join('\n');
}

/** What the one before wrote is written to the disk before the next one begins. */
const flush = () => run('sync', []);
