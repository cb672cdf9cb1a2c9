import type { DriveFile } from './driveFile.ts';

/** A folder as it is now; undefined if Drive does not find it. */
export type ReadFolder = (id: string) => Promise<DriveFile | undefined>;

export type Place =
  /** Names from the study folder down to the file itself. */
  | { where: 'inside'; path: string[] }
  | { where: 'outside' }
  /** A folder on the way up does not answer; it may be elsewhere, or Drive may be wrong for a moment. */
  | { where: 'unknown' };

// Drive allows 100 levels. https://developers.google.com/workspace/drive/api/guides/handle-errors
const deepest = 100;

/** Drive cannot be asked for descendants; membership is found by walking up. */
export async function pathOf(readFolder: ReadFolder, file: DriveFile, studyFolder: string): Promise<Place> {
  const path = [file.name];
  let parent = file.parents?.[0];
  for (let level = 0; parent !== studyFolder; level++) {
    if (!parent) return { where: 'outside' };
    if (level === deepest) return { where: 'unknown' };
    const folder = await readFolder(parent);
    if (!folder) return { where: 'unknown' };
    // It and everything in it went into the trash after the file was read.
    if (folder.trashed) return { where: 'outside' };
    path.unshift(folder.name);
    parent = folder.parents?.[0];
  }
  return { where: 'inside', path };
}
