import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { children } from '../shared/drive/children.ts';
import { download } from '../shared/drive/download.ts';
import { type DriveFile, folderType, getFile, shortcutType } from '../shared/drive/driveFile.ts';
import { exportsOf, isNative } from '../shared/drive/exports.ts';
import { type FileChanged, publishFileChanges } from '../shared/drive/fileChanged.ts';
import { objectNameOf } from '../shared/drive/objectName.ts';
import { pathOf } from '../shared/drive/pathOf.ts';
import type { Log } from '../shared/log.ts';
import { NotYet } from '../shared/once.ts';
import type { Publish } from '../shared/publish.ts';
import {
  copyObject,
  describeObject,
  liveObject,
  type ObjectDescription,
  RawObject,
  retireObject,
  uploadObject,
} from '../shared/storage/rawObject.ts';
import type { Read, Records } from '../shared/storage/records.ts';
import { Unprocessable } from '../shared/unprocessable.ts';

/** What the bucket holds of one Drive file: without it, a rename, a move or a tombstone could not be understood. */
const FileRecord = z.object({
  /** Object names of folders end in `/`, and no object has them. */
  path: z.string(),
  modifiedTime: z.string(),
  /** One for a file with bytes of its own, one for each export of a Google-native file, none for a folder. */
  objects: z.array(RawObject),
});
type FileRecord = z.infer<typeof FileRecord>;

export type FileSyncDependencies = {
  drive: drive_v3.Drive;
  raw: Bucket;
  records: Records;
  publish: Publish;
  studyFolder: string;
  sharedDrive?: string | undefined;
  log: Log;
};

/** An object that a file should be, with the way to get its bytes. */
type Target = ObjectDescription & { exportTo?: string };

/**
 * Brings one file to Drive's current state, whatever the message said: uploaded, replaced, renamed or retired. The
 * record is written last. A crash before that leaves objects whose metadata name the file, and the next delivery
 * adopts them.
 */
export async function fileSync(
  { fileId, removed }: FileChanged,
  dependencies: FileSyncDependencies,
): Promise<void> {
  const { drive, raw, records, studyFolder, log } = dependencies;
  if (fileId === studyFolder) return;
  const recordName = `files/${fileId}.json`;
  const known = await records.read(recordName, FileRecord);
  const file = await getFile(drive, fileId);
  if (!file) {
    if (!known) return;
    // One 404 removes nothing; together with the feed's word it does.
    if (!removed)
      return log.warning('Drive does not find a file that it did not report as removed', { fileId });
    return retire(recordName, known, dependencies);
  }

  const place = file.trashed ? ({ where: 'outside' } as const) : await pathOf(drive, file, studyFolder);
  if (place.where === 'unknown') {
    if (!known) return;
    throw new NotYet(`a folder above ${fileId} does not answer`);
  }
  if (file.mimeType === folderType) {
    const path = place.where === 'inside' ? `${objectNameOf(place.path)}/` : undefined;
    return syncFolder(file, path, known?.value, dependencies);
  }
  if (place.where === 'outside') {
    if (known) await retire(recordName, known, dependencies);
    return;
  }

  const targets = targetsOf(file, place.path);
  const unused = [...(known?.value.objects ?? [])];
  const objects: RawObject[] = [];
  for (const target of targets)
    objects.push(await bring(file, target, unused.shift(), known?.value, dependencies));
  for (const object of unused) await retireObject(raw, object);

  const record: FileRecord = { path: objectNameOf(place.path), modifiedTime: file.modifiedTime, objects };
  if (JSON.stringify(known?.value) === JSON.stringify(record)) return;
  if (await records.write(recordName, record, known?.generation ?? '0')) return;
  // Another delivery was faster, perhaps with a newer name: what it does not know of must not stay.
  const theirs = (await records.read(recordName, FileRecord))?.value.objects ?? [];
  const mine = objects.filter((object) => !theirs.some(({ name }) => name === object.name));
  for (const object of mine) await retireObject(raw, object);
  throw new NotYet(`${fileId} is being brought elsewhere as well`);
}

/** One object from what it is (`before`) to what it should be. */
async function bring(
  file: DriveFile,
  target: Target,
  before: RawObject | undefined,
  known: FileRecord | undefined,
  dependencies: FileSyncDependencies,
): Promise<RawObject> {
  const { raw, log } = dependencies;
  const sameTime = known?.modifiedTime === file.modifiedTime;
  const sameContent = before && (target.exportTo ? sameTime : before.md5 === file.md5Checksum);
  if (sameContent && before.name === target.name) {
    if (sameTime || (await describeObject(raw, before, target))) return before;
  }

  const replaces = before?.name === target.name ? before.generation : '0';
  const brought = sameContent
    ? await copyObject(raw, before, target)
    : await transfer(file, target, replaces, dependencies);
  const object = brought ?? (await takePlace(file, target, dependencies));
  if (before && before.name !== target.name) await retireObject(raw, before);
  if (sameContent) log.info('renamed', { object: target.name, from: before.name });
  else if (brought) log.info('synced', { object: target.name, bytes: object.size });
  return object;
}

async function transfer(
  file: DriveFile,
  { exportTo, ...object }: Target,
  replaces: string,
  { drive, raw }: Pick<FileSyncDependencies, 'drive' | 'raw'>,
): Promise<RawObject | undefined> {
  if (file.capabilities?.canDownload === false)
    throw new Unprocessable(`Drive does not allow the download of ${object.name}`);
  const stream = await download(drive, file.id, exportTo);
  const size = exportTo ? undefined : Number(file.size ?? 0);
  return uploadObject(raw, object, replaces, { stream, size });
}

/** What is where the object should be is not what the record says. Whose is it? */
async function takePlace(
  file: DriveFile,
  target: Target,
  dependencies: FileSyncDependencies,
): Promise<RawObject> {
  const { raw, log } = dependencies;
  const there = await liveObject(raw, target.name);
  if (there && there.metadata['drive-file-id'] !== file.id)
    await mayBeReplaced(there, target.name, dependencies);
  else if (there) {
    // Ours, from a delivery that ended before its record was written, or whose answer was lost.
    const { metadata, contentType: _, ...object } = there;
    if (target.md5 ? object.md5 === target.md5 : metadata.mtime === target.metadata.mtime) return object;
  }
  const brought = await transfer(file, target, there?.generation ?? '0', dependencies);
  if (!brought) throw new NotYet(`${target.name} was changed at the same time`);
  log.info('synced', { object: target.name, bytes: brought.size });
  return brought;
}

/** The object of another file may be replaced once that file has its place elsewhere, which two that swap never wait for. */
async function mayBeReplaced(
  there: { metadata: Record<string, string> },
  name: string,
  { drive, publish, studyFolder }: FileSyncDependencies,
): Promise<void> {
  const owner = there.metadata['drive-file-id'];
  if (!owner) throw new Unprocessable(`${name} is in the bucket already and did not come from Drive`);
  const other = await getFile(drive, owner);
  const place = other && !other.trashed ? await pathOf(drive, other, studyFolder) : undefined;
  if (
    other &&
    place?.where === 'inside' &&
    targetsOf(other, place.path).some((target) => target.name === name)
  ) {
    throw new Unprocessable(`Two files have the path ${name}; the one that came first is kept. Rename one`);
  }
  await publishFileChanges(publish, [{ fileId: owner, removed: false }]);
  if (!other || place?.where === 'unknown') throw new NotYet(`${name} still belongs to another file`);
}

/** The objects that a file should be: none for what has no bytes, like a shortcut or a form. */
function targetsOf(file: DriveFile, path: string[]): Target[] {
  const metadata = provenanceOf(file, path);
  if (file.mimeType === shortcutType) return [];
  if (!isNative(file.mimeType)) {
    return [{ name: objectNameOf(path), contentType: file.mimeType, md5: file.md5Checksum, metadata }];
  }
  return (exportsOf[file.mimeType] ?? []).map(({ mimeType, extension }) => ({
    name: objectNameOf([...path.slice(0, -1), `${path.at(-1)}.${extension}`]),
    contentType: mimeType,
    exportTo: mimeType,
    metadata,
  }));
}

/** The times are written as rclone (`mtime`) and gcloud (`goog-reserved-file-mtime`) write them. */
function provenanceOf(file: DriveFile, path: string[]): Record<string, string> {
  return {
    'drive-file-id': file.id,
    'drive-path': path.join('/'),
    ...(file.driveId ? { 'drive-id': file.driveId } : {}),
    ...(file.headRevisionId ? { 'drive-revision': file.headRevisionId } : {}),
    mtime: file.modifiedTime,
    'goog-reserved-file-mtime': String(Math.floor(Date.parse(file.modifiedTime) / 1000)),
  };
}

async function retire(
  recordName: string,
  { value: { objects, path }, generation }: Read<FileRecord>,
  { raw, records, log }: FileSyncDependencies,
): Promise<void> {
  for (const object of objects) await retireObject(raw, object);
  if (!(await records.remove(recordName, generation)))
    throw new NotYet(`${path} is being brought elsewhere as well`);
  log.info('removed', { object: path });
}

/** A folder is not an object, but where it is decides where its files are. Drive reports only the folder itself. */
async function syncFolder(
  folder: DriveFile,
  path: string | undefined,
  before: FileRecord | undefined,
  { drive, records, publish, sharedDrive }: FileSyncDependencies,
): Promise<void> {
  if (path === before?.path) return;
  // What lies in a folder that went into the trash is in the trash as well.
  for await (const page of children(drive, folder.id, sharedDrive, { withTrashed: !path })) {
    await publishFileChanges(
      publish,
      page.map(({ id }) => ({ fileId: id, removed: false })),
    );
  }
  const name = `files/${folder.id}.json`;
  if (!path) return void (await records.remove(name));
  await records.update(name, FileRecord, () => ({ path, modifiedTime: folder.modifiedTime, objects: [] }));
}
