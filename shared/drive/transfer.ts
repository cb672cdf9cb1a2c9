import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { NotYet } from '../once.ts';
import { type ObjectDescription, type RawObject, retireObject } from '../storage/rawObject.ts';
import type { Records } from '../storage/records.ts';
import {
  cancelSession,
  openSession,
  type Progress,
  progressOf,
  quantum,
  sendRange,
  sendSlice,
} from '../storage/session.ts';
import { NotGiven, WrongBytes } from './content.ts';
import { type DriveFile, getFile } from './driveFile.ts';
import { openRange } from './openRange.ts';
import type { Passage } from './passage.ts';

/** How far the transfer of a large file has come. */
export const Transfer = z.object({
  /** The upload session. Whoever knows it can write the object: records are not for everybody's eyes. */
  session: z.string(),
  /** Hexadecimal; the revision of the file that is being brought. */
  md5: z.string(),
  name: z.string(),
  replaces: z.string(),
  /** Up to when somebody is at it. */
  until: z.iso.datetime(),
  /** How many bytes were there when this was written. For people: whoever goes on asks the session. */
  sent: z.number().default(0),
  /** How often the bytes that came were not those of the file's MD5. */
  mismatches: z.number(),
});
export type Transfer = z.infer<typeof Transfer>;

export const transferFolder = 'transfers/';

export type TransferDependencies = {
  drive: drive_v3.Drive;
  raw: Bucket;
  records: Records;
  now: () => number;
  /** When this invocation should hand the work on; milliseconds since 1970. */
  deadline: number;
  /** Bytes; a multiple of 256 KiB. */
  sliceSize: number;
  /** How long a claim on the transfer holds; milliseconds. */
  lease: number;
};

export type Transferred =
  | { state: 'done'; object: RawObject }
  | { state: 'conflict' }
  /** The time is over; a fresh invocation goes on from here. */
  | { state: 'handed on' }
  /** The file is not what it was; what came of it is thrown away unseen. */
  | { state: 'changed' };

/** It is not known how much of what was sent the session has. */
class NotSent extends Error {}

/** One request sends at most so many slices. The more, the less often the line is idle between two of them. */
const longestStretch = 16;
/** The part of its claim in which a request should have been answered. */
const shareOfLease = 1 / 10;
const mostMismatches = 3;
const mostFailures = 5;

/**
 * Brings a file of any size through one resumable session. A range of Drive's goes straight into a request of the
 * session, and the next one has been asked for meanwhile: nothing but what is on its way is in memory. The session was
 * told the generation to be replaced, the length and Drive's MD5 at its beginning, and the server compares all three:
 * nothing is there to be seen until all of it is right (https://cloud.google.com/storage/docs/data-validation). What a
 * killed process leaves is the session, which knows how far it is; the next one goes on from there.
 * @throws NotYet if somebody else is at it
 * @throws NotGiven if the bytes are not those of Drive's MD5, time and again
 */
export async function transfer(
  file: DriveFile,
  object: ObjectDescription,
  replaces: string,
  dependencies: TransferDependencies,
): Promise<Transferred> {
  const { drive, raw, records, now, sliceSize, lease, deadline } = dependencies;
  const { storage } = raw;
  const size = Number(file.size);
  const recordName = `${transferFolder}${file.id}.json`;

  const claimed = await claim();
  if (claimed === 'conflict') return { state: 'conflict' };
  let { value, generation } = claimed;
  let renewAt = now() + lease * shareOfLease;
  /** How many slices the next request sends. */
  let stretch = 1;
  try {
    return await sendAll(claimed.start);
  } catch (error) {
    const mismatches = value.mismatches + (error instanceof WrongBytes ? 1 : 0);
    if (mismatches >= mostMismatches) {
      await cancelSession(storage, value.session);
      await records.remove(recordName, generation);
      throw new NotGiven(`${(error as Error).message}, and that ${mismatches} times`, { cause: error });
    }
    // Let go at once, so that the next delivery need not wait for the claim to end.
    await records.write(recordName, { ...value, mismatches, until: date(0) }, generation).catch(() => {});
    throw error;
  }

  /** Sends from where the session is, and, when a request fails or is kept in part only, from where it then is. */
  async function sendAll(start: Progress): Promise<Transferred> {
    let progress = start;
    for (let failures = 0; progress.state === 'open'; ) {
      const before = progress.offset;
      let failure: unknown;
      try {
        const sent = await sendFrom(before);
        if (sent.state === 'handed on' || sent.state === 'changed') return sent;
        progress = sent;
      } catch (error) {
        if (!(error instanceof NotSent)) throw error;
        failure = error.cause;
        progress = await progressOf(storage, value.session, size);
      }
      if (progress.state !== 'open') break;
      failures = progress.offset > before ? 0 : failures + 1;
      if (failures > mostFailures)
        throw failure ?? new Error(`the upload of ${object.name} stands still at ${before} bytes`);
    }
    return end(progress);
  }

  /** Sends stretch after stretch from `offset` on, for as long as the session keeps just what is sent. */
  async function sendFrom(offset: number): Promise<Progress | Transferred> {
    // The last bytes make the object. So they go alone, when the file was looked at again after they were asked for.
    const lastBegin = Math.floor((size - 1) / quantum) * quantum;
    let ahead = open(offset, lastBegin);
    try {
      while (ahead) {
        const { from, to, passage } = ahead;
        // Asked for while this one is sent, so that the line is never idle for long.
        ahead = undefined;
        const opened = await passage;
        if (from >= lastBegin) {
          try {
            return (await lookAgain()) ?? (await send(opened, from, to));
          } finally {
            opened.close();
          }
        }
        ahead = open(to, lastBegin);
        const begun = now();
        const progress = await send(opened, from, to);
        if (progress.state !== 'open' || progress.offset !== to) return progress;
        const time = now();
        const isOver = time >= deadline;
        if (isOver || time >= renewAt) await renew(to, isOver ? 0 : lease);
        if (isOver) return { state: 'handed on' };
        const share = (time - begun) / lease;
        if (share < shareOfLease) stretch = Math.min(2 * stretch, longestStretch);
        else if (share > 2 * shareOfLease) stretch = Math.max(1, stretch / 2);
      }
    } finally {
      // What was asked for ahead is not wanted any more.
      ahead?.passage.then((passage) => passage.close()).catch(() => {});
    }
    // All are there, and nothing came of them yet.
    return (await lookAgain()) ?? sendSlice(storage, value.session, Buffer.alloc(0), size, size);
  }

  /** Asks for what the next request will send. */
  function open(from: number, lastBegin: number) {
    if (from >= size) return undefined;
    const to = from < lastBegin ? Math.min(from + stretch * sliceSize, lastBegin) : size;
    const passage = openRange(drive, file, from, to);
    // It may fail before it is waited for; who waits will hear of it.
    passage.catch(() => {});
    return { from, to, passage };
  }

  /** @throws NotSent if it is to be asked how much of it the session has; WrongBytes if that is what came */
  async function send(passage: Passage, from: number, to: number): Promise<Progress> {
    try {
      return await sendRange(storage, value.session, passage.send, from, to, to === size);
    } catch (error) {
      const { cause } = error as Error;
      throw cause instanceof WrongBytes ? cause : new NotSent('', { cause: error });
    }
  }

  async function claim(): Promise<{ value: Transfer; generation: string; start: Progress } | 'conflict'> {
    const known = await records.read(recordName, Transfer);
    const isSame =
      known?.value.md5 === file.md5Checksum &&
      known?.value.name === object.name &&
      known?.value.replaces === replaces;
    if (known && isSame) {
      if (Date.parse(known.value.until) > now())
        throw new NotYet(`${object.name} is being brought elsewhere`);
      const start = await progressOf(storage, known.value.session, size);
      if (start.state !== 'gone' && !isOther(start))
        return { ...(await take({ ...known.value, until: date(lease) }, known.generation)), start };
    }
    const session = await openSession(raw, object, replaces, size);
    if (!session) return 'conflict';
    const fresh: Transfer = {
      session,
      name: object.name,
      replaces,
      md5: file.md5Checksum ?? '',
      until: date(lease),
      sent: 0,
      mismatches: isSame ? (known?.value.mismatches ?? 0) : 0,
    };
    try {
      return { ...(await take(fresh, known?.generation ?? '0')), start: { state: 'open', offset: 0 } };
    } catch (error) {
      await cancelSession(storage, session);
      throw error;
    } finally {
      // Whoever is at the old revision finds the session gone.
      if (known) await cancelSession(storage, known.value.session);
    }
  }

  async function take(value: Transfer, before: string) {
    const generation = await records.write(recordName, value, before);
    if (!generation) throw new NotYet(`${object.name} is being brought elsewhere`);
    return { value, generation };
  }

  async function renew(sent: number, ms: number): Promise<void> {
    ({ value, generation } = await take({ ...value, sent, until: date(ms) }, generation));
    renewAt = now() + lease * shareOfLease;
  }

  async function end(progress: Progress): Promise<Transferred> {
    if (progress.state === 'refused') {
      // Nothing tells which of the bytes are wrong: all of them come again.
      await cancelSession(storage, value.session);
      throw new WrongBytes(`the bytes that came are not those of the MD5 ${file.md5Checksum}`);
    }
    if (progress.state === 'done' && isOther(progress)) {
      await retireObject(raw, progress.object);
      throw new WrongBytes(`the object has the MD5 ${progress.object.md5}, the file ${file.md5Checksum}`);
    }
    if (progress.state === 'done' || progress.state === 'conflict') {
      await records.remove(recordName, generation);
      return progress;
    }
    throw new NotYet(`the upload of ${object.name} ended without an object and begins anew`);
  }

  function isOther(progress: Progress): boolean {
    return progress.state === 'done' && progress.object.md5 !== file.md5Checksum;
  }

  /** Before the last bytes make the object: is it still the file that it should be? */
  async function lookAgain(): Promise<Transferred | undefined> {
    const current = await getFile(drive, file.id);
    const told = ({ md5Checksum, headRevisionId, name, parents, trashed }: DriveFile) =>
      JSON.stringify([md5Checksum, headRevisionId, name, parents, trashed]);
    if (current && told(current) === told(file)) return undefined;
    await cancelSession(storage, value.session);
    await records.remove(recordName, generation);
    return { state: 'changed' };
  }

  function date(ms: number): string {
    return new Date(now() + ms).toISOString();
  }
}

/** A transfer that nobody has gone on with for so long is given up: its file was changed or removed half-way. */
const abandonedAfter = 24 * 60 * 60 * 1000;

export async function endAbandonedTransfers(
  records: Records,
  { storage }: Bucket,
  now: number,
): Promise<void> {
  for await (const name of records.list(transferFolder)) {
    const transfer = await records.read(name, Transfer);
    if (!transfer || Date.parse(transfer.value.until) > now - abandonedAfter) continue;
    await cancelSession(storage, transfer.value.session);
    await records.remove(name, transfer.generation);
  }
}
