import { type Bench, who } from './bench.ts';
import { favourable } from './rclone.ts';
import { countsOf, keep, metered, type Samples, tableOf } from './samples.ts';
import type { Tree } from './tree.ts';

/** The next sync, when nothing has changed since the last one. */
export async function unchanged({ study, rclone, rounds, progress }: Bench, tree: Tree): Promise<string> {
  const samples: Samples = new Map();
  const [from, to] = [`drive:${tree.folder}`, `bucket:${tree.bucket}`];
  for (let round = 0; round < rounds; round++) {
    progress(`nothing has changed, round ${round + 1} of ${rounds}`);
    await study.known();
    keep(samples, who.gazeline, await study.sync());
    if (!rclone) continue;
    keep(samples, who.rclone, await metered(() => rclone.run('sync', from, to)));
    keep(samples, who.rcloneFavourable, await metered(() => rclone.run('sync', ...favourable, from, to)));
  }
  const { drive, storage } = countsOf(samples, who.gazeline);
  return [
    `${tree.files.size} files, none of which has changed`,
    tableOf(samples, { amount: 0, unit: '', pipe: who.pipe }),
    `Gazeline's requests: ${drive.requests} at Drive, ${storage.requests} at storage; listings: ${drive.listings + storage.listings}.`,
  ].join('\n');
}
