import { renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import { GoogleError } from '../../googleError.ts';
import { requireEdit } from '../permissions.ts';
import { type Drive, itemOf, text } from '../request.ts';
import type { FileRow } from '../table.ts';
import { blobName, place } from './place.ts';

/** files.delete: it and everything in it is gone, not in the trash. */
export const deleteFile =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    await drive.exclusive(async () => {
      const row = itemOf(drive, request);
      if (row.parent === null) {
        throw new GoogleError(403, 'insufficientFilePermissions', 'The top folder cannot be deleted');
      }
      requireEdit(drive, row);
      await remove(drive, row);
    });
    response.status(204).end();
  };

export const emptyTrash =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const { tree } = drive;
    await drive.exclusive(async () => {
      const rows = tree.all<FileRow>(
        'SELECT * FROM drive_files WHERE explicitlyTrashed AND NOT hidden AND drive = ?',
        text(request, 'driveId') ?? tree.study,
      );
      // One may lie in another, and be gone with it.
      for (const row of rows) if (tree.find(row.id)) await remove(drive, row);
    });
    response.status(204).end();
  };

async function remove({ tree, context }: Drive, row: FileRow): Promise<void> {
  const blobs = place(tree, () => {
    const gone = tree.remove(row.id);
    if (row.disk === null || row.blob) return gone;
    // Out of the folder in one step; deleting a big folder is many.
    const blob = context.store.newBlob('drive');
    renameSync(tree.pathOf(row), blob);
    return [...gone, blobName(blob)];
  });
  await Promise.all(blobs.map((blob) => rm(join(tree.blobs, blob), { recursive: true, force: true })));
}
