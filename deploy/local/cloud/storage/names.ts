import { GoogleError } from '../googleError.ts';

const invalid = (message: string) => new GoogleError(400, 'invalid', message);

/**
 * An object's name: 1 to 1024 bytes of UTF-8, no line breaks, neither `.` nor `..`.
 * https://cloud.google.com/storage/docs/objects#naming
 */
export function checkObjectName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw new GoogleError(400, 'required', 'Required');
  if (!name.isWellFormed()) throw invalid('The object name is not valid Unicode.');
  const bytes = Buffer.byteLength(name);
  if (bytes > 1024)
    throw invalid(`The maximum object length is 1024 characters, but got a name with ${bytes}.`);
  if (/[\r\n]/.test(name)) throw invalid(`Disallowed unicode characters present in object name '${name}'`);
  if (name === '.' || name === '..' || name.startsWith('.well-known/acme-challenge/')) {
    throw invalid(`Invalid object name: '${name}'`);
  }
  return name;
}

/** https://cloud.google.com/storage/docs/buckets#naming */
export function checkBucketName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw new GoogleError(400, 'required', 'Required');
  const labels = name.split('.');
  const allowed =
    /^[a-z0-9][a-z0-9._-]*[a-z0-9]$/.test(name) &&
    name.length >= 3 &&
    name.length <= (labels.length > 1 ? 222 : 63) &&
    labels.every((label) => label.length >= 1 && label.length <= 63) &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !name.startsWith('goog') &&
    !/google|g00gle/.test(name);
  if (!allowed) throw invalid(`Invalid bucket name: '${name}'`);
  return name;
}

/** Negative if `a` comes first in the order that Cloud Storage lists names in: that of their UTF-8 bytes. */
export const compareNames = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The first name after all names that begin with `prefix`; undefined if there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0);
  while (points.length > 0) {
    const last = points.pop() ?? 0;
    // UTF-8 keeps the order of code points; the surrogates between D800 and DFFF are none.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}
