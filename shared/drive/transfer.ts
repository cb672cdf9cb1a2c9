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
const Transfer = z.object({
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
type Transfer = z.infer<typeof Transfer>;

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

/** So many ranges are read ahead of the one that is sent: together they are what a transfer holds in memory. */
const readAhead = 2;
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
  const recordName = `transfers/${file.id}.json`;
  const { createMD5 } = (await import('hash-wasm')).default;

  const claimed = await claim();
  if (claimed === 'conflict') return { state: 'conflict' };
  let { value, generation } = claimed;
  const start = await progressOf(storage, value.session, size);
  if (start.state !== 'open') return end(start);

  const md5 = await createMD5();
  md5.init();
  // What the session does not have any more has to come again, though it was hashed once.
  const { checkpoint } = value;
  const hashed = checkpoint.offset <= start.offset ? checkpoint.offset : 0;
  if (hashed > 0) md5.load(Buffer.from(checkpoint.hash, 'base64'));

  let sent = start.offset;
  let noted = now();
  try {
    for await (const { offset, bytes } of slicesFrom(hashed)) {
      md5.update(bytes);
      const next = offset + bytes.length;
      if (next === size) {
        const verdict = await lookAgain(md5.digest());
        if (verdict) return verdict;
      }
      const progress = await send(bytes, offset);
      if (progress.state !== 'open') return end(progress);
      if (next === size) break;
      const isOver = now() >= deadline;
      if (isOver || now() - noted >= checkpointEvery) {
        const hash = Buffer.from(md5.save()).toString('base64');
        await note({ ...value, until: date(isOver ? 0 : lease), checkpoint: { offset: next, hash } });
        noted = now();
      }
      if (isOver) return { state: 'handed on' };
    }
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

  async function claim(): Promise<{ value: Transfer; generation: string } | 'conflict'> {
    const known = await records.read(recordName, Transfer);
    const isSame =
      known?.value.md5 === file.md5Checksum &&
      known?.value.name === object.name &&
      known?.value.replaces === replaces;
    if (known && isSame) {
      if (Date.parse(known.value.until) > now())
        throw new NotYet(`${object.name} is being brought elsewhere`);
      return take({ ...known.value, until: date(lease) }, known.generation);
    }
    const session = await openSession(raw, object, replaces, size);
    if (!session) return 'conflict';
    const fresh = { session, name: object.name, replaces, md5: file.md5Checksum ?? '', until: date(lease) };
    const beginning = { ...fresh, checkpoint: { offset: 0, hash: '' }, mismatches: 0 };
    try {
      return await take(beginning, known?.generation ?? '0');
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
    await records.remove(recordName, generation);
    if (progress.state === 'done') return { state: 'done', object: progress.object };
    if (progress.state === 'conflict') return { state: 'conflict' };
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
  async function send(bytes: Buffer, offset: number): Promise<Progress> {
    const next = offset + bytes.length;
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

  /** The bytes from `offset` on, in order, a few slices read ahead. */
  async function* slicesFrom(offset: number): AsyncIterable<{ offset: number; bytes: Buffer }> {
    const { drive, sliceSize } = dependencies;
    const ahead: { offset: number; bytes: Promise<Buffer> }[] = [];
    for (let start = offset; start < size || ahead.length > 0; ) {
      while (start < size && ahead.length <= readAhead) {
        const end = Math.min(start + sliceSize, size);
        const bytes = readRange(drive, file, start, end);
        // It may fail while nobody waits for it yet; who waits will hear of it.
        bytes.catch(() => {});
        ahead.push({ offset: start, bytes });
        start = end;
      }
      const first = ahead.shift();
      if (first) yield { offset: first.offset, bytes: await first.bytes };
    }
  }

  function date(ms: number): string {
    return new Date(now() + ms).toISOString();
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
