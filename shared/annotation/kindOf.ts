import { constants, gunzipSync } from 'node:zlib';

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

/** Files that hold words and are not something to read: settings, tables, code, sidecars. */
const notToRead =
  /\.(jsonl?|ya?ml|xml|html?|css|toml|ini|cfg|log|csv|tsv|py|r|rmd|m|jl|c|cc|cpp|h|hpp|cs|java|go|rs|ipynb|[jt]sx?|sh|bat|ps1|sql|psyexp|osexp|bib|tex|svg|e?ps|rtf|ics|vcf|edf)$/i;

/** What an object is, by its content first; the name only tells apart what looks alike. */
export async function kindOf(name: string, start: Buffer): Promise<Kind> {
  const { fileTypeFromBuffer } = await import('file-type');
  const type = (await fileTypeFromBuffer(start))?.mime;
  if (type === 'application/pdf') return 'pdf';
  if (type === 'application/gzip') return isRecording(textOf(inflate(start))) ? 'recording' : 'other';
  // `BMW` begins like a bitmap and `MZ` like a program; but what is binary holds more than writing does.
  if (type && type !== 'application/xml' && controls.test(start.toString('latin1')))
    return visionTypes.has(type) ? 'image' : 'other';
  const text = textOf(start);
  if (isRecording(text)) return 'recording';
  if (notToRead.test(name) || isMarkup.test(text)) return 'other';
  return isProse(text) ? 'text' : 'other';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\u0000-\u0008\u000e-\u001f]/;
/** JSON, XML, HTML; not a text that begins with a remark in brackets. */
const isMarkup = /^\s*(\{|<|\[\s*["{[\d\]-])/;

/** The beginning of what a gzip file holds; BIDS keeps recordings so. Empty if it is broken or inflates to very much. */
function inflate(start: Buffer): Buffer {
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 256 * sniffedBytes };
    return gunzipSync(start, options).subarray(0, sniffedBytes);
  } catch {
    return Buffer.alloc(0);
  }
}

/**
 * The text of the beginning of a file. What is neither UTF-8 nor UTF-16 is read as Windows' western encoding: a
 * recording with an umlaut in a message is a recording, and of a text a person is to be told what is wrong with it.
 */
function textOf(start: Buffer): string {
  try {
    // `stream`: the last character may be cut.
    return new TextDecoder(encodingOf(start), { fatal: true }).decode(start, { stream: true });
  } catch {
    return new TextDecoder('windows-1252').decode(start);
  }
}

export function encodingOf(bytes: Buffer): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** An EyeLink ASC file, or a table of numbers. */
function isRecording(text: string): boolean {
  return /^\*\* (CONVERTED FROM|DATE|TYPE|VERSION)\b/.test(text) || isNumberTable(text);
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
  if (controls.test(text)) return false;
  const letters = text.match(/[\p{L}\p{M}]/gu)?.length ?? 0;
  return letters > 0 && letters * 2 >= text.replace(/\s/g, '').length;
}
