import { Unprocessable } from '../unprocessable.ts';

/**
 * The object name of a file at `path` (names from the study folder down). Drive allows any character in a name, the
 * same `/` included; a bucket takes `/` for a folder, and refuses CR, LF and the names `.` and `..`. Such characters,
 * and `%` itself, become `%` and two hexadecimal digits, so that the Drive names can be read back exactly.
 * https://cloud.google.com/storage/docs/objects#naming
 */
export function objectNameOf(path: string[]): string {
  const name = path.map(encodeSegment).join('/');
  const bytes = Buffer.byteLength(name);
  if (bytes > 1024)
    throw new Unprocessable(`The path of ${bytes} bytes is longer than the 1,024 of an object name`);
  return name;
}

/** The names that `objectNameOf` was given. */
export function pathOfObject(name: string): string[] {
  return name.split('/').map(decodeURIComponent);
}

const encodeSegment = (segment: string) =>
  segment === '.' || segment === '..'
    ? segment.replaceAll('.', '%2E')
    : // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      segment.replace(/[%/\u0000-\u001f\u007f]/g, encodeURIComponent);
