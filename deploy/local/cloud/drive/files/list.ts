import type { RequestHandler } from 'express';
import { GoogleError } from '../../googleError.ts';
import { folderType } from '../names.ts';
import { answer, type Drive, flag, integer, invalid, text } from '../request.ts';
import type { FileRow } from '../table.ts';
import { type Condition, parseQuery } from './query.ts';
import { fileFields, fileResource } from './resource.ts';

const listFields = { kind: true, incompleteSearch: true, nextPageToken: true, files: fileFields } as const;
const unasked = 'kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)';

const columns: Record<string, string> = {
  name: 'name COLLATE NOCASE',
  name_natural: 'name COLLATE NOCASE',
  createdTime: 'createdTime',
  modifiedTime: 'modifiedTime',
  modifiedByMeTime: 'modifiedTime',
  recency: 'modifiedTime',
  quotaBytesUsed: 'coalesce(size, 0)',
  starred: 'starred',
  // Folders come first, and last with `desc`.
  folder: `mimeType != '${folderType}'`,
};

export const listFiles =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const { tree } = drive;
    const pageSize = integer(request, 'pageSize', 100, [1, 1000]);
    const q = text(request, 'q') ?? '';
    const order = orderOf(text(request, 'orderBy'));
    const where = conditionOf(drive, {
      q,
      space: text(request, 'spaces') ?? 'drive',
      corpora: text(request, 'corpora') ?? (text(request, 'driveId') ? 'drive' : 'user'),
      driveId: text(request, 'driveId'),
      isAll: flag(request, 'supportsAllDrives') && flag(request, 'includeItemsFromAllDrives'),
    });
    const ids = tree.all<{ id: string }>(
      `SELECT id FROM drive_files WHERE NOT hidden AND ${where.sql} ORDER BY ${order}, seq`,
      ...where.values,
    );
    const start = startOf(text(request, 'pageToken'), ids, q);
    const page = ids.slice(start, start + pageSize);
    const last = page.at(-1);
    const more = start + pageSize < ids.length && last;
    const files = page.map(({ id }) => fileResource(drive, tree.find(id) as FileRow));
    const nextPageToken = more ? { nextPageToken: tokenOf({ after: last.id, at: start + pageSize, q }) } : {};
    const body = { kind: 'drive#fileList', ...nextPageToken, incompleteSearch: false, files };
    answer(request, response, body, unasked, listFields);
  };

type Search = { q: string; space: string; corpora: string; driveId: string | undefined; isAll: boolean };

function conditionOf({ tree }: Drive, { q, space, corpora, driveId, isAll }: Search): Condition {
  const { sql, values } = q ? parseQuery(q, tree.study) : { sql: '1', values: [] };
  if (corpora === 'drive') {
    if (driveId === undefined || !isAll) {
      const message =
        'corpora=drive needs driveId, supportsAllDrives=true and includeItemsFromAllDrives=true';
      throw invalid('driveId', message);
    }
    if (tree.find(driveId)?.drive !== driveId || driveId === tree.study) throw driveNotFound(driveId);
    return { sql: `drive = ? AND id != drive AND ${sql}`, values: [driveId, ...values] };
  }
  if (!['user', 'allDrives', 'domain'].includes(corpora)) throw invalid('corpora');
  if (!space.split(',').includes('drive')) return { sql: '0', values: [] };
  // A shared drive is no file, though its id can be used as one.
  const items = isAll ? '(drive = ? OR id != drive)' : 'drive = ?';
  return { sql: `${items} AND ${sql}`, values: [tree.study, ...values] };
}

export const driveNotFound = (driveId: string) =>
  new GoogleError(404, 'notFound', `Shared drive not found: ${driveId}`, {
    locationType: 'parameter',
    location: 'driveId',
  });

function orderOf(orderBy: string | undefined): string {
  if (orderBy === undefined) return '1';
  const keys = orderBy.split(',').map((key) => {
    const [, name = '', desc = ''] = /^\s*(\w+)(\s+desc)?\s*$/.exec(key) ?? [];
    if (!Object.hasOwn(columns, name)) throw invalid('orderBy');
    return `${columns[name]}${desc}`;
  });
  return keys.join(', ');
}

/** A page goes on after a certain file, so that what is added or removed meanwhile makes it skip nothing. */
const tokenOf = (token: PageToken) => `~!!~${Buffer.from(JSON.stringify(token)).toString('base64url')}`;
type PageToken = { after: string; at: number; q: string };

function startOf(token: string | undefined, ids: { id: string }[], q: string): number {
  if (token === undefined) return 0;
  const page = decode(token);
  if (page?.q !== q) throw invalid('pageToken');
  const found = ids.findIndex(({ id }) => id === page.after);
  return found >= 0 ? found + 1 : Math.max(0, page.at - 1);
}

function decode(token: string): PageToken | undefined {
  try {
    const page = JSON.parse(Buffer.from(token.replace('~!!~', ''), 'base64url').toString()) as PageToken;
    return typeof page?.after === 'string' && Number.isInteger(page.at) ? page : undefined;
  } catch {
    return undefined;
  }
}
