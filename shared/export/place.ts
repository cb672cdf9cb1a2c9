import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { type DriveItem, getItem, isFolder, itemsCalled, objectKey } from './driveItem.ts';
import type { ExportedFile } from './exportedFile.ts';
import type { Source } from './source.ts';

export type Place =
  | { do: 'nothing'; item: DriveItem; name: string; because?: string | undefined }
  | { do: 'update'; item: DriveItem; name: string; because?: string | undefined }
  /** With the id that was chosen for it before, if there is one. */
  | { do: 'create'; fileId?: string; name: string; because?: string | undefined }
  | { do: 'give up'; because: string };

export type Wanted = { parent: string; name: string; sharedDrive: string };

/** So many names are tried beside what is not ours. */
const mostNames = 20;

/**
 * Where the bytes of an object go. What we did not write, or somebody has changed since, is never written to: then the
 * object goes beside it, under a name that says so. What was renamed, moved or put into the trash counts as gone.
 *
 * Drive knows no precondition, so what is changed by hand between this look and the last byte is overwritten; Drive keeps
 * it as a revision. For large files it is looked at again before the last bytes.
 */
export async function placeOf(
  source: Source,
  wanted: Wanted,
  known: ExportedFile | undefined,
  drive: drive_v3.Drive,
): Promise<Place> {
  let because: string | undefined;
  let reserved: string | undefined;
  if (known?.parent === wanted.parent) {
    const item = await getItem(drive, known.fileId);
    if (item && isInPlace(item, known)) {
      const found = { item, name: known.name, because: known.because };
      if (isSame(item, source, known)) return { do: 'nothing', ...found };
      if (isUntouched(item, known)) return { do: 'update', ...found };
      because = changed;
    } else if (!item && !known.written) reserved = known.fileId;
  }
  for (let number = 0; number < mostNames; number++) {
    const name = besideName(wanted.name, number);
    const items = await itemsCalled(drive, { ...wanted, name });
    const [first] = items;
    const reason = number > 0 ? { because } : {};
    if (!first) return { do: 'create', name, ...reason, ...(reserved ? { fileId: reserved } : {}) };
    const same = items.find((item) => isSame(item, source));
    if (same) return { do: 'nothing', item: same, name, ...reason };
    // Ours, though the record of it is lost.
    const ours = items.find((item) => isOf(item, source));
    if (ours && isUntouched(ours)) return { do: 'update', item: ours, name, ...reason };
    because ??= ours
      ? changed
      : isFolder(first)
        ? 'a folder has its name'
        : 'a file that is not its export has its name';
  }
  return { do: 'give up', because: `${because}, and ${mostNames - 1} other names are taken as well` };
}

const changed = 'it was changed by hand since it was exported';

const isInPlace = (item: DriveItem, { parent, name, written }: ExportedFile) =>
  !item.trashed && item.parents?.[0] === parent && item.name === (written?.name ?? name);

const isOf = ({ appProperties }: DriveItem, { bucket, name }: Source) =>
  appProperties?.gazelineObject === objectKey(bucket, name);

function isSame(item: DriveItem, { md5, generation }: Source, known?: ExportedFile): boolean {
  if (md5) return item.md5Checksum === md5;
  // Nothing but its generation tells what a composed object holds.
  const { written } = known ?? {};
  return written?.generation === generation && written.md5 === item.md5Checksum;
}

/** Whether a file of ours still holds what we wrote. What we left on it came with its bytes, in one request. */
export function isUntouched({ md5Checksum, appProperties }: DriveItem, known?: ExportedFile): boolean {
  const ours = [appProperties?.gazelineMd5, known?.written?.md5, known?.attempt?.md5];
  return Boolean(md5Checksum) && ours.includes(md5Checksum);
}

/** `fixations.csv`, `fixations (gazeline).csv`, `fixations (gazeline 2).csv`. */
export function besideName(name: string, number: number): string {
  if (number === 0) return name;
  const extension = /(?!^)\.[a-z\d]{1,16}(?:\.(?:gz|bz2|xz|zst))?$/i.exec(name)?.[0] ?? '';
  const stem = name.slice(0, name.length - extension.length);
  return `${stem} (gazeline${number === 1 ? '' : ` ${number}`})${extension}`;
}
