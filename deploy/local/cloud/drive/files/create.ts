import { mkdirSync, renameSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request, RequestHandler } from 'express';
import { GoogleError } from '../../googleError.ts';
import { contentColumns, keepRevision } from '../content.ts';
import { describe, folderType, shortcutType } from '../names.ts';
import { requireEdit } from '../permissions.ts';
import { answer, type Drive, integer, invalid, lookup } from '../request.ts';
import { type FileRow, timeOf } from '../table.ts';
import { newId } from '../tree.ts';
import { receive } from '../uploads/receive.ts';
import { type FileBody, parseBody, storedColumns } from './body.ts';
import { type Content, checkConversion, readContent, setModified } from './content.ts';
import { freeName, place } from './place.ts';
import { fileFields, fileResource, unaskedOfFile } from './resource.ts';

/** files.create, with metadata only or with a simple or multipart upload. */
export const createFile =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const { body, content } = await receive(drive, request);
    const row = await create(drive, request, parseBody(body), content);
    answer(request, response, fileResource(drive, row), unaskedOfFile, fileFields);
  };

/** Makes the file; its bytes, if any, are moved to their place or deleted. */
export async function create(
  drive: Drive,
  request: Request,
  body: FileBody,
  given?: Content,
): Promise<FileRow> {
  let content = given;
  try {
    const { name = 'Untitled' } = body;
    const mimeType = body.mimeType ?? content?.mimeType ?? describe(name).mimeType;
    checkConversion(mimeType, content);
    parentOf(drive, request, body);
    if (mimeType !== folderType && mimeType !== shortcutType) content ??= await emptyContent(drive);
    return await drive.exclusive(() =>
      place(drive.tree, () => insert(drive, request, { ...body, name, mimeType }, content)),
    );
  } finally {
    if (content) await rm(content.path, { force: true });
  }
}

function insert(
  drive: Drive,
  request: Request,
  body: FileBody & { name: string; mimeType: string },
  content: Content | undefined,
): FileRow {
  const { tree } = drive;
  const { name, mimeType } = body;
  const parent = parentOf(drive, request, body);
  const columns = { name: name.toWellFormed(), mimeType, ...storedColumns(body) };
  const common = { id: idOf(drive, body), parent: parent.id, ...columns };
  if (mimeType === shortcutType) {
    const targetId = body.shortcutDetails?.targetId;
    if (targetId === undefined) throw invalid('shortcutDetails.targetId', 'A shortcut needs a target');
    return tree.insert({ ...common, targetId, targetMimeType: tree.find(targetId)?.mimeType ?? null });
  }
  const disk = freeName(tree, parent, name, mimeType);
  const path = join(tree.pathOf(parent), disk);
  if (!content) {
    mkdirSync(path);
    return tree.insert({ ...common, disk, identity: tree.seen(path).identity });
  }
  setModified(content.path, body.modifiedTime);
  renameSync(content.path, path);
  const seen = tree.seen(path);
  const modifiedTime = timeOf(seen.mtime);
  const row = tree.insert({
    ...{ ...common, disk, modifiedTime },
    ...contentColumns(mimeType, seen, content.hashes),
  });
  keepRevision(tree, row);
  return row;
}

/** @throws 404 for a parent that is not there, 403 for one that is no folder */
function parentOf(drive: Drive, request: Request, { parents = [] }: FileBody): FileRow {
  if (parents.length > 1) {
    throw new GoogleError(403, 'multipleParentsNotAllowed', 'A file cannot have more than one parent');
  }
  const parent = lookup(drive, request, parents[0] ?? drive.tree.study);
  if (parent.mimeType !== folderType)
    throw new GoogleError(403, 'parentNotAFolder', 'The specified parent is not a folder.');
  requireEdit(drive, parent);
  if (drive.tree.settings.ownsFiles === false && parent.drive === drive.tree.study) {
    const message =
      'Service Accounts do not have storage quota. Leverage shared drives (https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation (http://support.google.com/a/answer/7281227) instead.';
    throw new GoogleError(403, 'storageQuotaExceeded', message);
  }
  return parent;
}

function idOf({ tree }: Drive, { id }: FileBody): string {
  if (id === undefined) return newId();
  if (!/^[\w-]{20,60}$/.test(id) || tree.settings.ownIds === false)
    throw invalid('file.id', 'The provided file ID is not usable.');
  if (tree.find(id)) throw new GoogleError(409, 'fileIdInUse', 'A file already exists with the provided ID.');
  return id;
}

async function emptyContent({ context }: Drive): Promise<Content> {
  const path = context.store.newBlob('drive');
  await writeFile(path, '');
  return readContent(path, undefined);
}

/** Ids with which a file can be made again after an answer was lost, without being made twice. */
export const generateIds = (): RequestHandler => (request, response) => {
  const count = integer(request, 'count', 10, [1, 1000]);
  const ids = Array.from({ length: count }, newId);
  const body = { kind: 'drive#generatedIds', space: 'drive', ids };
  answer(request, response, body, '*', { kind: true, space: true, ids: true });
};
