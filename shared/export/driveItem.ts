import { createHash } from 'node:crypto';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { children } from '../drive/children.ts';
import { folderType, statusOf } from '../drive/driveFile.ts';
import type { Source } from './source.ts';

/** What is asked of an item in the folder that is exported to. */
export const itemFields =
  'id,name,mimeType,parents,driveId,trashed,size,md5Checksum,createdTime,appProperties,capabilities/canAddChildren';

export const DriveItem = z.object({
  id: z.string(),
  name: z.string(),
  mimeType: z.string(),
  parents: z.array(z.string()).optional(),
  driveId: z.string().optional(),
  trashed: z.boolean().default(false),
  size: z.string().optional(),
  /** Hexadecimal; only files with bytes of their own have one. */
  md5Checksum: z.string().optional(),
  createdTime: z.iso.datetime({ offset: true }),
  /** What we left on it. Only this project's clients see them. */
  appProperties: z.record(z.string(), z.string()).optional(),
  capabilities: z.object({ canAddChildren: z.boolean().optional() }).optional(),
});
export type DriveItem = z.infer<typeof DriveItem>;

export const isFolder = ({ mimeType }: DriveItem) => mimeType === folderType;

/** @returns undefined if it is not there, or not for us to see */
export async function getItem(drive: drive_v3.Drive, fileId: string): Promise<DriveItem | undefined> {
  try {
    const { data } = await drive.files.get({ fileId, fields: itemFields, supportsAllDrives: true });
    return DriveItem.parse(data);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** What is called just so in a folder, the oldest first. Drive itself does not tell capitals from small letters. */
export async function itemsCalled(
  drive: drive_v3.Drive,
  { name, parent, sharedDrive }: { name: string; parent: string; sharedDrive: string },
): Promise<DriveItem[]> {
  const list = async (scope: string | undefined) => {
    const found: DriveItem[] = [];
    const options = { name, fields: itemFields, schema: DriveItem as z.ZodType<DriveItem> };
    for await (const page of children(drive, parent, scope, options))
      found.push(...page.filter((item) => item.name === name));
    return found;
  };
  let found: DriveItem[];
  try {
    found = await list(sharedDrive);
  } catch (error) {
    // The folder may be shared with us, and not the drive that it is in.
    if (statusOf(error) !== 404) throw error;
    found = await list(undefined);
  }
  return found.sort(
    (one, other) =>
      Date.parse(one.createdTime) - Date.parse(other.createdTime) || (one.id < other.id ? -1 : 1),
  );
}

/**
 * What a file that we write is told of its source: at most 124 bytes with the key each, so the name goes in as a hash.
 * https://developers.google.com/workspace/drive/api/guides/properties
 */
export const propertiesOf = ({ bucket, name, generation, md5 }: Source) => ({
  gazelineObject: objectKey(bucket, name),
  gazelineGeneration: generation,
  // Of a composed object it is not known, and an older one must not stay.
  gazelineMd5: md5 || null,
});

export const objectKey = (bucket: string, object: string) =>
  createHash('sha256')
    .update(JSON.stringify([bucket, object]))
    .digest('base64url');
