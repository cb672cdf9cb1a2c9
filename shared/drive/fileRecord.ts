import * as z from 'zod';
import { RawObject } from '../storage/rawObject.ts';
import type { Records } from '../storage/records.ts';

/** What the bucket holds of one Drive file: without it, a rename, a move or a tombstone could not be understood. */
export const FileRecord = z.object({
  /** Names from the study folder down to the file or folder itself. */
  path: z.array(z.string()),
  isFolder: z.boolean().default(false),
  /** One for a file with bytes of its own, one for each export of a Google-native file, none for a folder. */
  objects: z.array(RawObject),
  /** When an object was last written. */
  syncedAt: z.iso.datetime().optional(),
  /** Why it is not what it should be; the same is kept where a person finds it. */
  attention: z.string().optional(),
  /** Its removal waits for somebody who agrees to it. */
  asks: z.boolean().optional(),
});
export type FileRecord = z.infer<typeof FileRecord>;

export const fileRecordName = (fileId: string) => `files/${fileId}.json`;

/** Where a folder is: by that, what lay in it is found when it is gone. */
export async function noteFolder(records: Records, fileId: string, path: string[]): Promise<void> {
  await records.update(fileRecordName(fileId), FileRecord, (before) =>
    before?.isFolder && JSON.stringify(before.path) === JSON.stringify(path)
      ? undefined
      : { path, isFolder: true, objects: [] },
  );
}

/** A file that a person should know of: it was skipped, or its removal waits for somebody who agrees to it. */
export const Attention = z.object({
  kind: z.enum(['skipped', 'held']),
  fileId: z.string(),
  path: z.array(z.string()),
  reason: z.string(),
  since: z.iso.datetime(),
});
export type Attention = z.infer<typeof Attention>;

const attentionFolder = 'attention/';
const attentionName = (fileId: string) => `${attentionFolder}${fileId}.json`;

export async function callAttention(records: Records, attention: Attention): Promise<void> {
  await records.update(attentionName(attention.fileId), Attention, (before) =>
    before?.kind === attention.kind && before.reason === attention.reason ? undefined : attention,
  );
}

export async function endAttention(records: Records, fileId: string): Promise<void> {
  await records.remove(attentionName(fileId));
}

const readAtATime = 20;

export async function* listAttention(records: Records): AsyncIterable<Attention> {
  const read = async (names: string[]) =>
    (await Promise.all(names.map((name) => records.read(name, Attention)))).flatMap(
      (one) => one?.value ?? [],
    );
  let names: string[] = [];
  for await (const name of records.list(attentionFolder)) {
    names.push(name);
    if (names.length < readAtATime) continue;
    yield* await read(names);
    names = [];
  }
  yield* await read(names);
}
