import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type * as z from 'zod';
import { pagesOf } from '../storage/pagesOf.ts';
import { type LiveObject, liveObject, lookAtObject } from '../storage/rawObject.ts';
import { children } from './children.ts';
import { DriveFile, fileFields, folderType } from './driveFile.ts';
import type { FileChanged } from './fileChanged.ts';
import { pathOfObject, prefixOf } from './objectName.ts';
import { type Target, type TargetPolicy, targetsOf } from './targets.ts';

/** One folder's path. Two folders may have the same one; none is left where only the bucket knows of it. */
export type Place = { path: string[]; folders: string[] };

/** One file, or one object, in the classes of `rclone check`; and what is left out on purpose. */
export type Finding = {
  is: 'identical' | 'missing' | 'different' | 'extra' | 'skipped' | 'error';
  /** For a person. */
  name: string;
  because: string;
  /** What `file-sync` is to be asked. */
  change?: z.input<typeof FileChanged>;
};

export type Compared = { findings: Finding[]; below: (Place & { id?: string })[] };

export type CompareDependencies = {
  drive: drive_v3.Drive;
  raw: Bucket;
  sharedDrive?: string | undefined;
  policy: TargetPolicy;
};

/**
 * Compares what lies directly in a place of the Drive with what lies there in the bucket. It says what is not as it
 * should be and settles nothing: `file-sync` looks at each such file by itself, so an answer of Drive that was wrong here
 * does no harm.
 * @throws if Drive or the bucket does not answer completely
 */
export async function comparePlace(
  { path, folders }: Place,
  { drive, raw, sharedDrive, policy }: CompareDependencies,
): Promise<Compared> {
  const prefix = prefixOf(path);
  // Of a folder that Drive does not have, everything is looked at at once.
  const isGone = folders.length === 0;
  const objects = new Map<string, LiveObject[]>();
  const strangers: LiveObject[] = [];
  const prefixes = new Set<string>();
  for await (const page of pagesOf(raw, prefix, isGone ? {} : { delimiter: '/' })) {
    for (const { metadata } of page.files) {
      const object = liveObject(metadata);
      const id = object.metadata['drive-file-id'];
      if (id) objects.set(id, [...(objects.get(id) ?? []), object]);
      else strangers.push(object);
    }
    for (const one of page.prefixes) prefixes.add(one);
  }

  const findings: Finding[] = strangers.map(({ name }) => ({
    is: 'extra',
    name,
    because: 'it did not come from Drive, and is left alone',
  }));
  const below = new Map<string, { path: string[]; folders: string[] }>();
  let children = 0;
  for (const folder of folders) {
    for await (const page of childrenOf(folder)) {
      children += page.length;
      for (const file of page) {
        if (file.mimeType === folderType) {
          const name = prefixOf([...path, file.name]);
          const place = below.get(name) ?? { path: [...path, file.name], folders: [] };
          place.folders.push(file.id);
          below.set(name, place);
          prefixes.delete(name);
        } else {
          findings.push(await compareFile(file, [...path, file.name], objects.get(file.id) ?? []));
          objects.delete(file.id);
        }
      }
    }
  }

  // A listing in which something was found is a word that counts. One that is empty may be a mistake of Drive's.
  const removed = isGone || children > 0 || path.length > 0;
  for (const [fileId, left] of objects) {
    for (const { name } of left) {
      if (pathOfObject(name).cut && !isGone) continue;
      const because = removed ? 'no file of the study folder has this object' : 'Drive lists nothing at all';
      findings.push({
        is: removed ? 'extra' : 'error',
        name,
        because,
        change: { fileId, removed, verify: true, object: name },
      });
    }
  }
  for (const name of prefixes) {
    if (children === 0 && path.length === 0)
      findings.push({ is: 'error', name, because: 'Drive lists nothing at all' });
    // With a name below it: a folder's own, like `a~1.txt`, could read as a twin's.
    else below.set(name, { path: pathOfObject(`${name}x`).path.slice(0, -1), folders: [] });
  }
  return { findings, below: [...below.values()] };

  function childrenOf(folder: string): AsyncIterable<DriveFile[]> {
    return listed(drive, folder, sharedDrive);
  }

  async function compareFile(file: DriveFile, path: string[], held: LiveObject[]): Promise<Finding> {
    const change = { fileId: file.id, verify: true };
    const name = path.join('/');
    const wanted = targetsOf(file, path, policy);
    if ('skip' in wanted) return { is: 'skipped', name, because: wanted.skip, change };
    if (held.length === 0 && file.capabilities?.canDownload === false)
      return { is: 'skipped', name, because: 'Drive does not allow its download', change };
    const left = [...held];
    for (const target of wanted.targets) {
      const object = takeFrom(left, target) ?? (await cutObject(raw, target, file.id));
      if (!object) return { is: 'missing', name: target.name, because: 'it is not in the bucket', change };
      const difference = differenceOf(object, target);
      if (difference) return { is: 'different', name: object.name, because: difference, change };
    }
    const [extra] = left;
    if (extra)
      return {
        is: 'extra',
        name: extra.name,
        because: `${name} has another name now`,
        change: { ...change, object: extra.name },
      };
    return { is: 'identical', name, because: '' };
  }
}

const listed = (drive: drive_v3.Drive, folder: string, sharedDrive: string | undefined) =>
  children(drive, folder, sharedDrive, { fields: fileFields, schema: DriveFile });

function takeFrom(objects: LiveObject[], { name, twin }: Target): LiveObject | undefined {
  const index = objects.findIndex((object) => [name, twin].includes(object.name));
  return index < 0 ? undefined : objects.splice(index, 1)[0];
}

/** A name that was too long may lie elsewhere. */
async function cutObject(
  raw: Bucket,
  { name, twin }: Target,
  fileId: string,
): Promise<LiveObject | undefined> {
  for (const candidate of [name, twin]) {
    if (!pathOfObject(candidate).cut) continue;
    const object = await lookAtObject(raw, candidate);
    if (object?.metadata['drive-file-id'] === fileId) return object;
  }
  return undefined;
}

function differenceOf(
  object: LiveObject,
  { md5, exportTo, metadata, contentType }: Target,
): string | undefined {
  if (!exportTo && object.md5 !== md5) return 'its content is another one';
  if (object.mtime !== metadata.mtime)
    return exportTo ? 'it was changed since it was exported' : 'its modification time is another one';
  if (object.contentType !== contentType) return `its type is ${object.contentType}, not ${contentType}`;
  return undefined;
}
