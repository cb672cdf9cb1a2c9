import { Unprocessable } from '../unprocessable.ts';

/**
 * The object name of a file at `path` (names from the study folder down). Drive allows any character in a name, the
 * same `/` included; a bucket takes `/` for a folder, and refuses CR, LF and the names `.` and `..`. Such characters,
 * and `%` itself, become `%` and two hexadecimal digits, so that the Drive names can be read back exactly.
 * https://cloud.google.com/storage/docs/objects#naming
 * @throws Unprocessable for a path with an empty name or half a surrogate pair in it, or a path that is too long
 */
export function objectNameOf(path: string[]): string {
  const name = path.map(encodeSegment).join('/');
  if (path.includes('') || !name.isWellFormed())
    throw new Unprocessable(`${JSON.stringify(path)} cannot be the name of an object`);
  const bytes = Buffer.byteLength(name);
  if (bytes > 1024)
    throw new Unprocessable(
      `The path of “${path.at(-1)}” has ${bytes} bytes; the name of an object may have 1,024`,
    );
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
