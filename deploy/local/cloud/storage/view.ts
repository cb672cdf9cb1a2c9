import { createHash } from 'node:crypto';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Store } from '../store.ts';

/**
 * `buckets/<bucket>/<object name>`: the live objects as files that a person can open, hard links to their blobs.
 * Nothing depends on them. What a file system cannot hold is written with a percent sign: `a%3Fb`; `%2F` for a part
 * between two slashes that is empty; `a%object` for an object whose name is a folder's too.
 */
export type View = {
  /** Shows the bytes at `blob` as this object, or nothing any more. */
  set(bucket: string, name: string, blob: string | undefined): void;
  setBucket(bucket: string, there: boolean): void;
  /** Brings the whole folder in line with these objects; done once, at the start. */
  check(buckets: string[], objects: Iterable<{ bucket: string; name: string; blob: string }>): void;
};

// Control characters and the escape itself; on Windows, also what its file systems refuse.
const unsafe = process.platform === 'win32' ? /[\p{Cc}%\\:*?"<>|]|[. ]$/gu : /[\p{Cc}%\\]/gu;

function fileNameOf(part: string): string {
  if (part === '') return '%2F';
  if (part === '.' || part === '..') return part.replaceAll('.', '%2E');
  const safe = part.replace(unsafe, (char) => encodeURIComponent(char).replace('.', '%2E'));
  if (Buffer.byteLength(safe) <= 240) return safe;
  const start = Buffer.from(safe)
    .subarray(0, 160)
    .toString()
    .replace(/\uFFFD.*$/u, '');
  return `${start}%sha${createHash('sha256').update(part).digest('hex').slice(0, 32)}`;
}

export function createView({ dir }: Store): View {
  const root = join(dir, 'buckets');
  mkdirSync(root, { recursive: true });

  const pathOf = (bucket: string, name: string) => join(root, bucket, ...name.split('/').map(fileNameOf));

  const show = (bucket: string, path: string, blob: string) => {
    try {
      // Most often it is a new name in a folder that is there.
      return linkSync(blob, path);
    } catch {
      // The long way then.
    }
    makeRoom(join(root, bucket), dirname(path));
    const target = stat(path)?.isDirectory() ? `${path}%object` : path;
    const there = stat(target);
    if (there && there.ino === stat(blob)?.ino) return;
    // Renamed into place, so that nobody sees the name missing while an object is replaced.
    const fresh = `${blob}.view`;
    rmSync(fresh, { force: true });
    try {
      linkSync(blob, fresh);
    } catch {
      copyFileSync(blob, fresh);
    }
    renameSync(fresh, target);
  };

  const hide = (bucket: string, path: string) => {
    for (const file of [path, `${path}%object`]) {
      if (stat(file)?.isFile()) rmSync(file, { force: true });
    }
    const top = join(root, bucket);
    for (let folder = dirname(path); folder.startsWith(top + sep); folder = dirname(folder)) {
      try {
        rmdirSync(folder);
      } catch {
        break; // not empty
      }
      if (stat(`${folder}%object`)) renameSync(`${folder}%object`, folder);
    }
  };

  return {
    set(bucket, name, blob) {
      try {
        const path = pathOf(bucket, name);
        if (blob === undefined) hide(bucket, path);
        else show(bucket, path, blob);
      } catch (error) {
        console.error(
          `local cloud: buckets/${bucket} does not show ${JSON.stringify(name)}: ${String(error)}`,
        );
      }
    },
    setBucket(bucket, there) {
      const folder = join(root, bucket);
      try {
        if (there) mkdirSync(folder, { recursive: true });
        else rmdirSync(folder);
      } catch (error) {
        console.error(`local cloud: buckets/${bucket} is not in line: ${String(error)}`);
      }
    },
    check(buckets, objects) {
      const wanted = new Map<string, string>();
      const folders = new Set(buckets.map((bucket) => join(root, bucket)));
      const listed = Array.from(objects, (object) => ({
        ...object,
        path: pathOf(object.bucket, object.name),
      }));
      for (const { path } of listed) {
        for (let folder = dirname(path); !folders.has(folder) && folder !== root; folder = dirname(folder)) {
          folders.add(folder);
        }
      }
      for (const { path, blob } of listed) wanted.set(folders.has(path) ? `${path}%object` : path, blob);
      for (const bucket of buckets) this.setBucket(bucket, true);
      prune(root, wanted, folders);
      for (const { bucket, name, blob } of listed) this.set(bucket, name, blob);
    },
  };
}

/** Makes a folder; an object of the same name as one of its parents steps aside. */
function makeRoom(top: string, folder: string): void {
  if (stat(folder)?.isDirectory()) return;
  if (folder !== top) makeRoom(top, dirname(folder));
  if (stat(folder)) renameSync(folder, `${folder}%object`);
  mkdirSync(folder, { recursive: true });
}

/**
 * Removes what the objects no longer explain. Files that can be written to are none of ours: somebody left them here.
 */
function prune(folder: string, wanted: Map<string, string>, folders: Set<string>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      prune(path, wanted, folders);
      if (!folders.has(path) && readdirSync(path).length === 0) rmdirSync(path);
    } else if (entry.isFile() && !isSame(path, wanted.get(path)) && ((stat(path)?.mode ?? 0) & 0o222) === 0) {
      rmSync(path, { force: true });
    }
  }
}

/** A copy, where links are impossible, has the same size and is not older. */
function isSame(path: string, blob: string | undefined): boolean {
  const [shown, kept] = [stat(path), blob === undefined ? undefined : stat(blob)];
  if (!shown || !kept) return false;
  return shown.ino === kept.ino || (shown.size === kept.size && shown.mtimeMs >= kept.mtimeMs);
}

const stat = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });
