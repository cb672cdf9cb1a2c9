import type { Request, RequestHandler } from 'express';
import { driveResource } from './drives.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { driveNotFound } from './files/list.ts';
import { fileFields, fileResource } from './files/resource.ts';
import { newest, pageTokenOf } from './pageToken.ts';
import { answer, type Drive, flag, integer, invalid, text } from './request.ts';
import { userLog } from './tree.ts';

type ChangeRow = { seq: number; log: string; fileId: string; type: string; removed: number; time: string };

const changeFields: Fields = {
  ...fieldsOf('kind nextPageToken newStartPageToken'),
  changes: {
    ...fieldsOf('kind type changeType time removed fileId driveId teamDriveId teamDrive drive'),
    file: fileFields,
  },
};
const unasked =
  'kind,nextPageToken,newStartPageToken,' +
  'changes(kind,type,changeType,time,removed,fileId,driveId,file(kind,id,name,mimeType),drive)';

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/changes/getStartPageToken */
export const getStartPageToken =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    logOf(drive, request);
    const body = { kind: 'drive#startPageToken', startPageToken: String(newest(drive) + 1) };
    answer(request, response, body, '*', fieldsOf('kind startPageToken'));
  };

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/changes/list */
export const listChanges =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const { tree } = drive;
    const log = logOf(drive, request);
    const start = pageTokenOf(drive, request);
    const pageSize = integer(request, 'pageSize', 100, [1, 1000]);
    // Nothing here is in the service account's own My Drive: it was only shared with it.
    const isOmitted = flag(request, 'restrictToMyDrive') && log === userLog;
    const includeRemoved = flag(request, 'includeRemoved', true);
    const last = newest(drive);
    const rows = tree.all<ChangeRow>(
      'SELECT * FROM drive_changes WHERE log = ? AND seq >= ? ORDER BY seq LIMIT ?',
      ...[log, start, pageSize + 1],
    );
    const page = rows.slice(0, pageSize);
    const changes = isOmitted ? [] : page.map((row) => changeResource(drive, row));
    const body = {
      kind: 'drive#changeList',
      ...(rows.length > pageSize
        ? { nextPageToken: String((page.at(-1)?.seq ?? start) + 1) }
        : { newStartPageToken: String(last + 1) }),
      changes: changes.filter(({ removed }) => includeRemoved || !removed),
    };
    answer(request, response, body, unasked, changeFields);
  };

/** Of what is gone, or out of reach, only the id is known. What is there is given as it is now. */
function changeResource(drive: Drive, { fileId, type, removed, time, log }: ChangeRow) {
  const row = drive.tree.find(fileId);
  const isGone = Boolean(removed) || !row || Boolean(row.hidden);
  const common = { kind: 'drive#change', type, changeType: type, time, removed: isGone };
  if (type === 'drive') {
    return { ...common, driveId: fileId, ...(isGone ? {} : { drive: driveResource(row) }) };
  }
  const driveId = log === userLog ? {} : { driveId: log };
  return { ...common, fileId, ...driveId, ...(isGone ? {} : { file: fileResource(drive, row) }) };
}

/** Each shared drive has a log of its own. @throws 404 for a drive that is not there */
export function logOf({ tree }: Drive, request: Request): string {
  const driveId = text(request, 'driveId');
  if (driveId === undefined) return userLog;
  if (!flag(request, 'supportsAllDrives')) {
    throw invalid('supportsAllDrives', 'driveId is accepted only with supportsAllDrives=true');
  }
  const row = tree.find(driveId);
  if (!row || row.drive !== driveId || row.hidden || driveId === tree.study) throw driveNotFound(driveId);
  return driveId;
}
