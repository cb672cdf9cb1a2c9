import { rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentColumns, keepRevision } from './content.ts';
import { hashFile } from './hash.ts';
import { type Matched, match } from './match.ts';
import { describe, folderType } from './names.ts';
import { type FileRow, isSame, type Seen, timeOf } from './table.ts';
import type { Tree } from './tree.ts';
import { type Walk, walk } from './walk.ts';
import { createWatch } from './watch.ts';

export type Scanner = {
  /** Looks at everything, and resolves when all of it is in the feed; a file that is written on and on is left. */
  scan(): Promise<void>;
  /** Resolves after the first look, when what changed before the start is known. */
  ready: Promise<void>;
  /** Hints not followed, files that are waited for or read, files that seem to be gone. */
  pending(): number;
  close(): Promise<void>;
};

/** A file is read when nothing touched it for so long, in milliseconds. */
const quiet = 150;
const debounce = 40;
const manyLooks = 10;
/** Watching is a hint only; so often everything is looked at anyway. */
const period = 10_000;

/** Keeps the rows equal to the folder on disk. */
export function createScanner(tree: Tree, exclusive: <T>(work: () => T | Promise<T>) => Promise<T>): Scanner {
  const { study, folders } = tree;
  const reading = new Map<string, Promise<void>>();
  let hints = 1;
  let waiting = 0;
  /** What was not found, and in how many looks running. */
  let missing = new Map<string, number>();
  let renames = 0;
  const complaints = new Set<string>();
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let took = 0;
  let isClosed = false;

  const hint = (event?: string) => {
    hints++;
    if (event === 'rename') renames++;
    // A big tree takes long to look through: it must not be all that is done.
    wake(Math.max(debounce, took));
  };
  const watch = createWatch(hint);

  function wake(ms: number) {
    const at = Date.now() + ms;
    if (isClosed || (timer && due <= at)) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      timer = undefined;
      due = Number.POSITIVE_INFINITY;
      void look();
    }, ms);
    timer.unref();
  }

  /** One look at a time; who asks during a look gets the one that is under way. */
  function look(): Promise<void> {
    running ??= lookOnce()
      .catch((error: unknown) => {
        console.error('drive: the folder could not be looked at:', error);
      })
      .finally(() => {
        running = undefined;
        wake(period);
      });
    return running;
  }

  async function lookOnce() {
    if (isClosed) return;
    const followed = hints;
    const start = performance.now();
    const files = await exclusive(async () => {
      const before = renames;
      const walked = await walk(Object.values(folders), watch.enter);
      watch.sweep();
      complain(walked.unreadable);
      return tree.transaction(() => apply(walked, renames === before));
    });
    took = performance.now() - start;

    let next = Number.POSITIVE_INFINITY;
    waiting = 0;
    for (const file of files) {
      const left = untilQuiet(file.entry.seen);
      if (left <= 0) read(file);
      else {
        waiting++;
        next = Math.min(next, left);
      }
    }
    hints -= followed;
    if (hints > 0 || missing.size > 0) wake(Math.max(debounce, took));
    if (waiting > 0) wake(next);
  }

  /** Follows what can be followed without reading, and returns the files that must be read. */
  function apply(walked: Walk, isStill: boolean): Matched[] {
    const rows = tree.all<FileRow>('SELECT * FROM drive_files WHERE id != ? AND disk IS NOT NULL', study);
    const { matched, gone } = match(walked, rows, { study, ...folders });
    const files = matched.filter((one) => {
      const { entry, id, parent, row } = one;
      if (entry.isFolder && !row) {
        const { identity, mtime } = entry.seen;
        const times = { createdTime: timeOf(mtime), modifiedTime: timeOf(mtime) };
        const columns = { id, parent, name: entry.disk, disk: entry.disk, mimeType: folderType, identity };
        tree.insert({ ...columns, ...times });
      }
      if (row && (row.parent !== parent || row.disk !== entry.disk || row.trashed)) {
        tree.change(id, {
          parent,
          disk: entry.disk,
          blob: null,
          explicitlyTrashed: 0,
          ...renamed(row, entry.disk),
        });
      }
      if (entry.isFolder && row && row.identity !== entry.seen.identity) {
        tree.set(id, { identity: entry.seen.identity });
      }
      return !entry.isFolder && !(row && isSame(row as Seen, entry.seen));
    });

    // What was moved during the walk may have been seen nowhere. It is gone if it is missed twice, the second time while
    // nothing moved; or very often, since in a busy folder something always moves.
    missing = new Map(gone.map(({ id }) => [id, (missing.get(id) ?? 0) + 1]));
    for (const [id, looks] of missing) {
      if (looks < (isStill ? 2 : manyLooks)) continue;
      missing.delete(id);
      for (const blob of tree.remove(id)) void rm(join(tree.blobs, blob), { recursive: true, force: true });
    }
    return files;
  }

  function read(file: Matched) {
    const { identity, size, mtime, ctime } = file.entry.seen;
    const key = [file.entry.path, identity, size, mtime, ctime].join('\n');
    if (reading.has(key)) return;
    reading.set(
      key,
      readOnce(file).finally(() => reading.delete(key)),
    );
  }

  async function readOnce({ entry, id, parent, row }: Matched) {
    const { path, seen, disk } = entry;
    try {
      const hashes = await hashFile(path);
      await exclusive(() => {
        const known = tree.find(id);
        const folder = tree.find(parent ?? '');
        const isThere = folder && !folder.trashed && join(tree.pathOf(folder), disk) === path;
        if (isClosed || !isThere || !known !== !row || !isSame(tree.seen(path), seen)) return hint();
        tree.transaction(() => take(id, folder.id, disk, seen, hashes, known));
      });
    } catch (error) {
      // It is gone already, which the next look will find; or it cannot be read, which must not stop the others.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') hint();
      else complain(new Map([[path, error as Error]]));
    }
  }

  function take(
    id: string,
    parent: string,
    disk: string,
    seen: Seen,
    hashes: Awaited<ReturnType<typeof hashFile>>,
    known: FileRow | undefined,
  ) {
    const modifiedTime = timeOf(seen.mtime);
    if (!known) {
      const { name, mimeType } = describe(disk);
      const createdTime = timeOf(seen.identity.split(':')[1] ?? 0n);
      const columns = { id, parent, disk, name, mimeType, createdTime, modifiedTime };
      keepRevision(tree, tree.insert({ ...columns, ...contentColumns(mimeType, seen, hashes) }));
    } else if (known.sha256 !== hashes.sha256) {
      const columns = { ...contentColumns(known.mimeType, seen, hashes), modifiedTime };
      keepRevision(tree, tree.change(id, columns));
    } else if (known.mtime !== seen.mtime) tree.change(id, { ...seen, modifiedTime });
    else tree.set(id, seen);
  }

  /** One line for each path, not one for each look. */
  function complain(unreadable: Map<string, Error>) {
    for (const [path, { message }] of unreadable) {
      if (!complaints.has(path)) console.warn(`drive: skipped ${JSON.stringify(path)}: ${message}`);
      complaints.add(path);
    }
  }

  const pending = () => hints + waiting + reading.size + missing.size;
  const ready = look();

  return {
    ready,
    pending,
    async scan() {
      const deadline = Date.now() + 10_000;
      await running;
      hints++;
      do {
        await look();
        await Promise.all(reading.values());
        if (waiting > 0) await sleep(debounce);
      } while (pending() > 0 && !isClosed && Date.now() < deadline);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      watch.close();
      await running;
      await Promise.all(reading.values());
    },
  };
}

/** How many milliseconds a file must be left alone until it is read; by the clock that no program can set back. */
function untilQuiet({ ctime }: Seen): number {
  const age = Date.now() - Number(BigInt(ctime) / 1_000_000n);
  // A time far in the future says that the clock was set, not that the file is being written.
  return age < -1000 ? 0 : quiet - age;
}

/** A new name on disk is the new name; what kind of file it is changes only with the extension. */
function renamed(row: FileRow, disk: string) {
  if (row.disk === disk) return {};
  if (row.mimeType === folderType) return { name: disk };
  const { name, mimeType } = describe(disk);
  return extname(row.disk ?? '') === extname(disk) ? { name } : { name, mimeType };
}
