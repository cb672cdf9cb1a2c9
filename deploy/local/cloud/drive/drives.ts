import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import { GoogleError } from '../googleError.ts';
import { fieldsOf } from './fields.ts';
import { driveNotFound } from './files/list.ts';
import { exists } from './files/place.ts';
import { diskName, folderType } from './names.ts';
import { answer, type Drive, integer, invalid, text } from './request.ts';
import type { FileRow } from './table.ts';
import { newDriveId } from './tree.ts';

const driveFields = fieldsOf('kind id name createdTime capabilities hidden');

/** A shared drive is a folder in `shared-drives/`. */
export const driveResource = ({ id, name, createdTime }: FileRow) => ({
  ...{ kind: 'drive#drive', id, name, createdTime, hidden: false },
  capabilities: { canAddChildren: true, canDownload: true, canEdit: true, canListChildren: true },
});

const select = 'SELECT * FROM drive_files WHERE parent IS NULL AND NOT hidden AND id != ?';

export const listDrives =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const { tree } = drive;
    const pageSize = integer(request, 'pageSize', 10, [1, 100]);
    const after = Number(text(request, 'pageToken') ?? 0);
    if (!Number.isSafeInteger(after)) throw invalid('pageToken');
    const rows = tree.all<FileRow>(
      `${select} AND seq > ? ORDER BY seq LIMIT ?`,
      ...[tree.study, after, pageSize + 1],
    );
    const page = rows.slice(0, pageSize);
    const nextPageToken = rows.length > pageSize ? { nextPageToken: String(page.at(-1)?.seq) } : {};
    const body = { kind: 'drive#driveList', ...nextPageToken, drives: page.map(driveResource) };
    answer(request, response, body, '*', { kind: true, nextPageToken: true, drives: driveFields });
  };

export const getDrive =
  ({ tree }: Drive): RequestHandler =>
  (request, response) => {
    const id = String(request.params.driveId);
    const row = tree.get<FileRow>(`${select} AND id = ?`, tree.study, id);
    if (!row) throw driveNotFound(id);
    answer(request, response, driveResource(row), '*', driveFields);
  };

export const createDriveHandler =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const { tree } = drive;
    const name = (request.body as { name?: unknown } | undefined)?.name;
    if (text(request, 'requestId') === undefined) {
      const location = { locationType: 'parameter', location: 'requestId' };
      throw new GoogleError(400, 'required', 'Required parameter: requestId', location);
    }
    if (typeof name !== 'string' || name === '') throw invalid('name', 'A shared drive needs a name');
    const row = await drive.exclusive(() =>
      tree.transaction(() => {
        const { sharedDrives } = tree.folders;
        const disk = diskName(name, folderType, (disk) => exists(join(sharedDrives, disk)));
        mkdirSync(join(sharedDrives, disk));
        const { identity } = tree.seen(join(sharedDrives, disk));
        return tree.insert({ id: newDriveId(), parent: null, name, disk, identity, mimeType: folderType });
      }),
    );
    answer(request, response, driveResource(row), '*', driveFields);
  };
