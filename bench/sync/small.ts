import { join } from 'node:path';
import { barePipe } from './barePipe.ts';
import { type Bench, who } from './bench.ts';
import { check, newBucket } from './bucket.ts';
import type { Ran } from './children.ts';
import { writeMany } from './files.ts';
import { favourable } from './rclone.ts';
import { keep, metered, type Samples, tableOf } from './samples.ts';
import { shown } from './study.ts';

const bytes = 10_000;
const fromDisk = 'rclone, favourable, from disk';

/** Many small files in one folder. */
export async function small(bench: Bench, count: number): Promise<string> {
  const { dir, study, rclone, proxy, rounds, progress } = bench;
  const samples: Samples = new Map();
  for (let round = 0; round < rounds; round++) {
    progress(`${count} files of 10 kB, round ${round + 1} of ${rounds}`);
    const folder = `small-${round}`;
    const disk = join(dir, 'drive', folder);
    const files = await writeMany(disk, count, bytes);
    await study.known();
    keep(samples, who.gazeline, await study.sync(async () => (await shown(dir, 'raw', folder)) === count));
    await check('raw', `${folder}/`, files);

    let peers = 0;
    const peer = async (name: string, work: (bucket: string) => Promise<Ran>) => {
      const bucket = await newBucket(`copies-of-${folder}-${peers++}`);
      keep(samples, name, await metered(() => work(bucket)));
      await check(bucket, '', files);
    };
    await peer(who.pipe, (bucket) => barePipe(bench, { folder, bucket }));
    if (proxy) await peer(who.pipeByProxy, (bucket) => barePipe(bench, { folder, bucket, byProxy: true }));
    if (!rclone) continue;
    // Its pace alone takes most of the time, and always the same.
    if (round === 0)
      await peer(who.rclone, (bucket) => rclone.run('sync', `drive:${folder}`, `bucket:${bucket}`));
    await peer(who.rcloneFavourable, (bucket) =>
      rclone.run('sync', ...favourable, `drive:${folder}`, `bucket:${bucket}`),
    );
    await peer(fromDisk, (bucket) => rclone.run('sync', ...favourable, disk, `bucket:${bucket}`));
  }

  return [
    `${count} files of 10 kB`,
    tableOf(samples, { amount: count, unit: 'files / s', pipe: who.pipe }),
  ].join('\n');
}
