import type { SQLInputValue } from 'node:sqlite';
import type { RequestHandler } from 'express';
import * as z from 'zod';
import { pathOf } from '../../faults.ts';
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
  folder: `(mimeType != '${folderType}')`,
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
    const after = afterOf(text(request, 'pageToken'), q, order);
    const keys = order.map(({ expression }, index) => `${expression} AS key${index}`).join(', ');
    const rows = tree.all<Keys & { id: string }>(
      `SELECT id, ${keys} FROM drive_files WHERE NOT hidden AND ${where.sql} AND ${after.sql}
        ORDER BY ${order.map(({ expression, isDown }) => `${expression}${isDown ? ' DESC' : ''}`).join(', ')} LIMIT ?`,
      ...[...where.values, ...after.values, pageSize + 1],
    );
    const page = rows.slice(0, pageSize);
    const last = page.at(-1);
    const isMore = rows.length > pageSize && last;
    const what = { method: request.method, path: pathOf(request) };
    const fault = drive.context.faults.strike('drive', ['incompleteSearch', 'emptyList'], what);
    const found = fault?.kind === 'emptyList' ? [] : page.slice(0, fault ? -1 : pageSize);
    const files = found.map(({ id }) => fileResource(drive, tree.find(id) as FileRow));
    const nextPageToken =
      isMore && fault?.kind !== 'emptyList' ? { nextPageToken: tokenOf(last, order, q) } : {};
    const incompleteSearch = fault?.kind === 'incompleteSearch';
    const body = { kind: 'drive#fileList', ...nextPageToken, incompleteSearch, files };
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

/** What files are sorted by, one after the other; the last is never the same for two files. */
type Order = { expression: string; isDown: boolean }[];
type Keys = { [key: `key${number}`]: SQLInputValue };

function orderOf(orderBy: string | undefined): Order {
  const keys = (orderBy?.split(',') ?? []).map((key) => {
    const [, name = '', down = ''] = /^\s*(\w+)(\s+desc)?\s*$/.exec(key) ?? [];
    const expression = Object.hasOwn(columns, name) ? columns[name] : undefined;
    if (expression === undefined) throw invalid('orderBy');
    return { expression, isDown: down !== '' };
  });
  return [...keys, { expression: 'seq', isDown: false }];
}

/** A page goes on behind what the last file was sorted by, so that what changes meanwhile makes it skip nothing. */
const tokenOf = (last: Keys, order: Order, q: string) => {
  const token: PageToken = { after: order.map((_, index) => last[`key${index}`] ?? null), q };
  return `~!!~${Buffer.from(JSON.stringify(token)).toString('base64url')}`;
};
const PageToken = z.object({ after: z.array(z.union([z.string(), z.number()])), q: z.string() });
type PageToken = { after: SQLInputValue[]; q: string };

function afterOf(token: string | undefined, q: string, order: Order): Condition {
  if (token === undefined) return { sql: '1', values: [] };
  const page = decode(token);
  if (page?.q !== q || page.after.length !== order.length) throw invalid('pageToken');
  return behind(order, page.after);
}

/** Behind in the first key, or equal in it and behind in the others. */
function behind([first, ...rest]: Order, [value = null, ...others]: SQLInputValue[]): Condition {
  if (!first) return { sql: '0', values: [] };
  const { sql, values } = behind(rest, others);
  const { expression, isDown } = first;
  return {
    sql: `(${expression} ${isDown ? '<' : '>'} ? OR (${expression} = ? AND ${sql}))`,
    values: [value, value, ...values],
  };
}

function decode(token: string): PageToken | undefined {
  try {
    return PageToken.parse(JSON.parse(Buffer.from(token.replace('~!!~', ''), 'base64url').toString()));
  } catch {
    return undefined;
  }
}
