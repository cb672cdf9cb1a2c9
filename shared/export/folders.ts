import { createHash } from 'node:crypto';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { folderType } from '../drive/driveFile.ts';
import { fresh } from '../fresh.ts';
import { NotYet, once } from '../once.ts';
import type { Records } from '../storage/records.ts';
import { getItem, isFolder, itemsCalled } from './driveItem.ts';
import { isIdInUse, type NextId, withId } from './fileIds.ts';
import { ExportRefused, type Target } from './target.ts';

/** The folder of one name in one other. Written before it is made: whoever comes after a crash makes no second one. */
const FolderRecord = z.object({
  id: z.string(),
  /** As Drive calls it; absent as long as it may not have been made. */
  name: z.string().optional(),
});
type FolderRecord = z.infer<typeof FolderRecord>;

export type FoldersDependencies = {
  drive: drive_v3.Drive;
  records: Records;
  nextId: NextId;
  studyFolder: string;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  /** How long a claim on making a folder holds; milliseconds. */
  lease: number;
};

export type Folders = {
  /** The id of the folder at `path` in the target; what is missing is made. */
  at(target: Target, path: string[]): Promise<string>;
  /** It may not be there any more. */
  forget(): void;
};

/** For so long a folder that was there is taken to be there; milliseconds. */
const lifetime = 20_000;
const tries = 6;
const pause = 300;

/** Drive lets folders have the same name, so all deliveries of all instances have to agree on one. */
export function folders(dependencies: FoldersDependencies): Folders {
  const found = fresh((key) => folderCalled(JSON.parse(key) as Wanted, dependencies), {
    lifetime,
    now: dependencies.now,
  });
  return {
    async at({ id, sharedDrive }, path) {
      let parent = id;
      for (const name of path) parent = await found.read(JSON.stringify({ name, parent, sharedDrive }));
      return parent;
    },
    forget: found.forget,
  };
}
type Wanted = { name: string; parent: string; sharedDrive: string };

async function folderCalled(wanted: Wanted, dependencies: FoldersDependencies): Promise<string> {
  const { records, wait, now, lease, studyFolder } = dependencies;
  const hash = createHash('sha256').update(wanted.name.toWellFormed()).digest('hex').slice(0, 32);
  const record = `exported/${wanted.parent}/folders/${hash}.json`;
  const outcome = async () => {
    const before = (await records.read(record, FolderRecord))?.value;
    return before?.name !== undefined && (await isThere(before, wanted, dependencies))
      ? before.id
      : undefined;
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const id = await once(
        records,
        `export-folder/${wanted.parent}/${hash}`,
        outcome,
        () => make(wanted, record, dependencies),
        { lease, now },
      );
      if (id === studyFolder)
        throw new ExportRefused(
          'The study folder lies in this folder, where a folder of the export should be.',
        );
      return id;
    } catch (error) {
      // Somebody else is making it, which takes a moment.
      if (!(error instanceof NotYet) || attempt === tries) throw error;
      await wait(attempt * pause);
    }
  }
}

async function isThere(
  { id, name }: FolderRecord,
  { parent }: Wanted,
  { drive }: FoldersDependencies,
): Promise<boolean> {
  const item = await getItem(drive, id);
  return Boolean(
    item && isFolder(item) && !item.trashed && item.parents?.[0] === parent && item.name === name,
  );
}

async function make(wanted: Wanted, record: string, dependencies: FoldersDependencies): Promise<string> {
  const { drive, records, nextId } = dependencies;
  const before = await records.read(record, FolderRecord);
  const reserved = before && before.value.name === undefined ? before.value.id : undefined;
  const made = reserved ? await getItem(drive, reserved) : undefined;
  const isUsedUp = made && !(await isThere(made, wanted, dependencies));
  // Somebody may have made one; or it was made, and the answer and the record were lost.
  const there = (isUsedUp ? undefined : made) ?? (await itemsCalled(drive, wanted)).find(isFolder);
  if (there) return keep({ id: there.id, name: there.name }, before?.generation ?? '0');

  const id = (isUsedUp ? undefined : reserved) ?? (await nextId());
  const generation = await write({ id }, before?.generation ?? '0');
  const answer = await withId(id, async (own) => {
    try {
      const { data } = await drive.files.create({
        requestBody: { ...own, name: wanted.name, parents: [wanted.parent], mimeType: folderType },
        fields: 'id,name',
        supportsAllDrives: true,
      });
      return { id: String(data.id), name: String(data.name) };
    } catch (error) {
      if (isIdInUse(error)) return getItem(drive, id);
      throw error;
    }
  });
  if (answer) return keep({ id: answer.id, name: answer.name }, generation);
  // The id was used, and what it was used for is gone.
  await records.remove(record, generation);
  throw new NotYet(`the folder ${id} was removed while it was made`);

  async function keep(value: FolderRecord, generation: string): Promise<string> {
    await write(value, generation);
    return value.id;
  }

  async function write(value: FolderRecord, generation: string): Promise<string> {
    const written = await records.write(record, value, generation);
    if (!written) throw new NotYet(`the folder ${value.id} is being made elsewhere`);
    return written;
  }
}
