import { createWriteStream } from 'node:fs';
import { open, rm, stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import { pathOf } from '../../faults.ts';
import { GoogleError } from '../../googleError.ts';
import { parseBody } from '../files/body.ts';
import { readContent } from '../files/content.ts';
import { create } from '../files/create.ts';
import { fileFields, fileResource, unaskedOfFile } from '../files/resource.ts';
import { update } from '../files/update.ts';
import { answer, type Drive, itemOf, notFound, text } from '../request.ts';
import { newId } from '../tree.ts';
import { collect } from './multipart.ts';
import { parseJson } from './receive.ts';

type Session = {
  id: string;
  /** `null` for a new file. */
  fileId: string | null;
  metadata: string;
  /** The query of the request that began the session: `fields` and the like. */
  query: string;
  mimeType: string | null;
  blob: string;
  received: number;
  total: number | null;
  created: number;
  /** The id of the file that was made of it. */
  result: string | null;
};

/** Every chunk but the last is a multiple of it. https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable */
const unit = 256 * 1024;
/** How long a session lasts, in milliseconds. */
export const sessionLifetime = 7 * 24 * 3_600_000;

/** Begins a resumable upload: the answer's `Location` is where the bytes go. */
export const beginUpload =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const { tree, context } = drive;
    const fileId = request.params.fileId === undefined ? null : itemOf(drive, request).id;
    const metadata = parseJson((await collect(request, 1024 * 1024)).toString());
    parseBody(metadata);
    const total = request.get('X-Upload-Content-Length');
    const id = newId();
    const path = context.store.newBlob('drive');
    await (await open(path, 'w')).close();
    tree.run(
      `INSERT INTO drive_uploads (id, fileId, metadata, query, mimeType, blob, total, created)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, fileId, JSON.stringify(metadata), JSON.stringify(request.query)],
      request.get('X-Upload-Content-Type') ?? null,
      ...[basename(path), /^\d{1,15}$/.test(total ?? '') ? Number(total) : null, Date.now()],
    );
    const query = new URLSearchParams({ uploadType: 'resumable', upload_id: id });
    response.set('Location', `${context.origin()}${request.path}?${query}`).status(200).end();
  };

/** Takes a chunk, or says how far the upload has come. */
export function continueUpload(drive: Drive): RequestHandler {
  const busy = new Set<string>();
  return async (request, response) => {
    const session = sessionOf(drive, request);
    if (busy.has(session.id)) throw new GoogleError(503, 'backendError', 'The session is busy');
    busy.add(session.id);
    try {
      await takeChunk(drive, session, request, response);
    } finally {
      busy.delete(session.id);
    }
  };
}

export const cancelUpload =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const session = sessionOf(drive, request);
    drive.tree.run('DELETE FROM drive_uploads WHERE id = ?', session.id);
    await rm(join(drive.tree.blobs, session.blob), { force: true });
    response.status(499).end();
  };

function sessionOf({ tree, context }: Drive, request: Request): Session {
  const id = text(request, 'upload_id') ?? '';
  const { method } = request;
  if (context.faults.strike('drive', ['expireSession'], { method, path: pathOf(request) }))
    tree.run('DELETE FROM drive_uploads WHERE id = ?', id);
  const session = tree.get<Session>(
    'SELECT * FROM drive_uploads WHERE id = ? AND created > ?',
    id,
    Date.now() - sessionLifetime,
  );
  if (!session) throw notFound(id);
  return session;
}

async function takeChunk(
  drive: Drive,
  session: Session,
  request: Request,
  response: Response,
): Promise<void> {
  const range = rangeOf(request);
  if (session.result !== null) return finish(drive, session, request, response);
  const total = range.total ?? session.total;
  if (range.start !== undefined) {
    const { start, length } = range;
    if (start > session.received) throw bad(`The upload has come to byte ${session.received} only`);
    const isLast =
      total === null ? range.end === undefined : range.end === undefined || range.end + 1 >= total;
    if (!isLast && length !== undefined && length % unit !== 0) {
      throw bad('The number of bytes must be a multiple of 262144, except for the last chunk');
    }
    const what = { method: request.method, path: pathOf(request) };
    const struck = drive.context.faults.strike('drive', ['shortAck'], what);
    const kept = Math.floor((length ?? unit) / unit / 2) * unit;
    await append(drive, session, request, start, struck ? start + kept - 1 : range.end);
    const isWhole =
      range.end === undefined ? total === null || session.received >= total : session.received === total;
    if (isWhole) return finish(drive, session, request, response);
  } else if (total !== null && session.received === total && range.total !== undefined) {
    return finish(drive, session, request, response);
  }
  if (session.received > 0) response.set('Range', `bytes=0-${session.received - 1}`);
  response.status(308).end();
}

/** Writes what is new of the chunk. If the connection breaks, whole units of it are kept. */
async function append(
  { tree }: Drive,
  session: Session,
  request: Request,
  start: number,
  end: number | undefined,
): Promise<void> {
  const path = join(tree.blobs, session.blob);
  let known = session.received - start;
  let wanted = end === undefined ? Number.POSITIVE_INFINITY : end + 1 - session.received;
  // Bytes of a chunk whose end was never counted, because the process died.
  await truncate(path, session.received);
  const news = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      const part = chunk.subarray(known).subarray(0, wanted);
      known = Math.max(0, known - chunk.length);
      wanted -= part.length;
      if (part.length > 0) yield part;
    }
  };
  try {
    await pipeline(request, news, createWriteStream(path, { flags: 'r+', start: session.received }));
    session.received = (await stat(path)).size;
  } catch {
    const { size } = await stat(path);
    session.received = Math.max(session.received, size - (size % unit));
  }
  tree.run('UPDATE drive_uploads SET received = ? WHERE id = ?', session.received, session.id);
}

async function finish(drive: Drive, session: Session, request: Request, response: Response): Promise<void> {
  const { tree } = drive;
  // The parameters were given with the first request.
  Object.defineProperty(request, 'query', { value: JSON.parse(session.query) });
  if (session.result === null) {
    const content = await readContent(join(tree.blobs, session.blob), session.mimeType ?? undefined);
    const metadata = parseBody(JSON.parse(session.metadata));
    const { id } =
      session.fileId === null
        ? await create(drive, request, metadata, content)
        : await update(drive, request, session.fileId, metadata, content);
    session.result = id;
    tree.run('UPDATE drive_uploads SET result = ? WHERE id = ?', id, session.id);
  }
  const row = tree.find(session.result);
  if (!row) throw notFound(session.result);
  answer(request, response, fileResource(drive, row), unaskedOfFile, fileFields);
}

/** `bytes 0-99/100`, `bytes 0-99/*`, or the questions `bytes *\/100` and `bytes *\/*`. Without it all bytes come. */
function rangeOf(request: Request): Range {
  const header = request.get('Content-Range');
  if (header === undefined) return { start: 0 };
  const [, bytes, first, last, total] = /^bytes (\*|(\d+)-(\d+))\/(\d+|\*)$/.exec(header) ?? [];
  if (bytes === undefined) throw bad(`Content-Range not understood: ${header}`);
  const whole = total === '*' ? {} : { total: Number(total) };
  if (bytes === '*') return whole;
  const [start, end] = [Number(first), Number(last)];
  if (end < start || (whole.total !== undefined && end >= whole.total)) throw bad(`Bad range: ${header}`);
  return { start, end, length: end - start + 1, ...whole };
}
type Range = { start?: number; end?: number; length?: number; total?: number };

const bad = (message: string) => new GoogleError(400, 'badRequest', `Invalid request. ${message}.`);
