import type { Hashes } from './hash.ts';
import { isNative } from './names.ts';
import type { FileRow, Seen } from './table.ts';
import { newRevisionId, type Tree } from './tree.ts';

/** The columns of a file whose bytes are new. One of Google's own documents has no revision that could be fetched. */
export function contentColumns(mimeType: string, seen: Seen, hashes: Hashes) {
  return { ...seen, ...hashes, headRevisionId: isNative(mimeType) ? null : newRevisionId() };
}

/** Keeps a head revision in the list of revisions. */
export function keepRevision(tree: Tree, { id, headRevisionId, mimeType, modifiedTime, size, md5 }: FileRow) {
  if (headRevisionId === null) return;
  tree.run(
    'INSERT INTO drive_revisions (fileId, id, mimeType, modifiedTime, size, md5) VALUES (?, ?, ?, ?, ?, ?)',
    ...[id, headRevisionId, mimeType, modifiedTime, size, md5],
  );
}
