import { type FSWatcher, watch } from 'node:fs';
import { isIgnored } from './names.ts';
import type { Entry } from './walk.ts';

export type Watch = {
  /** Watches a folder from now on. */
  enter(folder: Entry): void;
  /** Forgets the folders that were not entered since the last call. */
  sweep(): void;
  close(): void;
};

/**
 * Watches each folder by itself. A recursive `fs.watch` would on Linux hold one watcher for every single file, and
 * look through the tree synchronously. https://nodejs.org/api/fs.html#caveats
 *
 * @param hint called when something in a watched folder may have changed; `rename` says that something came or went
 */
export function createWatch(hint: (event: 'rename' | 'change') => void): Watch {
  let watchers = new Map<string, FSWatcher>();
  let entered = new Set<string>();
  let isBlind = false;

  return {
    enter({ path, seen }) {
      // A renamed folder is watched anew: on macOS a watcher goes by the path.
      const key = `${seen.identity} ${path}`;
      entered.add(key);
      if (watchers.has(key)) return;
      try {
        const watcher = watch(path, { persistent: false }, (event, name) => {
          if (name === null || !isIgnored(name)) hint(event);
        });
        watcher.on('error', () => watcher.close());
        watchers.set(key, watcher);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' || isBlind) return;
        isBlind = true;
        console.warn(`drive: cannot watch ${path} (${(error as Error).message}); changes are noticed later`);
      }
    },
    sweep() {
      for (const [key, watcher] of watchers) if (!entered.has(key)) watcher.close();
      watchers = new Map([...watchers].filter(([key]) => entered.has(key)));
      entered = new Set();
    },
    close() {
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}
