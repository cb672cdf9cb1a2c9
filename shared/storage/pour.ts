import type { Bucket, Storage } from '@google-cloud/storage';
import { NotYet } from '../once.ts';
import type { ObjectDescription, RawObject } from './rawObject.ts';
import { cancelSession, openSession, sendSlice } from './session.ts';

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
