import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instance } from './instance.ts';

/** The folders of machines, `machines/<zone>/<boot disk>/`: a boot disk is called as its machine if nothing else was said. */
export type Folders = {
  of(instance: Instance): string;
  /** The disk is not there any more; its files go while others may already use its name. */
  remove(zone: string, disk: string): void;
};

/** @param dir the folder that a person opens */
export function createFolders(dir: string): Folders {
  const machines = join(dir, 'machines');
  const gone = join(machines, '.gone');
  rmSync(gone, { recursive: true, force: true });
  return {
    of: ({ zone, name, disks }) => join(machines, zone, disks.find(({ boot }) => boot)?.name ?? name),
    remove(zone, disk) {
      const grave = join(gone, randomUUID());
      try {
        mkdirSync(gone, { recursive: true });
        renameSync(join(machines, zone, disk), grave);
      } catch (error) {
        // It never ran.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
        throw error;
      }
      rm(grave, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) =>
        console.error('local cloud: a machine has left its folder behind:', error),
      );
    },
  };
}
