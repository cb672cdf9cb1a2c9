import type { Router } from 'express';
import express from 'express';
import { fromRow } from './generations.ts';
import { globMatcher } from './glob.ts';
import { afterPrefix, compareNames } from './names.ts';
import type { Parts } from './parts.ts';
import { flag, integer, invalidParameter, text } from './query.ts';
import { type Generation, toResource } from './resource.ts';

/** Any text comes before any blob, so this is an end that no name reaches. */
const endless = new Uint8Array();

/** Where a page goes on. */
type Position = { name: string; generation: number };

const earlier = (a: string | undefined, b: string | undefined) =>
  a === undefined ? b : b === undefined || compareNames(a, b) < 0 ? a : b;
const later = (a: string, b: string) => (compareNames(a, b) > 0 ? a : b);

/** https://cloud.google.com/storage/docs/json_api/v1/objects/list */
export function listRoutes({ context, buckets, generations }: Parts): Router {
  const select = (which: string) =>
    context.store.db.prepare(
      `SELECT * FROM storage_generations
       WHERE bucket = :bucket AND name >= :name AND name < :end AND ${which}
         AND (name > :name OR generation >= :generation)
       ORDER BY name, generation LIMIT :limit`,
    );
  const queries = {
    live: select(`state = 'live'`),
    versions: select(`state <> 'softDeleted'`),
    softDeleted: select(`state = 'softDeleted'`),
  };

  return express.Router().get('/storage/v1/b/:bucket/o', (request, response) => {
    const { bucket } = request.params;
    response.locals.detail = { op: 'objects.list', bucket };
    buckets.need(bucket);
    const prefix = text(request, 'prefix') ?? '';
    const delimiter = text(request, 'delimiter');
    const showsFolders = flag(request, 'includeTrailingDelimiter');
    const limit = Math.min(Math.max(integer(request, 'maxResults') ?? 1000, 1), 1000);
    const glob = text(request, 'matchGlob');
    const matches = glob === undefined ? () => true : globMatcher(glob);
    const end = earlier(afterPrefix(prefix), text(request, 'endOffset'));
    const which = flag(request, 'softDeleted')
      ? 'softDeleted'
      : flag(request, 'versions')
        ? 'versions'
        : 'live';

    if (which === 'softDeleted') generations.sweep();

    const first = { name: later(prefix, text(request, 'startOffset') ?? ''), generation: 0 };
    let at: Position | undefined = readToken(text(request, 'pageToken')) ?? first;
    const items: Generation[] = [];
    const prefixes: string[] = [];
    /** The folder that stands for this name in the answer, if one does. */
    const folderOf = (name: string) => {
      const cut = delimiter === undefined ? -1 : name.indexOf(delimiter, prefix.length);
      return cut < 0 ? undefined : name.slice(0, cut + (delimiter ?? '').length);
    };

    fill: while (at) {
      // With a delimiter, most rows may be skipped.
      const batch: number = Math.min(delimiter === undefined ? 1000 : 100, limit - items.length + 1);
      const rows: object[] = queries[which].all({ bucket, ...at, end: end ?? endless, limit: batch });
      let skipTo: Position | undefined;
      for (const row of rows) {
        const object = fromRow(row);
        const { name, generation } = object;
        const folder = folderOf(name);
        const full = items.length + prefixes.length >= limit;
        if (full) {
          at = { name, generation };
          break fill;
        }
        if (folder !== undefined && matches(folder)) {
          prefixes.push(folder);
          if (showsFolders && name === folder) items.push(object);
          const next = afterPrefix(folder);
          skipTo = next === undefined ? undefined : { name: next, generation: 0 };
          if (!skipTo) at = undefined;
          break;
        }
        if (folder === undefined && matches(name)) items.push(object);
        skipTo = { name, generation: generation + 1 };
      }
      at = rows.length === 0 || (rows.length < batch && skipTo === undefined) ? undefined : skipTo;
    }

    response.json({
      kind: 'storage#objects',
      ...(items.length > 0 ? { items: items.map((item) => toResource(item, context.origin())) } : {}),
      ...(prefixes.length > 0 ? { prefixes } : {}),
      ...(at ? { nextPageToken: Buffer.from(JSON.stringify(at)).toString('base64url') } : {}),
    });
  });
}

function readToken(token: string | undefined): Position | undefined {
  if (token === undefined) return undefined;
  try {
    const { name, generation } = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof name === 'string' && Number.isSafeInteger(generation)) return { name, generation };
  } catch {
    // Falls through: it is none of our tokens.
  }
  throw invalidParameter('pageToken', token);
}
