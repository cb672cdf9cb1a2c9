import { renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request, RequestHandler } from 'express';
import { GoogleError } from '../../googleError.ts';
import { contentColumns, keepRevision } from '../content.ts';
import { folderType, isNative, shortcutType } from '../names.ts';
import { requireEdit } from '../permissions.ts';
import { answer, type Drive, itemOf, lookup, text } from '../request.ts';
import { type FileRow, isSame, type Seen, timeOf } from '../table.ts';
import type { Columns } from '../tree.ts';
import { receive } from '../uploads/receive.ts';
import { type FileBody, parseBody, storedColumns } from './body.ts';
import { type Content, checkConversion, setModified } from './content.ts';
import { blobName, exists, freeName, place } from './place.ts';
import { fileFields, fileResource, unaskedOfFile } from './resource.ts';

/** files.update: metadata, content, moves, the trash. */
export const updateFile =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const { id } = itemOf(drive, request);
    const { body, content } = await receive(drive, request);
    const row = await update(drive, request, id, body, content);
    answer(request, response, fileResource(drive, row), unaskedOfFile, fileFields);
  };

/** Changes the file; its new bytes, if any, are moved to their place or deleted. */
export async function update(drive: Drive, request: Request, id: string, json: unknown, content?: Content) {
  try {
    const body = parseBody(json);
    for (const field of ['parents', 'id', 'shortcutDetails'] as const) {
      if (body[field] !== undefined) throw notWritable(field);
    }
    // The row must not take the state of a file on disk for its own without the content having been read.
    if (!isKnown(drive, lookup(drive, request, id))) await drive.scanner.scan();
    return await drive.exclusive(() =>
      place(drive.tree, () => apply(drive, request, lookup(drive, request, id), body, content)),
    );
  } finally {
    if (content) await rm(content.path, { force: true });
  }
}

function apply(drive: Drive, request: Request, row: FileRow, body: FileBody, content?: Content): FileRow {
  const { tree } = drive;
  const parent = newParent(drive, request, row);
  const name = body.name === undefined ? row.name : body.name.toWellFormed();
  const mimeType = newMimeType(row, body, content);
  const isTrash = body.trashed ?? Boolean(row.explicitlyTrashed);
  const isRoot = row.parent === null;
  requireEdit(drive, row);
  if (isRoot && (isTrash || name !== row.name || content))
    throw forbidden('The top folder cannot be changed');

  const columns: Columns = {
    ...storedColumns(body, row),
    ...(name === row.name ? {} : { name }),
    ...(mimeType === row.mimeType ? {} : { mimeType }),
    ...(parent ? { parent: parent.id } : {}),
    ...(isTrash === Boolean(row.explicitlyTrashed)
      ? {}
      : { explicitlyTrashed: Number(isTrash), trashedTime: isTrash ? new Date().toISOString() : null }),
  };
  if (!isKnown(drive, row)) throw new GoogleError(503, 'backendError', 'The file is being changed on disk');
  const path = row.disk === null || isRoot ? undefined : move(drive, row, columns, isTrash);
  if (content && path) renameSync(content.path, path);
  if (path && row.mimeType !== folderType) {
    setModified(path, body.modifiedTime);
    const seen = tree.seen(path);
    Object.assign(columns, content ? contentColumns(mimeType, seen, content.hashes) : seen);
    columns.modifiedTime = timeOf(seen.mtime);
  }
  const changed = tree.change(row.id, columns);
  if (content) keepRevision(tree, changed);
  return changed;
}

/** Whether the file on disk, if it is one, is as it was when it was last read. */
function isKnown({ tree }: Drive, row: FileRow): boolean {
  if (row.disk === null || row.mimeType === folderType || row.trashed) return true;
  const seen = exists(tree.pathOf(row)) && tree.seen(tree.pathOf(row));
  return seen && isSame(row as Seen, seen);
}

/** Moves the bytes to where they shall be from now on, and returns the path. */
function move({ tree, context }: Drive, row: FileRow, columns: Columns, isTrash: boolean): string {
  const from = tree.pathOf(row);
  if (isTrash && row.blob) return from;
  if (isTrash) {
    const blob = context.store.newBlob('drive');
    renameSync(from, blob);
    columns.blob = blobName(blob);
    return blob;
  }
  const { name = row.name, mimeType = row.mimeType } = columns;
  const isElsewhere = row.blob !== null || 'parent' in columns || 'name' in columns || 'mimeType' in columns;
  const folder = tree.find(columns.parent ?? row.parent ?? '');
  if (!isElsewhere || !folder) return from;
  columns.disk = freeName(tree, folder, name, mimeType, from);
  columns.blob = null;
  const to = join(tree.pathOf(folder), columns.disk);
  if (to !== from) renameSync(from, to);
  return to;
}

/** Where `addParents` and `removeParents` take it; `undefined` if it stays. A file has one parent. */
function newParent(drive: Drive, request: Request, row: FileRow): FileRow | undefined {
  const resolve = (id: string) => (id === 'root' ? drive.tree.study : id);
  const added = (text(request, 'addParents')?.split(',') ?? []).map(resolve);
  const removed = (text(request, 'removeParents')?.split(',') ?? []).map(resolve);
  const kept = [row.parent].filter((id) => id !== null && !removed.includes(id));
  const parents = [...new Set([...kept, ...added])];
  if (parents.length > 1) {
    throw new GoogleError(403, 'cannotAddParent', 'Increasing the number of parents is not allowed');
  }
  const [id] = parents;
  if (added.length === 0 || !id || id === row.parent) {
    if (parents.length === 0 && row.parent !== null) throw forbidden('A file cannot be without a parent');
    return undefined;
  }
  const parent = lookup(drive, request, id);
  if (row.parent === null) throw forbidden('The top folder cannot be moved');
  if (parent.mimeType !== folderType) {
    throw new GoogleError(403, 'parentNotAFolder', 'The specified parent is not a folder.');
  }
  if (drive.tree.subtree(row.id).some((below) => below.id === parent.id)) {
    throw forbidden('A folder cannot be moved into itself');
  }
  return parent;
}

function newMimeType(row: FileRow, body: FileBody, content: Content | undefined): string {
  const isSpecial = (type: string) => type === folderType || type === shortcutType;
  if (content && isSpecial(row.mimeType)) throw forbidden('A folder has no content');
  const asked = body.mimeType ?? (isNative(row.mimeType) ? undefined : content?.mimeType) ?? row.mimeType;
  if (asked !== row.mimeType && (isSpecial(asked) || isSpecial(row.mimeType))) throw notWritable('mimeType');
  if (isNative(asked) !== isNative(row.mimeType)) throw notWritable('mimeType');
  checkConversion(asked, content);
  return asked;
}

const forbidden = (message: string) => new GoogleError(403, 'insufficientFilePermissions', message);

const notWritable = (field: string) =>
  new GoogleError(
    403,
    'fieldNotWritable',
    field === 'parents'
      ? 'The parents field is not directly writable in update requests. Use the addParents and removeParents parameters instead.'
      : `The resource body includes fields which are not directly writable: ${field}`,
  );
