import { setImmediate } from 'node:timers/promises';
import type { Bucket, Storage } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { NotYet } from '../once.ts';
import type { ObjectDescription, RawObject } from '../storage/rawObject.ts';
import type { Records } from '../storage/records.ts';
import { cancelSession, openSession, type Progress, progressOf, sendSlice } from '../storage/session.ts';
import { NotGiven, readRange, WrongBytes } from './content.ts';
import { type DriveFile, getFile } from './driveFile.ts';

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
  /** The MD5 of the bytes before `offset`, unfinished, in base64. */
  checkpoint: z.object({ offset: z.number(), hash: z.string() }),
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
  /** How long a claim on the transfer holds, and how often it is renewed; milliseconds. */
  lease: number;
  checkpointEvery: number;
};

export type Transferred =
  | { state: 'done'; object: RawObject }
  | { state: 'conflict' }
  /** The time is over; a fresh invocation goes on from here. */
  | { state: 'handed on' }
  /** The file is not what it was; what came of it is thrown away unseen. */
  | { state: 'changed' };

type Slice = {
  offset: number;
  /** Where the next one begins. */
  next: number;
  bytes: Buffer;
  /** What `bytes` is the beginning of. */
  buffer: Buffer;
  /** The MD5 of everything before `next`, unfinished. */
  hash: Buffer;
};

/** So many ranges are read ahead of the one that is sent: together they are what a transfer holds in memory. */
const readAhead = 1;
/** Bytes; a hundredth of a second's work. */
const hashedAtATime = 1024 * 1024;
const mostMismatches = 3;
const mostFailures = 5;

/**
 * Brings a file of any size through one resumable session: ranges are read side by side and sent in order. The session
 * was told the generation to be replaced, the length and Drive's MD5 at its beginning, so nothing is there to be seen
 * until all of it is right. What a killed process leaves is the session, which knows its offset, and a checkpoint of the
 * MD5, from which the next one goes on.
 * @throws NotYet if somebody else is at it
 * @throws NotGiven if the bytes are not those of Drive's MD5, time and again
 */
export async function transfer(
  file: DriveFile,
  object: ObjectDescription,
  replaces: string,
  dependencies: TransferDependencies,
): Promise<Transferred> {
  const { raw, records, now, lease, checkpointEvery, deadline } = dependencies;
  const { storage } = raw;
  const size = Number(file.size);
  const recordName = `${transferFolder}${file.id}.json`;
  const { createMD5 } = (await import('hash-wasm')).default;

  const claimed = await claim();
  if (claimed === 'conflict') return { state: 'conflict' };
  let { value, generation } = claimed;
  const { start } = claimed;
  if (start.state !== 'open') return end(start);

  const md5 = await createMD5();
  md5.init();
  // What the session does not have any more has to come again, though it was hashed once.
  const { checkpoint } = value;
  const hashed = checkpoint.offset <= start.offset ? checkpoint.offset : 0;
  if (hashed > 0) md5.load(Buffer.from(checkpoint.hash, 'base64'));

  let sent = start.offset;
  let noted = now();
  /** Buffers that have been sent, to be filled again: new ones would keep the garbage collector busy. */
  const free: Buffer[] = [];
  let before: { slice: Slice; sending: Promise<Progress> } | undefined;
  try {
    // While one slice is sent, the next one is hashed and others are read.
    for await (const slice of hashedSlices(hashed)) {
      const early = await settleBefore();
      if (early) return early;
      const isLast = slice.next === size;
      const verdict = isLast ? await lookAgain(md5.digest()) : undefined;
      if (verdict) return verdict;
      before = { slice, sending: send(slice) };
      // It may fail while nobody waits for it yet; who waits will hear of it.
      before.sending.catch(() => {});
    }
    const last = await settleBefore();
    if (last) return last;
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
  // The server had all of it and did not say so.
  return end(await progressOf(storage, value.session, size));

  /** Waits until the slice before is safe, and puts down how far it is; something to return if it ends here. */
  async function settleBefore(): Promise<Transferred | undefined> {
    if (!before) return undefined;
    const { slice, sending } = before;
    const progress = await sending;
    if (progress.state !== 'open') return end(progress);
    free.push(slice.buffer);
    if (slice.next === size) return undefined;
    const isOver = now() >= deadline;
    if (isOver || now() - noted >= checkpointEvery) {
      const checkpoint = { offset: slice.next, hash: slice.hash.toString('base64') };
      await note({ ...value, until: date(isOver ? 0 : lease), checkpoint });
      noted = now();
    }
    return isOver ? { state: 'handed on' } : undefined;
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
      if (start.state !== 'gone')
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
      checkpoint: { offset: 0, hash: '' },
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

  async function note(changed: Transfer): Promise<void> {
    ({ value, generation } = await take(changed, generation));
  }

  async function end(progress: Progress): Promise<Transferred> {
    if (progress.state === 'done' || progress.state === 'conflict') {
      await records.remove(recordName, generation);
      return progress;
    }
    throw new NotYet(`the upload of ${object.name} ended without an object and begins anew`);
  }

  /** Before the last slice makes the object: is it still the file that it should be, and are these its bytes? */
  async function lookAgain(digest: string): Promise<Transferred | undefined> {
    const current = await getFile(dependencies.drive, file.id);
    if (current?.md5Checksum !== file.md5Checksum || current?.headRevisionId !== file.headRevisionId) {
      await cancelSession(storage, value.session);
      await records.remove(recordName, generation);
      return { state: 'changed' };
    }
    if (digest === file.md5Checksum) return undefined;
    // Nothing tells which of the bytes are wrong: all of them come again.
    await cancelSession(storage, value.session);
    throw new WrongBytes(`the bytes that came have the MD5 ${digest}, Drive says ${file.md5Checksum}`);
  }

  /** Sends what the session does not have yet of a slice, again where it kept only part of it. */
  async function send({ bytes, offset, next }: Slice): Promise<Progress> {
    let progress: Progress = { state: 'open', offset: sent };
    for (let failures = 0; progress.state === 'open' && sent < next; ) {
      const rest = bytes.subarray(sent - offset);
      const before = sent;
      try {
        progress = await sendSlice(storage, value.session, rest, sent, next === size ? size : undefined);
      } catch (error) {
        if (++failures > mostFailures) throw error;
        progress = await progressOf(storage, value.session, size);
      }
      if (progress.state !== 'open') break;
      sent = progress.offset;
      if (sent < offset) throw new NotYet(`the upload of ${object.name} has lost bytes and goes back`);
      if (sent > before) failures = 0;
      else if (++failures > mostFailures)
        throw new Error(`the upload of ${object.name} stands still at ${sent} bytes`);
    }
    return progress;
  }

  /** The slices from `offset` on, in order, with the MD5 up to the end of each. */
  async function* hashedSlices(offset: number): AsyncIterable<Slice> {
    for await (const { start, buffer, bytes } of slicesFrom(offset)) {
      for (let from = 0; from < bytes.length; from += hashedAtATime) {
        md5.update(bytes.subarray(from, from + hashedAtATime));
        // The slice that is being sent needs its turns.
        await setImmediate();
      }
      yield { offset: start, next: start + bytes.length, buffer, bytes, hash: Buffer.from(md5.save()) };
    }
  }

  /** The bytes from `offset` on, in order, a few slices read ahead. */
  async function* slicesFrom(offset: number) {
    const { drive, sliceSize } = dependencies;
    const ahead: { start: number; buffer: Buffer; bytes: Promise<Buffer> }[] = [];
    for (let start = offset; start < size || ahead.length > 0; ) {
      while (start < size && ahead.length <= readAhead) {
        const end = Math.min(start + sliceSize, size);
        const buffer = free.pop() ?? Buffer.allocUnsafeSlow(sliceSize);
        const bytes = readRange(drive, file, start, end, buffer);
        bytes.catch(() => {});
        ahead.push({ start, buffer, bytes });
        start = end;
      }
      const first = ahead.shift();
      if (first) yield { ...first, bytes: await first.bytes };
    }
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

/** Brings what has no size and no ranges, like an export: in slices as well, but in one go. */
export async function pour(
  raw: Bucket,
  object: ObjectDescription,
  replaces: string,
  slices: AsyncIterable<Buffer>,
): Promise<RawObject | undefined> {
  const session = await openSession(raw, object, replaces);
  if (!session) return undefined;
  const { storage }: { storage: Storage } = raw;
  try {
    let offset = 0;
    let waiting: Buffer | undefined;
    for await (const bytes of slices) {
      if (waiting) offset = await sendAll(storage, session, waiting, offset);
      waiting = bytes;
    }
    const rest = waiting ?? Buffer.alloc(0);
    const progress = await sendSlice(storage, session, rest, offset, offset + rest.length);
    if (progress.state === 'conflict') return undefined;
    if (progress.state === 'done') return progress.object;
    throw new NotYet(`the upload of ${object.name} was not finished`);
  } catch (error) {
    await cancelSession(storage, session);
    throw error;
  }
}

async function sendAll(storage: Storage, session: string, bytes: Buffer, offset: number): Promise<number> {
  const end = offset + bytes.length;
  for (let sent = offset; sent < end; ) {
    const progress = await sendSlice(storage, session, bytes.subarray(sent - offset), sent);
    if (progress.state !== 'open' || progress.offset <= sent)
      throw new NotYet('the upload of an export stopped and begins anew');
    sent = progress.offset;
  }
  return end;
}
