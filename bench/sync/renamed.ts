import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { barePipe } from './barePipe.ts';
import { type Bench, who } from './bench.ts';
import { check, newBucket } from './bucket.ts';
import { favourable } from './rclone.ts';
import { countsOf, keep, metered, type Samples, tableOf } from './samples.ts';
import { shown } from './study.ts';
import type { Tree } from './tree.ts';

const pipe = 'bare pipe, copies all';
/** One for each renaming, since rclone's bucket is in line after each. Plain and at its own pace it would take an hour. */
const ways = [
  { name: 'rclone --track-renames', args: ['--track-renames'] },
  { name: 'rclone --track-renames, favourable', args: ['--track-renames', ...favourable] },
  { name: who.rcloneFavourable, args: favourable },
];

/** The folder of many files gets another name, three times. */
export async function renamed(bench: Bench, tree: Tree): Promise<string> {
  const { dir, study, rclone, progress } = bench;
  const { folder, bucket, files } = tree;
  const samples: Samples = new Map();
  for (const [round, { name, args }] of ways.entries()) {
    progress(`a folder of ${files.size} files is renamed, ${round + 1} of ${ways.length}`);
    const before = `${folder}/${tree.name}`;
    tree.name = `name ${round + 1}`;
    const after = `${folder}/${tree.name}`;
    await rename(join(dir, 'drive', before), join(dir, 'drive', after));
    await study.known();
    const isThere = async () =>
      (await shown(dir, 'raw', after)) === files.size && (await shown(dir, 'raw', before)) === 0;
    keep(samples, who.gazeline, await study.sync(isThere));
    await check('raw', `${folder}/`, new Map([...files].map(([name, md5]) => [`${tree.name}/${name}`, md5])));
    if (round === 0) {
      const copies = await newBucket('copies-of-tree');
      keep(samples, pipe, await metered(() => barePipe(bench, { folder: after, bucket: copies })));
    }
    if (!rclone) continue;
    const sync = () => rclone.run('sync', ...args, `drive:${folder}`, `bucket:${bucket}`);
    keep(samples, name, await metered(sync));
    await check(bucket, '', new Map([...files].map(([name, md5]) => [`${tree.name}/${name}`, md5])));
  }
  const { downloads, bytes } = countsOf(samples, who.gazeline).drive;
  return [
    `A folder of ${files.size} files is renamed`,
    tableOf(samples, { amount: files.size, unit: 'files / s', pipe }),
    `Gazeline downloaded ${downloads} files, ${bytes} bytes.`,
  ].join('\n');
}
