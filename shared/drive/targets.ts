import type { ObjectDescription } from '../storage/rawObject.ts';
import { type DriveFile, shortcutType } from './driveFile.ts';
import { type ExportPolicy, isNative } from './exports.ts';
import type { Filters } from './filters.ts';
import { objectNameOf } from './objectName.ts';

/** An object that a file should be, with the way to get its bytes. `name` is the plain one. */
export type Target = ObjectDescription & {
  /** Its name where another file has the plain one. */
  twin: string;
  exportTo?: string;
};

export type TargetPolicy = { exports: ExportPolicy; filters: Filters };

/** Cloud Storage takes no larger object. https://cloud.google.com/storage/quotas#objects */
const largest = 5_497_558_138_880;

/** The objects that a file should be, or why it should be none. */
export function targetsOf(
  file: DriveFile,
  path: string[],
  { exports, filters }: TargetPolicy,
): { targets: Target[] } | { skip: string } {
  if (file.mimeType === shortcutType) return { skip: shortcutReason(file) };
  const filtered = filters.reasonToLeave(path, file);
  if (filtered) return { skip: filtered };
  const metadata = provenanceOf(file, path);
  if (!isNative(file.mimeType)) {
    if (Number(file.size) > largest)
      return { skip: `it has ${file.size} bytes; an object may have ${largest}` };
    if (file.md5Checksum === undefined) return { skip: 'Drive has no bytes and no MD5 of it' };
    const name = objectNameOf(path, file.id);
    const twin = objectNameOf(path, file.id, 'twin');
    return { targets: [{ name, twin, contentType: file.mimeType, md5: file.md5Checksum, metadata }] };
  }
  const formats = exports[file.mimeType] ?? [];
  if (formats.length === 0) return { skip: `a ${file.mimeType.split('.').pop()} is not exported` };
  return {
    targets: formats.map(({ mimeType, extension }) => {
      const exported = [...path.slice(0, -1), `${path.at(-1)}.${extension}`];
      return {
        name: objectNameOf(exported, file.id),
        twin: objectNameOf(exported, file.id, 'twin'),
        contentType: mimeType,
        exportTo: mimeType,
        metadata,
      };
    }),
  };
}

/** A shortcut is never followed: what it points to is in the bucket by itself, or was left out of the folder. */
const shortcutReason = ({ shortcutDetails }: DriveFile) =>
  `a shortcut (to ${shortcutDetails?.targetId ?? 'nothing any more'}); only what lies in the study folder itself is brought`;

/** Of 8 KiB that all custom metadata may have. https://cloud.google.com/storage/quotas#objects */
const longestPath = 6000;

/** The times are written as rclone (`mtime`) and gcloud (`goog-reserved-file-mtime`) write them. */
function provenanceOf(file: DriveFile, path: string[]): Record<string, string> {
  return {
    'drive-file-id': file.id,
    // JSON: a name may hold slashes, and half a character. A path that is too long is kept in the file's record alone.
    'drive-path': clip(JSON.stringify(path)),
    ...(file.driveId ? { 'drive-id': file.driveId } : {}),
    ...(file.headRevisionId ? { 'drive-revision': file.headRevisionId } : {}),
    ...(file.md5Checksum ? { 'drive-md5': file.md5Checksum } : {}),
    mtime: file.modifiedTime,
    'goog-reserved-file-mtime': String(Math.floor(Date.parse(file.modifiedTime) / 1000)),
  };
}

const clip = (text: string) => (Buffer.byteLength(text) <= longestPath ? text : '');
