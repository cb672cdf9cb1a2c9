import { lstatSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './files/place.ts';
import { type FileRow, seenOf } from './table.ts';
import type { Tree } from './tree.ts';
import { sessionLifetime } from './uploads/resumable.ts';

/**
 * Brings the blobs and the rows together after the process died. Bytes on their way into the trash go there; what
 * belongs to nothing, such as half an upload, is deleted.
 */
export function recover(tree: Tree): void {
  tree.run('DELETE FROM drive_uploads WHERE created < ?', Date.now() - sessionLifetime);
  const used = tree.all<{ blob: string }>(
    `SELECT blob FROM drive_files WHERE blob IS NOT NULL
     UNION ALL SELECT blob FROM drive_uploads WHERE result IS NULL`,
  );
  const isUsed = new Set(used.map(({ blob }) => blob));
  for (const blob of readdirSync(tree.blobs)) {
    if (isUsed.has(blob)) continue;
    const path = join(tree.blobs, blob);
    const { identity } = seenOf(lstatSync(path, { bigint: true }));
    const row = tree.get<FileRow>('SELECT * FROM drive_files WHERE identity = ? AND blob IS NULL', identity);
    if (row && !exists(tree.pathOf(row))) {
      tree.change(row.id, { blob, explicitlyTrashed: 1, trashedTime: new Date().toISOString() });
    } else void rm(path, { recursive: true, force: true });
  }
}
