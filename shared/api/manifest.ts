import { createHash, type Hash, randomUUID } from 'node:crypto';
import type { Bucket } from '@google-cloud/storage';
import * as z from 'zod';
import { pagesOf } from '../storage/pagesOf.ts';
import type { Records } from '../storage/records.ts';
import { BucketKind, DatasetObject, datasetObject } from './dataset.ts';
import { Refused } from './refused.ts';

export const ManifestId = z.string().regex(/^[0-9a-f]{24}$/, 'expected the id of a manifest');

/** Every object and generation below a prefix, as of one moment. Written once, and never changed. */
export const Manifest = z.object({
  id: z.string(),
  bucket: BucketKind,
  prefix: z.string(),
  createdAt: z.iso.datetime(),
  count: z.number().int().describe('Objects.'),
  bytes: z.number(),
  sha256: z
    .string()
    .describe(
      'Hexadecimal, of a line for each object in the order of names: ["name","generation",size,"md5" or null,"crc32c"] as JSON without spaces, and a line feed.',
    ),
});
export type Manifest = z.infer<typeof Manifest>;

const Kept = Manifest.extend({ /** The folder of its parts. */ parts: z.string() });
const Part = z.array(DatasetObject);

/** Objects in a part; of a million, a page needs one or two of them. */
const partSize = 1000;
const mostObjects = 500_000;
const mostLooks = 5;

const recordName = (id: string) => `manifests/${id}.json`;
const partName = (folder: string, index: number) => `${folder}/${String(index).padStart(6, '0')}.json`;

/**
 * Lists a prefix twice, and again, until two lists in a row are the same: what is in both was there in between, all of
 * it at once. A list of many pages alone is of no moment. https://cloud.google.com/storage/docs/consistency
 * @throws Refused if it changes all the time, or is too much
 */
export async function makeManifest(
  { id, kind, prefix }: { id: string; kind: BucketKind; prefix: string },
  { bucket, records, now }: { bucket: Bucket; records: Records; now: () => number },
): Promise<Manifest> {
  const before = await readManifest(records, id);
  if (before) return before.manifest;
  let last = await lookAt(bucket, prefix);
  for (let look = 0; look < mostLooks; look++) {
    // Of its own: somebody else may be at the same manifest, and see other things.
    const parts = `manifests/${id}/${randomUUID()}`;
    const createdAt = new Date(now()).toISOString();
    const next = await lookAt(bucket, prefix, (objects, index) =>
      records.write(partName(parts, index), objects, '0'),
    );
    if (next.sha256 === last.sha256) {
      const manifest: Manifest = { id, bucket: kind, prefix, createdAt, ...next };
      if (await records.write(recordName(id), { ...manifest, parts }, '0')) return manifest;
      const first = await readManifest(records, id);
      if (first) return first.manifest;
    }
    await forget(records, parts);
    last = next;
  }
  throw new Refused(409, `What is below “${prefix}” changes all the time now. Try again a little later.`, {
    headers: { 'retry-after': '30' },
  });
}

type Looked = Pick<Manifest, 'count' | 'bytes' | 'sha256'>;

async function lookAt(
  bucket: Bucket,
  prefix: string,
  keep?: (objects: DatasetObject[], index: number) => Promise<unknown>,
): Promise<Looked> {
  const hash = createHash('sha256');
  let [count, bytes, parts] = [0, 0, 0];
  let waiting: DatasetObject[] = [];
  for await (const { files } of pagesOf(bucket, prefix)) {
    const objects = files.map(({ metadata }) => datasetObject(metadata));
    count += objects.length;
    if (count > mostObjects)
      throw new Refused(400, `There are more than ${mostObjects} objects below “${prefix}”.`);
    for (const object of objects) {
      addLine(hash, object);
      bytes += object.size;
    }
    if (!keep) continue;
    waiting.push(...objects);
    while (waiting.length >= partSize) {
      await keep(waiting.slice(0, partSize), parts++);
      waiting = waiting.slice(partSize);
    }
  }
  if (keep && waiting.length > 0) await keep(waiting, parts);
  return { count, bytes, sha256: hash.digest('hex') };
}

const addLine = (hash: Hash, { name, generation, size, md5, crc32c }: DatasetObject) =>
  hash.update(`${JSON.stringify([name, generation, size, md5 ?? null, crc32c])}\n`);

async function forget(records: Records, parts: string): Promise<void> {
  for await (const name of records.list(`${parts}/`)) await records.remove(name);
}

export async function readManifest(
  records: Records,
  id: string,
): Promise<{ manifest: Manifest; parts: string } | undefined> {
  const kept = await records.read(recordName(id), Kept);
  if (!kept) return undefined;
  const { parts, ...manifest } = kept.value;
  return { manifest, parts };
}

/** So many of its objects, from one on. */
export async function objectsOf(
  records: Records,
  parts: string,
  from: number,
  most: number,
): Promise<DatasetObject[]> {
  const objects: DatasetObject[] = [];
  for (let at = from; objects.length < most; ) {
    const part = await records.read(partName(parts, Math.floor(at / partSize)), Part);
    const some = part?.value.slice(at % partSize, (at % partSize) + most - objects.length) ?? [];
    if (some.length === 0) break;
    objects.push(...some);
    at += some.length;
  }
  return objects;
}
