import { createHash } from 'node:crypto';
import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { refusalOf } from '../drive/refusal.ts';
import { NotYet } from '../once.ts';
import { readObject } from '../storage/readObject.ts';
import { quantum } from '../storage/session.ts';
import type { DriveItem } from './driveItem.ts';
import {
  cancelUpload,
  type FileWrite,
  openUpload,
  sendPart,
  sendWhole,
  type UploadProgress,
  uploadProgress,
} from './driveUpload.ts';
import type { Attempt } from './exportedFile.ts';
import { type Source, sourceOf } from './source.ts';

export type BringDependencies = {
  drive: drive_v3.Drive;
  derived: Bucket;
  now: () => number;
  /** When this invocation should hand the work on; milliseconds since 1970. */
  deadline: number;
  /** Bytes; what is larger is sent in parts. */
  mostAtOnce: number;
  /** Bytes of a part; a multiple of 256 KiB. Up to two of them are in memory. */
  sliceSize: number;
  /** How long a claim holds; milliseconds. */
  lease: number;
  /** Runs what takes memory when there is some. */
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
};

export type Brought =
  | {
      state: 'done';
      item: DriveItem /** Of the bytes that were sent, if all of them were sent here. */;
      md5?: string;
    }
  /** The time is over; a fresh invocation goes on from here. */
  | { state: 'handed on' }
  /** The object, or the file, is not what it was. */
  | { state: 'changed' }
  /** The export was cancelled; nothing of this object is there. */
  | { state: 'cancelled' };

export type Bringing = { source: Source; write: FileWrite; attempt: Attempt };

export type BringHooks = {
  /** Writes down how far it has come. @throws NotYet if somebody else is at it */
  keep: (attempt: Attempt) => Promise<void>;
  /** Whether the file that is written to is what it was. */
  isStill: () => Promise<boolean>;
  /** Whether the export was cancelled. */
  isCancelled: () => Promise<boolean>;
};

const mostFailures = 5;
const mostSessions = 3;
/** The part of its claim after which it is renewed. */
const shareOfLease = 1 / 4;
/** Between two looks whether it is still wanted; milliseconds. */
const lookEvery = 5000;

/**
 * Sends an object of any size to Drive: a small one in one request; a larger one through a resumable upload, part by part,
 * each read from the bucket as a range of this one generation. What a killed process leaves is the session, which knows
 * how far it is; the next one goes on from there.
 */
export async function bring(
  bringing: Bringing,
  hooks: BringHooks,
  dependencies: BringDependencies,
): Promise<Brought> {
  const { source, write } = bringing;
  const { drive, inTurn, mostAtOnce } = dependencies;
  if (source.size > mostAtOnce) return inTurn(() => bringInParts(bringing, hooks, dependencies));
  const all = async (): Promise<Brought> => {
    const bytes = source.size === 0 ? Buffer.alloc(0) : await read(source, 0, source.size, dependencies);
    if (!bytes) return { state: 'changed' };
    return { state: 'done', item: await sendWhole(drive, write, bytes), md5: md5Of(bytes) };
  };
  // Many small ones fit into the memory side by side.
  return source.size <= 1024 * 1024 ? all() : inTurn(all);
}

const md5Of = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

/** @returns undefined if this generation is not there any more */
async function read(
  { name, generation }: Source,
  from: number,
  to: number,
  { derived }: BringDependencies,
): Promise<Buffer | undefined> {
  const content = await readObject(derived.file(name, { generation }), { start: from, end: to - 1 });
  if (content && content.bytes.length !== to - from)
    throw new Error(`${content.bytes.length} bytes of ${name} came, not ${to - from}`);
  return content?.bytes;
}

async function bringInParts(
  { source, write, attempt: before }: Bringing,
  { keep, isStill, isCancelled }: BringHooks,
  dependencies: BringDependencies,
): Promise<Brought> {
  const { drive, now, deadline, lease, sliceSize } = dependencies;
  const { size } = source;
  let attempt = before;
  const begunAt = now();
  let renewAt = begunAt + lease * shareOfLease;
  let lookAt = begunAt + lookEvery;
  /** Follows the bytes for as long as they come one after the other from the first one on. */
  let hash = { md5: createHash('md5'), at: 0 };
  const lastBegin = Math.floor((size - 1) / quantum) * quantum;

  for (let sessions = 0; sessions < mostSessions; sessions++) {
    let progress: UploadProgress = attempt.session
      ? await uploadProgress(drive, attempt.session, size)
      : { state: 'gone' };
    if (progress.state === 'gone') {
      const session = await openUpload(drive, write, size);
      attempt = { ...attempt, session, sent: 0 };
      await keep(attempt);
      hash = { md5: createHash('md5'), at: 0 };
      progress = { state: 'open', offset: 0 };
    }
    const sent = await sendFrom(progress, attempt.session as string);
    if (sent.state !== 'gone') return sent;
  }
  throw new NotYet(`the uploads of ${source.name} end before they are complete`);

  async function sendFrom(start: UploadProgress, session: string): Promise<Brought | { state: 'gone' }> {
    let progress = start;
    let ahead: { from: number; bytes: ReturnType<typeof read> } | undefined;
    const ask = (from: number) => {
      const bytes = read(
        source,
        from,
        from < lastBegin ? Math.min(from + sliceSize, lastBegin) : size,
        dependencies,
      );
      // It may fail before it is waited for; who waits will hear of it.
      bytes.catch(() => {});
      return { from, bytes };
    };
    for (let failures = 0; progress.state === 'open'; ) {
      const { offset } = progress;
      // Drive makes the file when it has the last byte; here it has all of them, and there is nothing to send.
      if (offset >= size) throw new NotYet(`Drive has all bytes of ${source.name}, and no file of them yet`);
      const bytes = await (ahead?.from === offset ? ahead : ask(offset)).bytes;
      if (!bytes) {
        await cancelUpload(drive, session);
        return { state: 'changed' };
      }
      const end = offset + bytes.length;
      // Asked for while this one is sent, so that the line is never idle for long.
      ahead = end < size ? ask(end) : undefined;
      if (hash.at === offset) hash = { md5: hash.md5.update(bytes), at: end };
      // The last bytes make the file: is everything still what it was?
      const stopped = end === size ? await whyStopped() : undefined;
      if (stopped) {
        await cancelUpload(drive, session);
        return stopped;
      }
      try {
        progress = await sendPart(drive, session, bytes, { offset, size });
      } catch (error) {
        if (refusalOf(error) || isAnswered4xx(error)) throw error;
        if (++failures > mostFailures) throw error;
        progress = await uploadProgress(drive, session, size);
      }
      if (progress.state !== 'open') break;
      if (progress.offset > offset) failures = 0;
      else if (++failures > mostFailures)
        throw new NotYet(`the upload of ${source.name} stands still at ${offset}`);
      const time = now();
      if (time >= lookAt) {
        lookAt = time + lookEvery;
        if (await isCancelled()) {
          await cancelUpload(drive, session);
          return { state: 'cancelled' };
        }
      }
      const isLate = time >= deadline;
      if (isLate || time >= renewAt) {
        const until = new Date(isLate ? 0 : time + lease).toISOString();
        attempt = { ...attempt, sent: progress.offset, until };
        await keep(attempt);
        renewAt = time + lease * shareOfLease;
      }
      if (isLate) return { state: 'handed on' };
    }
    if (progress.state !== 'done') return { state: 'gone' };
    return {
      state: 'done',
      item: progress.item,
      ...(hash.at === size ? { md5: hash.md5.digest('hex') } : {}),
    };
  }

  async function whyStopped(): Promise<Brought | undefined> {
    if (await isCancelled()) return { state: 'cancelled' };
    const current = await sourceOf(dependencies.derived, source.name);
    const isSame = current?.generation === source.generation && (await isStill());
    return isSame ? undefined : { state: 'changed' };
  }
}

const isAnswered4xx = (error: unknown) => {
  const { status } = (error ?? {}) as { status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 408;
};
