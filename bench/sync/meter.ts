import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What reached the local cloud, which runs in this process. */
export type Counts = {
  /** All requests at Drive, and what of them listed files or brought bytes. */
  drive: { requests: number; listings: number; downloads: number; bytes: number };
  /** All requests at Cloud Storage, and what of them listed objects. */
  storage: { requests: number; listings: number };
};

type Started = { request: IncomingMessage; response: ServerResponse; socket: Socket };

/**
 * Counts from now on. `/_local/requests` would do, but it forgets the first of more than 50,000 requests, and it does not
 * know how many bytes went out. https://nodejs.org/api/diagnostics_channel.html#http
 */
export function startMeter(): { stop(): Counts } {
  const counts: Counts = {
    drive: { requests: 0, listings: 0, downloads: 0, bytes: 0 },
    storage: { requests: 0, listings: 0 },
  };
  const onStart = (message: unknown) => {
    const { request, response, socket } = message as Started;
    // Express takes the path apart while it looks for who answers.
    const url = request.url ?? '';
    const sentBefore = socket.bytesWritten;
    response.once('close', () => {
      const { op = '' } = (response as Answered).locals?.detail ?? {};
      if (/^\/(upload\/)?drive\/v3\//.test(url)) {
        counts.drive.requests++;
        if (op === 'files.list') counts.drive.listings++;
        if (op !== 'files.download' && op !== 'files.export') return;
        counts.drive.downloads++;
        // Of an answer that was cut off, what went out with its headers.
        counts.drive.bytes += response.writableFinished
          ? Number(response.getHeader('content-length') ?? 0)
          : socket.bytesWritten - sentBefore;
      } else if (storagePath.test(url)) {
        counts.storage.requests++;
        if (op === 'objects.list' || op === 'buckets.list') counts.storage.listings++;
      }
    });
  };
  subscribe('http.server.request.start', onStart);
  return {
    stop() {
      unsubscribe('http.server.request.start', onStart);
      return counts;
    },
  };
}

const storagePath = /^\/((upload|download|resumable\/upload|batch)\/)?storage\//;

/** Each operation of the local cloud says its name. */
type Answered = ServerResponse & { locals?: { detail?: { op?: string } } };
