import { fileTypeFromBuffer } from 'file-type';

export type Kind = 'image' | 'text' | 'pdf' | 'recording' | 'other';

/** How much of an object `kindOf` wants to see, from its beginning. */
export const sniffedBytes = 16 * 1024;

/** What Vision takes. https://cloud.google.com/vision/docs/supported-files */
const visionTypes = new Set([
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/bmp',
  'image/webp',
  'image/x-icon',
]);

/** Files that hold words and are not something to read: settings, code, sidecars. */
const notToRead =
  /\.(json|jsonl|ya?ml|xml|html?|css|toml|ini|cfg|log|py|r|m|ipynb|js|ts|sh|bib|tex|svg|edf)$/i;

/** What an object is, by its content first; the name only tells apart what looks alike. */
export async function kindOf(name: string, start: Buffer): Promise<Kind> {
  const type = (await fileTypeFromBuffer(start))?.mime;
  if (type && visionTypes.has(type)) return 'image';
  if (type === 'application/pdf') return 'pdf';
  if (type && type !== 'application/xml') return 'other';
  const text = textOf(start);
  if (text === undefined || text.trim() === '') return 'other';
  if (text.startsWith('** CONVERTED FROM') || isNumberTable(text)) return 'recording';
  if (notToRead.test(name) || /^\s*[[{<]/.test(text)) return 'other';
  return isProse(text) ? 'text' : 'other';
}

/** The text of the beginning of a file; undefined if it is not UTF-8 or UTF-16 with a byte-order mark. */
function textOf(start: Buffer): string | undefined {
  try {
    // `stream`: the last character may be cut.
    return new TextDecoder(encodingOf(start), { fatal: true }).decode(start, { stream: true });
  } catch {
    return undefined;
  }
}

export function encodingOf(bytes: Buffer): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** Rows of at least three cells, of which most are numbers: what eye trackers export. */
function isNumberTable(text: string): boolean {
  const lines = text.split(/\r\n?|\n/).slice(0, 200);
  if (lines.length > 3) lines.pop();
  const rows = lines
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.split(/[\t,;]|\s{2,}/));
  const numeric = rows.filter((cells) => {
    const numbers = cells.filter((cell) => /^\s*(-?\d+(\.\d*)?([eE][-+]?\d+)?|nan|\.)\s*$/i.test(cell));
    return cells.length >= 3 && numbers.length * 2 >= cells.length;
  });
  return numeric.length >= 3 && numeric.length * 2 >= rows.length;
}

/** Mostly letters, in words. */
function isProse(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u0008\u000e-\u001f]/.test(text)) return false;
  const letters = text.match(/[\p{L}\p{M}]/gu)?.length ?? 0;
  return letters * 2 >= text.replace(/\s/g, '').length;
}
