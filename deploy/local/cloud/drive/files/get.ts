import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import { GoogleError } from '../../googleError.ts';
import { sendFile } from '../../sendFile.ts';
import { folderType, isNative, shortcutType } from '../names.ts';
import { answer, type Drive, itemOf, text } from '../request.ts';
import { seenOf } from '../table.ts';
import { canDownload, fileFields, fileResource, metaOf, unaskedOfFile } from './resource.ts';
import { spoilBytes, spoilRange } from './spoil.ts';

export const getFile =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    if (text(request, 'alt') === 'media') return download(drive, request, response);
    answer(request, response, fileResource(drive, itemOf(drive, request)), unaskedOfFile, fileFields);
  };

/** `alt=media`: the bytes, or a range of them. https://developers.google.com/workspace/drive/api/guides/manage-downloads */
export async function download(drive: Drive, request: Request, response: Response): Promise<void> {
  const row = itemOf(drive, request);
  if (row.mimeType === folderType || row.mimeType === shortcutType || isNative(row.mimeType)) {
    const message = 'Only files with binary content can be downloaded. Use Export with Docs Editors files.';
    const location = { locationType: 'parameter', location: 'alt' };
    throw new GoogleError(403, 'fileNotDownloadable', message, location);
  }
  if (!canDownload(row)) throw new GoogleError(403, 'fileNotDownloadable', 'This file cannot be downloaded.');
  if (metaOf(row).properties?.abusive !== undefined) {
    // `acknowledgeAbuse` counts only when the owner says it, which a service account is not.
    const message = 'This file has been identified as malware or spam and cannot be downloaded.';
    throw new GoogleError(403, 'cannotDownloadAbusiveFile', message);
  }
  const { file, size, mimeType } = await openAsKnown(drive, request);
  try {
    const range = rangeOf(request.get('Range'), size);
    response.set({
      'Content-Type': mimeType,
      'Content-Disposition': 'attachment',
      'Accept-Ranges': 'bytes',
    });
    if (range === 'unsatisfiable') {
      const headers = { 'Content-Range': `bytes */${size}` };
      throw new GoogleError(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable', {
        headers,
      });
    }
    const { faults } = drive.context;
    const given = range && spoilRange(faults, request, range, size);
    const { start, end } = given ?? { start: 0, end: size - 1 };
    if (given) response.status(206).set('Content-Range', `bytes ${start}-${end}/${size}`);
    const { length, spoil } = spoilBytes(faults, request, end - start + 1);
    response.set('Content-Length', String(length));
    if (length === 0) return void response.end();
    const last = start + length - 1;
    const sending = spoil
      ? pipeline(file.createReadStream({ start, end: last, autoClose: false }), spoil, response)
      : sendFile(file, { first: start, last }, response);
    await sending.catch(() => {
      // The client has gone, or a fault cut the connection; or the file became shorter: then the answer breaks off.
      response.destroy();
    });
  } finally {
    await file.close();
  }
}

/**
 * Opens the file if it still is what its row says. If it was changed a moment ago, the feed is brought up to date
 * first; Google would give the old revision, of which there is nothing left here.
 */
async function openAsKnown(drive: Drive, request: Request): Promise<{ file: FileHandle } & Known> {
  for (let attempt = 0; ; attempt++) {
    const row = itemOf(drive, request);
    const file = await open(drive.tree.pathOf(row), 'r').catch(() => undefined);
    const seen = file && seenOf(await file.stat({ bigint: true }));
    // Nobody looks at what is in the trash any more.
    if (
      file &&
      seen &&
      (row.trashed || (seen.size === row.size && seen.mtime === row.mtime && seen.identity === row.identity))
    )
      return { file, size: seen.size, mimeType: row.mimeType };
    await file?.close();
    if (attempt > 0) throw new GoogleError(503, 'backendError', 'The file is being changed');
    await drive.scanner.scan();
  }
}
type Known = { size: number; mimeType: string };

export type Range = { start: number; end: number };

/** One range; several are answered with everything, as the standard allows. `undefined` asks for everything. */
export function rangeOf(header: string | undefined, size: number): Range | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (!first && !last) return undefined;
  if (first && last && Number(last) < Number(first)) return undefined;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  return start >= size || (!first && Number(last) === 0) ? 'unsatisfiable' : { start, end };
}
