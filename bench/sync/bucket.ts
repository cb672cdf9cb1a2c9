import { clients } from '../../shared/clients.ts';
import type { Files } from './files.ts';

/** A bucket for a peer, which keeps nothing that was deleted and tells nobody of what comes in. */
export async function newBucket(name: string): Promise<string> {
  await (await clients.storage()).createBucket(name, { softDeletePolicy: { retentionDurationSeconds: '0' } });
  return name;
}

/** @throws if there are not just these files, with just these bytes, below the prefix */
export async function check(bucket: string, prefix: string, files: Files): Promise<void> {
  const [objects] = await (await clients.storage()).bucket(bucket).getFiles({ prefix });
  const there = new Map(objects.map(({ name, metadata }) => [name.slice(prefix.length), metadata.md5Hash]));
  const wrong = [...files].filter(([name, md5]) => there.get(name) !== md5).map(([name]) => name);
  if (wrong.length > 0 || there.size !== files.size) {
    throw new Error(
      `gs://${bucket}/${prefix} holds ${there.size} objects, not ${files.size}; wrong or missing: ${wrong.length} (${wrong.slice(0, 3)})`,
    );
  }
}

/** Every version of everything below the prefix, so that the disk does not fill up. */
export async function empty(bucket: string, prefix = ''): Promise<void> {
  const [objects] = await (await clients.storage()).bucket(bucket).getFiles({ prefix, versions: true });
  for (const object of objects) await object.delete();
}
