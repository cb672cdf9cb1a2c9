import { lstatSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GoogleError } from '../../googleError.ts';
import { diskName } from '../names.ts';
import type { FileRow } from '../table.ts';
import type { Tree } from '../tree.ts';

export const exists = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** A free name in the folder for a file of this name. @param current its path now, which does not count as taken */
export function freeName(tree: Tree, folder: FileRow, name: string, mimeType: string, current = ''): string {
  const path = tree.pathOf(folder);
  return diskName(name, mimeType, (disk) => join(path, disk) !== current && exists(join(path, disk)));
}

/**
 * Runs what changes the folder and the rows in one transaction. The disk comes first in it: should the process die in
 * between, the next look at the folder finds the file by its inode, and follows it like anybody else's change.
 *
 * @throws 400 if the computer's file system refuses the name
 */
export function place<T>(tree: Tree, work: () => T): T {
  try {
    return tree.transaction(work);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isRefused = ['ENAMETOOLONG', 'EILSEQ', 'EINVAL'].includes(code ?? '');
    if (isRefused) throw new GoogleError(400, 'invalid', `The file system refuses it: ${message}`);
    // Somebody moved or deleted it on disk a moment ago, and the next look will tell.
    if (code === 'ENOENT') throw new GoogleError(503, 'backendError', 'The file is being changed on disk');
    throw error;
  }
}

export const blobName = (path: string) => basename(path);
