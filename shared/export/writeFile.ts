import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { statusOf } from '../drive/driveFile.ts';
import { refusalOf } from '../drive/refusal.ts';
import { NotYet } from '../once.ts';
import type { Records } from '../storage/records.ts';
import { type BringDependencies, type Brought, bring } from './bring.ts';
import { isCancelled } from './cancelExport.ts';
import { type DriveItem, getItem, propertiesOf } from './driveItem.ts';
import type { FileWrite } from './driveUpload.ts';
import type { Attempt, ExportedFile } from './exportedFile.ts';
import type { ExportRun } from './exportRun.ts';
import { isIdInUse, type NextId, withId } from './fileIds.ts';
import type { Folders } from './folders.ts';
import type { Held } from './held.ts';
import { isUntouched, type Place } from './place.ts';
import type { Source } from './source.ts';

/** What arrives is never what was sent. */
export class NotTaken extends Error {
  override name = 'NotTaken';
}

export type WriteFileDependencies = BringDependencies & {
  records: Records;
  folders: Folders;
  nextId: NextId;
};

const mostMismatches = 3;
const letGo = { until: new Date(0).toISOString() };

/** Makes or updates the file, and writes down that it did. `again`: something is not what it was. */
export async function writeFile(
  source: Source,
  place: Extract<Place, { do: 'create' | 'update' }>,
  run: ExportRun,
  file: Held,
  dependencies: WriteFileDependencies,
): Promise<'done' | 'again' | 'handed on' | 'cancelled'> {
  const brought = await bringTo(source, place, run, file, dependencies);
  if (brought.state === 'handed on') return 'handed on';
  if (brought.state === 'changed' || brought.state === 'cancelled') {
    await file.writeAttempt({ ...letGo, session: undefined });
    return brought.state === 'cancelled' ? 'cancelled' : 'again';
  }
  const { item } = brought;
  const written = writtenOf(item, source, run);
  if (!isRight(brought, source)) {
    const mismatches = (file.value.attempt?.mismatches ?? 0) + 1;
    // It is ours all the same: the next time it is written to.
    const attempt = { ...(file.value.attempt as Attempt), ...letGo, session: undefined, mismatches };
    await file.write({ fileId: item.id, written, attempt });
    if (mismatches < mostMismatches) return 'again';
    throw new NotTaken(`other bytes arrive in Drive than were sent, and that ${mismatches} times`);
  }
  if (item.trashed) {
    dependencies.folders.forget();
    throw new NotYet(`the folder of ${source.name} went into the trash`);
  }
  await file.write({ fileId: item.id, written, attempt: undefined });
  return 'done';
}

export const writtenOf = (
  { md5Checksum = '', name }: DriveItem,
  { generation }: Source,
  { id }: ExportRun,
): NonNullable<ExportedFile['written']> => ({ generation, md5: md5Checksum, name, export: id });

async function bringTo(
  source: Source,
  place: Extract<Place, { do: 'create' | 'update' }>,
  { id }: ExportRun,
  file: Held,
  dependencies: WriteFileDependencies,
): Promise<Brought> {
  const { fileId, parent } = file.value;
  const { contentType, modifiedTime } = source;
  const common: drive_v3.Schema$File = {
    mimeType: contentType,
    modifiedTime,
    // A property that is `null` goes away, which the type does not know.
    appProperties: propertiesOf(source) as Record<string, string>,
  };
  const before = { ...file.value };
  const send = (write: FileWrite) =>
    bring(
      { source, write, attempt: file.value.attempt as Attempt },
      {
        keep: (attempt) => file.write({ attempt }),
        isStill: async () =>
          place.do === 'create' || isStill(await getItem(dependencies.drive, fileId), before),
        isCancelled: () => isCancelled(dependencies.records, id),
      },
      dependencies,
    );
  try {
    if (place.do === 'update') return await send({ update: fileId, metadata: common, contentType });
    return await withId(fileId, async (id) => {
      // What was begun with an id that is not taken cannot be ended.
      if (!id.id) await file.writeAttempt({ session: undefined });
      return send({ metadata: { ...common, ...id, name: place.name, parents: [parent] }, contentType });
    });
  } catch (error) {
    // An earlier attempt made it, and nobody heard of it; or somebody removed it.
    const isOther = place.do === 'create' ? isIdInUse(error) : statusOf(error) === 404;
    if (isOther) return { state: 'changed' };
    if (place.do === 'update' && refusalOf(error)?.reason === 'insufficientFilePermissions')
      throw new NotTaken('it was exported before, and may not be changed any more', { cause: error });
    throw error;
  }
}

const isStill = (item: DriveItem | undefined, before: ExportedFile) =>
  item !== undefined && !item.trashed && isUntouched(item, before);

/** The same bytes on both sides. Of a composed object that was sent in several goes, only the size is known. */
function isRight({ item, md5 }: Extract<Brought, { state: 'done' }>, source: Source): boolean {
  if (Number(item.size) !== source.size) return false;
  const known = [source.md5, md5].filter(Boolean);
  return known.every((one) => one === item.md5Checksum);
}
