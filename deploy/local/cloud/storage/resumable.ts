import { chmodSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Request, RequestHandler, Response, Router } from 'express';
import express from 'express';
import { pathOf } from '../faults.ts';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import { type ContentRange, readContentRange } from './contentRange.ts';
import { type Hashing, hashesInHeaders, hashHere, requireHashes } from './hashes.ts';
import { readInsert, refuseEarly } from './insert.ts';
import type { Parts } from './parts.ts';
import { text } from './query.ts';
import { batch, writeAll } from './receive.ts';
import { toResource } from './resource.ts';
import { type Session, sessionUri } from './sessions.ts';

/** Only whole quanta of an unfinished upload are kept. */
const quantum = 256 * 1024;
/** Progress is noted this often within one request, so that a death in the middle costs no more. */
const progressStep = 8 * 1024 * 1024;

/** https://cloud.google.com/storage/docs/performing-resumable-uploads */
export function resumableRoutes(parts: Parts): {
  router: Router;
  start: RequestHandler<{ bucket: string }>;
  /** Cuts off whoever is sending, and waits until what is safe has been noted. */
  close(): Promise<void>;
} {
  const { context, generations, sessions, followers } = parts;
  /** Requests that are sending bytes to a session now. A newer one takes over: its client gave the older one up. */
  const sending = new Map<string, { request: Request; ended: Promise<unknown> }>();
  /** Hashes of what was received, by session. After a restart they are made again from the file. */
  const followed = new Map<string, Hashing>();

  const start: RequestHandler<{ bucket: string }>[] = [
    ...jsonBody(1e6),
    (request: Request<{ bucket: string }>, response: Response) => {
      const asked = readInsert(request, request.body, request.get('x-upload-content-type'));
      response.locals.detail = { op: 'objects.insert', object: asked.name, start: true };
      refuseEarly(parts, asked);
      const length = request.get('x-upload-content-length');
      if (length !== undefined && !/^\d{1,15}$/.test(length)) {
        throw new GoogleError(400, 'invalid', 'X-Upload-Content-Length is not a number.');
      }
      const session = sessions.start(asked, length === undefined ? undefined : Number(length));
      response.set('X-GUploader-UploadID', session.id).location(sessionUri(session, context.origin())).end();
    },
  ] as RequestHandler<{ bucket: string }>[];

  /** The session that the request uses, unless a fault ends it. */
  const sessionOf = (request: Request): Session => {
    const id = text(request, 'upload_id');
    const session = sessions.need(id);
    const { method } = request;
    const struck = context.faults.strike('storage', ['expireSession'], { method, path: pathOf(request) });
    if (!struck) return session;
    sending.get(session.id)?.request.destroy();
    sessions.expire(session, struck.status === 404);
    return sessions.need(id);
  };

  const send: RequestHandler = async (request, response) => {
    const id = text(request, 'upload_id');
    const range = readContentRange(request);
    let session = sessionOf(request);
    const { name } = session.insert;
    response.locals.detail = { op: 'objects.insert', object: name };
    if (range.first !== undefined) {
      for (let other = sending.get(session.id); other; other = sending.get(session.id)) {
        other.request.destroy();
        await other.ended.catch(() => {});
      }
      session = sessions.need(id);
    }
    // Whoever did not hear that it was done may ask again.
    if (session.state === 'done') return void response.json(session.result);
    const total = range.total ?? session.total;
    if (session.total !== undefined && total !== session.total) {
      throw new GoogleError(400, 'invalid', `The object was to have ${session.total} bytes, not ${total}.`);
    }
    if (range.first === undefined) {
      if (range.total === undefined || range.total !== session.received) {
        return answerIncomplete(request, response, session.received);
      }
      return void response.json(await finish(response, session, hashingOf(session) ?? hashHere()));
    }
    if (range.first > session.received) {
      // The one refusal that is not JSON; clients tell lost data from a passing 503 by it.
      response.status(503).type('text/plain');
      response.end(
        `Invalid request.  According to the Content-Range header, the upload offset is ${range.first} byte(s), which exceeds already uploaded size of ${session.received} byte(s).`,
      );
      return;
    }
    const isLast = range.last === undefined || range.last + 1 === total;
    if (!isLast && ((range.last ?? 0) + 1 - range.first) % quantum !== 0) {
      throw new GoogleError(
        400,
        'badRequest',
        `Each chunk but the last must have a multiple of ${quantum} bytes.`,
      );
    }
    const ended = (async () => {
      const what = { method: request.method, path: pathOf(request) };
      const struck = context.faults.strike('storage', ['shortAck'], what);
      const length = Number(request.get('content-length') ?? quantum);
      const keep = struck ? Math.floor(length / quantum / 2) * quantum : Number.POSITIVE_INFINITY;
      const hashing = await append(request, session, { ...range, total }, keep);
      return hashing && finish(response, session, hashing);
    })();
    sending.set(session.id, { request, ended });
    try {
      const object = await ended;
      if (object) response.json(object);
      else answerIncomplete(request, response, sessions.need(id).received);
    } finally {
      sending.delete(session.id);
    }
  };

  /**
   * Takes in a body from where the upload stands. What it has hashed is what is kept.
   * @returns the hashes, if the upload is complete
   */
  async function append(
    request: Request,
    session: Session,
    { first = 0, last, total }: ContentRange,
    keep: number,
  ): Promise<Hashing | undefined> {
    let hashing = hashingOf(session);
    let skip = session.received - first;
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    let written = session.received;
    let noted = session.received;
    const end = last === undefined ? total : last + 1;
    const limit = Math.min(session.received + keep, end ?? Number.POSITIVE_INFINITY);
    const file = await openForWriting(session.path);
    const write = async (size: number, hashing: Hashing) => {
      const [now, later] = splitAt(waiting, size);
      await hashing.take(now, writeAll(file, now, written));
      waiting = later;
      waitingBytes -= size;
      written += size;
    };
    const writeQuanta = async () => {
      const size = waitingBytes - (waitingBytes % quantum);
      if (size === 0) return;
      hashing ??= follow(session);
      await write(size, hashing);
    };
    const note = () => {
      noted = written - (written % quantum);
      sessions.progress(session, noted, total);
    };
    try {
      // Leaving the loop early must not cut the connection: the client is to hear why.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        const room = limit - written - waitingBytes;
        if (fresh.length > room && keep === Number.POSITIVE_INFINITY) {
          throw new GoogleError(400, 'badRequest', 'The body is longer than its Content-Range.');
        }
        if (fresh.length === 0 || room <= 0) continue;
        waiting.push(fresh.subarray(0, room));
        waitingBytes += Math.min(fresh.length, room);
        if (waitingBytes >= batch) await writeQuanta();
        if (written - noted >= progressStep) note();
      }
      const arrived = written + waitingBytes;
      const complete = keep === Number.POSITIVE_INFINITY && arrived === (total ?? (last ? -1 : arrived));
      if (!complete) return undefined;
      // All of it in one batch needs no thread.
      hashing ??= hashHere();
      await writeQuanta();
      note();
      if (waitingBytes > 0) await write(waitingBytes, hashing);
      await file.truncate(written);
      return hashing;
    } finally {
      try {
        // Those that arrived before the connection broke count.
        await writeQuanta();
      } finally {
        note();
        await file.close();
      }
    }
  }

  async function finish(response: Response, session: Session, hashing: Hashing): Promise<unknown> {
    const { insert, path } = session;
    try {
      const content = await hashing.content().catch((error: unknown) => {
        // The file of a session that was cancelled meanwhile is gone.
        sessions.need(session.id);
        throw error;
      });
      requireHashes({ ...insert.expected, ...hashesInHeaders(response.req) }, content);
      // An empty object has had no bytes to be written.
      await openForWriting(path).then((file) => file.close());
      const result = generations.change(() => {
        // Another request may have finished or cancelled it meanwhile.
        const { state, result: already } = sessions.need(session.id);
        if (state === 'done') return already;
        const object = generations.put({ ...insert, ...content, blob: path }, insert.conditions);
        const resource = toResource(object, context.origin());
        sessions.finish(session, resource);
        // Whoever asked may be gone; what was made counts all the same.
        response.locals.detail.generation = object.generation;
        return resource;
      });
      chmodSync(path, 0o444);
      return result;
    } finally {
      // They are of the last bytes too, which do not count unless the object was made.
      followed.delete(session.id);
    }
  }

  /** The hashes of what an upload has received; of nothing, there are none yet. */
  function hashingOf(session: Session): Hashing | undefined {
    const kept = followed.get(session.id);
    if (kept?.size === session.received) return kept;
    return session.received > 0 ? follow(session) : undefined;
  }

  function follow(session: Session): Hashing {
    const hashing = followers.follow(session.path, session.received);
    if (followed.size >= 1000) followed.delete(followed.keys().next().value ?? '');
    followed.set(session.id, hashing);
    return hashing;
  }

  const cancel: RequestHandler = (request, response) => {
    const session = sessionOf(request);
    response.locals.detail = { op: 'objects.cancel', object: session.insert.name };
    sending.get(session.id)?.request.destroy();
    if (session.state === 'open') sessions.cancel(session);
    followed.delete(session.id);
    response.status(499).end();
  };

  const router = express.Router();
  for (const path of ['/upload/storage/v1/b/:bucket/o', '/resumable/upload/storage/v1/b/:bucket/o']) {
    router.put(path, send).delete(path, cancel);
    // Some clients POST their chunks.
    router.post(path, (request, response, next) =>
      request.query.upload_id === undefined ? next() : send(request, response, next),
    );
  }
  const starter = express.Router({ mergeParams: true }).use(...start);
  const close = async () => {
    const cut = Array.from(sending.values(), ({ request, ended }) => {
      request.destroy();
      return ended;
    });
    await Promise.allSettled(cut);
  };
  return { router, start: starter as RequestHandler<{ bucket: string }>, close };
}

/** `308`, or what clients that follow redirects ask for instead. */
function answerIncomplete(request: Request, response: Response, received: number): void {
  if (received > 0) response.set('Range', `bytes=0-${received - 1}`);
  const no308 = request.get('x-guploader-no-308') === 'yes';
  if (no308) response.set('X-HTTP-Status-Code-Override', '308');
  response.status(no308 ? 200 : 308).end();
}

async function openForWriting(path: string): Promise<FileHandle> {
  // 'a' would write at the end whatever the offset, 'r+' would not make the file, 'w' would empty it.
  return open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return open(path, 'wx+', 0o600);
  });
}

/** The first `size` bytes, and the rest. */
function splitAt(buffers: Buffer[], size: number): [Buffer[], Buffer[]] {
  const before: Buffer[] = [];
  for (const [index, buffer] of buffers.entries()) {
    if (buffer.length > size) {
      return [
        [...before, buffer.subarray(0, size)],
        [buffer.subarray(size), ...buffers.slice(index + 1)],
      ];
    }
    before.push(buffer);
    size -= buffer.length;
  }
  return [before, []];
}
