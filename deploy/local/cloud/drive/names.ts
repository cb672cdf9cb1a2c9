import { extname } from 'node:path';
import { lookup } from 'mime-types';

export const folderType = 'application/vnd.google-apps.folder';
export const shortcutType = 'application/vnd.google-apps.shortcut';
export const documentType = 'application/vnd.google-apps.document';
export const spreadsheetType = 'application/vnd.google-apps.spreadsheet';
export const presentationType = 'application/vnd.google-apps.presentation';
export const drawingType = 'application/vnd.google-apps.drawing';

const nativeExtensions: Record<string, string> = {
  '.gdoc': documentType,
  '.gsheet': spreadsheetType,
  '.gslides': presentationType,
  '.gdraw': drawingType,
  '.gform': 'application/vnd.google-apps.form',
  '.gsite': 'application/vnd.google-apps.site',
  '.gmap': 'application/vnd.google-apps.map',
};

/** Whether it is one of Google's own documents, which have no bytes that could be downloaded. */
export const isNative = (mimeType: string) => Object.values(nativeExtensions).includes(mimeType);

/** Names under which programs keep what is not yet, or no longer, the file: never a file of the Drive. */
export const isIgnored = (disk: string) => /^\.|^~\$|\.(tmp|part|crdownload)$|~$/i.test(disk);

/** What a file that was dropped under this name is. `Plan.gdoc` is the document `Plan`. */
export function describe(disk: string): { name: string; mimeType: string } {
  const native = nativeExtensions[extname(disk)];
  if (native) return { name: disk.slice(0, -extname(disk).length), mimeType: native };
  return { name: disk, mimeType: lookup(extname(disk)) || 'application/octet-stream' };
}

/**
 * A name on disk for a file of any name: Drive allows `/`, `..` and names that `isIgnored`. What must not be on disk
 * is percent-encoded; the row keeps the true name.
 *
 * @param isTaken whether this name is used in the folder already; Drive allows the same name twice.
 */
export function diskName(name: string, mimeType: string, isTaken: (disk: string) => boolean): string {
  const native = Object.entries(nativeExtensions).find(([, type]) => type === mimeType)?.[0] ?? '';
  const safe = `${name || 'Untitled'}${native}`
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be on disk
    .replace(/[/\\\u0000-\u001f\u007f]/g, percent)
    .replace(/^\.|^~(?=\$)/, percent)
    .replace(/\.(?=(tmp|part|crdownload)$)|~$/i, percent);
  const extension = native || extname(safe).slice(0, 32);
  const stem = safe.slice(0, safe.length - extension.length);
  for (let copy = 1; ; copy++) {
    const suffix = copy === 1 ? extension : ` (${copy})${extension}`;
    const disk = clip(stem, longest - Buffer.byteLength(suffix)) + suffix;
    if (!isTaken(disk)) return disk;
  }
}

/** Most file systems allow 255 bytes, or 255 UTF-16 units, for one name. */
const longest = 255;

const percent = (character: string) =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

function clip(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let kept = '';
  let left = bytes;
  for (const character of text) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    kept += character;
  }
  return kept;
}
