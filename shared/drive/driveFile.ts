import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';

/** What Gazeline asks of a file. Drive leaves out what is not named in `fields`. */
export const fileFields =
  'id,name,mimeType,parents,driveId,trashed,size,md5Checksum,headRevisionId,createdTime,modifiedTime,version,' +
  'capabilities/canDownload,shortcutDetails(targetId,targetMimeType),exportLinks';

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/files */
export const DriveFile = z.object({
  id: z.string(),
  name: z.string(),
  mimeType: z.string(),
  /** At most one. Absent if the parent is not shared with us. */
  parents: z.array(z.string()).optional(),
  driveId: z.string().optional(),
  trashed: z.boolean().default(false),
  /** An int64, in bytes; Google-native files have one too, but it is not the size of any download. */
  size: z.string().optional(),
  /** Hexadecimal; only files with bytes of their own have one, not Google-native ones. */
  md5Checksum: z.string().optional(),
  headRevisionId: z.string().optional(),
  createdTime: z.iso.datetime({ offset: true }),
  modifiedTime: z.iso.datetime({ offset: true }),
  /** Rises with every change, also with those that do not touch the content. */
  version: z.string(),
  capabilities: z.object({ canDownload: z.boolean().optional() }).optional(),
  shortcutDetails: z
    .object({ targetId: z.string().optional(), targetMimeType: z.string().optional() })
    .optional(),
  /** Where a Google-native file is to be had in other formats, without the size limit of `files.export`. */
  exportLinks: z.record(z.string(), z.string()).optional(),
});
export type DriveFile = z.infer<typeof DriveFile>;

export const folderType = 'application/vnd.google-apps.folder';
export const shortcutType = 'application/vnd.google-apps.shortcut';

/** @returns undefined if Drive answers 404, which means that it is gone, or that we may not see it any more. */
export async function getFile(drive: drive_v3.Drive, fileId: string): Promise<DriveFile | undefined> {
  try {
    const { data } = await drive.files.get({ fileId, fields: fileFields, supportsAllDrives: true });
    return DriveFile.parse(data);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** The HTTP status of an error of a `googleapis` client. */
export function statusOf(error: unknown): number | undefined {
  const { status, code } = (error ?? {}) as { status?: unknown; code?: unknown };
  return typeof status === 'number' ? status : Number(code) || undefined;
}
