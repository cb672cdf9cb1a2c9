import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import { GoogleError } from '../../googleError.ts';
import { type Drive, itemOf, lookup, text } from '../request.ts';
import type { FileRow } from '../table.ts';
import { type Convert, exportFormats } from './exportFormats.ts';
import { spoilBytes } from './spoil.ts';

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/files/export */
const longest = 10 * 1024 * 1024;
/** Exports are made in memory. */
const longestLink = 100 * 1024 * 1024;

/** files.export: a document in another format, of at most 10 MB. */
export const exportFile =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const mimeType = text(request, 'mimeType');
    if (mimeType === undefined) {
      const location = { locationType: 'parameter', location: 'mimeType' };
      throw new GoogleError(400, 'required', 'Required parameter: mimeType', location);
    }
    await send(drive, itemOf(drive, request), mimeType, longest, request, response);
  };

/** An export link of a file resource: the same without Google's limit. */
export const exportLink =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    request.query.supportsAllDrives = 'true';
    const row = lookup(drive, request, text(request, 'id') ?? '');
    const format = text(request, 'exportFormat');
    const formats = Object.entries(exportFormats[row.mimeType] ?? {});
    const mimeType = formats.find(([, { extension }]) => extension === format)?.[0] ?? '';
    await send(drive, row, mimeType, longestLink, request, response);
  };

async function send(
  { tree, context }: Drive,
  row: FileRow,
  mimeType: string,
  limit: number,
  request: Request,
  response: Response,
) {
  const formats = exportFormats[row.mimeType];
  if (!formats) throw new GoogleError(403, 'fileNotExportable', 'Export only supports Docs Editors files.');
  const format = formats[mimeType];
  if (!format) {
    const location = { locationType: 'parameter', location: 'convertTo' };
    throw new GoogleError(400, 'badRequest', 'The requested conversion is not supported.', location);
  }
  const tooLarge = new GoogleError(403, 'exportSizeLimitExceeded', 'This file is too large to be exported.');
  const path = tree.pathOf(row);
  if ((await stat(path)).size > limit) throw tooLarge;
  const exported = await converted(
    format.convert,
    `${row.mimeType} ${mimeType}`,
    await readFile(path, 'utf8'),
  );
  if (exported.length > limit) throw tooLarge;
  const { length, spoil } = spoilBytes(context.faults, request, exported.length);
  response.set({ 'Content-Type': mimeType, 'Content-Length': String(length) });
  const given = exported.subarray(0, length);
  if (!spoil) return void response.end(given);
  await pipeline(Readable.from([given]), spoil, response);
}

/** The last ones that were made of short documents: the same text gives the same bytes, and zipping takes its time. */
const made = new Map<string, Buffer>();
const mostMade = 100;
const longestKept = 10_000;

async function converted(convert: Convert, formats: string, content: string): Promise<Buffer> {
  const key = `${formats} ${content}`;
  const known = made.get(key);
  if (known) return known;
  const exported = Buffer.from(await convert(content));
  if (content.length > longestKept) return exported;
  if (made.size >= mostMade) made.delete(made.keys().next().value ?? '');
  made.set(key, exported);
  return exported;
}
