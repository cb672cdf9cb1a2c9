import assert from 'node:assert/strict';
import type { Cloud } from '../../deploy/local/cloud/cloud.ts';
import { liveObject } from '../../shared/storage/rawObject.ts';
import { requestsAt } from '../kit.ts';
import type { createModel } from './model.ts';
import type { Sync } from './syncKit.ts';

/** The live objects are those that must be there, byte for byte, and no others. */
export async function expectMirror(
  { raw }: Sync,
  { expected, clashes }: ReturnType<typeof createModel>,
  prefix: string,
  label: string,
): Promise<void> {
  const [files] = await raw.getFiles({ prefix });
  const objects = new Map(files.map(({ metadata, name }) => [name, liveObject(metadata)]));
  const wrong: string[] = [];
  for (const { id, plain, twin, bytes } of expected()) {
    const [at, ...more] = [plain, twin].filter(
      (name, index, all) =>
        all.indexOf(name) === index && objects.get(prefix + name)?.metadata['drive-file-id'] === id,
    );
    if (at === undefined || more.length > 0) {
      wrong.push(`${plain} of ${id} is there ${at === undefined ? 'not at all' : 'twice'}`);
      continue;
    }
    if (at === twin && at !== plain && !clashes.has(plain)) wrong.push(`${twin} never had a twin`);
    const [stored] = await raw.file(prefix + at).download();
    if (!stored.equals(await bytes())) wrong.push(`${at} has other bytes`);
    objects.delete(prefix + at);
  }
  assert.deepEqual({ label, wrong, unexpected: [...objects.keys()] }, { label, wrong: [], unexpected: [] });
}

/** Uploads of one object are no more than the revisions that it had, and of what had to come again. */
export async function expectNoRevisionTwice(
  { raw }: Sync,
  { again }: ReturnType<typeof createModel>,
  cloud: Cloud,
  prefix: string,
  label: string,
): Promise<void> {
  const [versions] = await raw.getFiles({ prefix, versions: true });
  const revisions = new Map<string, Set<string>>();
  for (const { name, metadata } of versions) {
    // Google's own files have no revision.
    const {
      'drive-file-id': id = '',
      mtime,
      'drive-revision': revision = mtime,
    } = liveObject(metadata).metadata;
    const known = revisions.get(name) ?? new Set();
    for (let times = 0; times <= (again.get(id) ?? 0); times++) known.add(`${id} ${revision} ${times}`);
    revisions.set(name, known);
  }
  const uploads = new Map<string, Set<number>>();
  for (const { url, detail } of await requestsAt(cloud, 'storage')) {
    // An upload that was cut off has made nothing.
    const { object, generation } = (detail ?? {}) as { object?: string; generation?: number };
    if (!object || !generation || !/^\/upload\/storage\/v1\/b\/raw\/o/.test(url)) continue;
    uploads.set(object, (uploads.get(object) ?? new Set()).add(generation));
  }
  const twice = [...uploads].filter(([name, { size }]) => size > (revisions.get(name)?.size ?? 0));
  assert.deepEqual({ label, twice }, { label, twice: [] });
}
