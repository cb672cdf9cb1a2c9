import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { check, newBucket } from './bucket.ts';
import { type Files, writeMany } from './files.ts';
import { favourable } from './rclone.ts';

/** A folder of many files in a folder of the study, both of which Gazeline and rclone have brought to a bucket. */
export type Tree = {
  folder: string;
  /** What the folder in it is called now. */
  name: string;
  files: Files;
  /** rclone's bucket holds what is in `folder`. */
  bucket: string;
};

const bytes = 1000;

export async function openTree({ dir, study, rclone, progress }: Bench, count: number): Promise<Tree> {
  progress(`a folder of ${count} files is made and brought to the buckets; that is not measured`);
  const tree = { folder: 'tree', name: 'name 0', bucket: 'tree-by-rclone' };
  const files = await writeMany(join(dir, 'drive', tree.folder, tree.name), count, bytes);
  await study.known();
  await study.sync();
  await check('raw', `${tree.folder}/${tree.name}/`, files);
  await newBucket(tree.bucket);
  if (rclone) {
    await rclone.run('sync', ...favourable, `drive:${tree.folder}`, `bucket:${tree.bucket}`);
    await check(tree.bucket, `${tree.name}/`, files);
  }
  return { ...tree, files };
}
