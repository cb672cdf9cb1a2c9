import { folderType } from './names.ts';
import type { FileRow } from './table.ts';
import { newDriveId, newId } from './tree.ts';
import type { Entry, Walk } from './walk.ts';

export type Matched = {
  entry: Entry;
  /** The id of the folder that it lies in; `null` for a shared drive. */
  parent: string | null;
  id: string;
  /** What was known of it; `undefined` if it is new. */
  row: FileRow | undefined;
};

/**
 * Which row is which file: the same inode is the same item wherever it lies now, and another inode in the same place
 * is an edit by a program that writes a new file and renames it over the old one.
 *
 * @param rows of everything that should be on disk, and of what is in the trash, without the study folder
 * @returns everything found, folders before what is in them, and the rows of what was not found
 */
export function match(
  { entries, unreadable }: Walk,
  rows: FileRow[],
  { study, drive, sharedDrives }: { study: string; drive: string; sharedDrives: string },
): { matched: Matched[]; gone: FileRow[] } {
  const byIdentity = Map.groupBy(rows, keyOf);
  const byPlace = new Map(rows.filter(({ trashed }) => !trashed).map((row) => [placeOf(row), row]));
  const ids = new Map<Entry, string | null>();
  const taken = new Set<FileRow>();
  const matched: Matched[] = [];
  const found = entries.filter(({ parent }) => parent);
  const seen = new Set(found.map(keyOfEntry));

  for (const entry of entries.filter(({ parent }) => !parent)) {
    if (entry.path === drive) ids.set(entry, study);
    if (entry.path === sharedDrives) ids.set(entry, null);
  }

  const take = (entry: Entry, row: FileRow | undefined) => {
    const parent = parentOf(entry);
    const id = row?.id ?? (parent === null ? newDriveId() : newId());
    if (row) taken.add(row);
    if (entry.isFolder) ids.set(entry, id);
    matched.push({ entry, parent, id, row });
  };
  const parentOf = (entry: Entry) => (entry.parent && ids.get(entry.parent)) ?? null;
  const isFree = (row: FileRow | undefined): row is FileRow => row !== undefined && !taken.has(row);
  const inPlace = (entry: Entry) => byPlace.get(`${parentOf(entry) ?? ''}/${entry.disk}`);

  for (const entry of found.filter(({ isFolder }) => isFolder)) {
    const isDrive = parentOf(entry) === null;
    const same = byIdentity
      .get(keyOfEntry(entry))
      ?.find((row) => isFree(row) && (row.parent === null) === isDrive);
    const replaced = inPlace(entry);
    const isReplaced = isFree(replaced) && replaced.mimeType === folderType && !seen.has(keyOf(replaced));
    take(entry, same ?? (isReplaced ? replaced : undefined));
  }

  // A hard link is one inode in two places, so what lies where it lay comes first.
  let rest = found.filter((entry) => !entry.isFolder && parentOf(entry) !== null);
  const takeWhere = (candidate: (entry: Entry) => FileRow | undefined) => {
    rest = rest.filter((entry) => {
      const row = candidate(entry);
      if (!isFree(row) || row.mimeType === folderType) return true;
      take(entry, row);
      return false;
    });
  };
  takeWhere((entry) => {
    const row = inPlace(entry);
    return row && keyOf(row) === keyOfEntry(entry) ? row : undefined;
  });
  takeWhere((entry) => byIdentity.get(keyOfEntry(entry))?.find(isFree));
  takeWhere(inPlace);
  for (const entry of rest) take(entry, undefined);

  const paths = new Map([...ids].map(([entry, id]) => [id, entry.path]));
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const isKept = (row: FileRow): boolean => {
    const folder = paths.get(row.parent);
    if (folder !== undefined) return unreadable.has(folder) || unreadable.has(`${folder}/${row.disk}`);
    const parent = rowOf.get(row.parent ?? '');
    return parent !== undefined && isKept(parent);
  };
  return { matched, gone: rows.filter((row) => !row.trashed && isFree(row) && !isKept(row)) };
}

const kindOf = (isFolder: boolean) => (isFolder ? 'folder' : 'file');
const keyOf = (row: FileRow) => `${kindOf(row.mimeType === folderType)} ${row.identity}`;
const keyOfEntry = ({ isFolder, seen }: Entry) => `${kindOf(isFolder)} ${seen.identity}`;
const placeOf = (row: FileRow) => `${row.parent ?? ''}/${row.disk}`;
