import { createHash } from 'node:crypto';

/** https://cloud.google.com/storage/docs/objects#naming */
const mostBytes = 1024;

/**
 * The object name of the file `fileId` at `path` (names from the study folder down). `twin`: the form for a file whose
 * plain name belongs to another file with the same path.
 *
 * | form  | example                                        |                                              |
 * | ----- | ---------------------------------------------- | -------------------------------------------- |
 * | plain | `study/story.txt`                              |                                              |
 * | twin  | `study/story~1AbCdEf.txt`                      | with the file's id before the extension      |
 * | cut   | `study/a long st%cut0123456789abcdef~1AbC.txt` | for a path that is longer than a name may be |
 *
 * Drive allows any string as a name, even for several files in one folder; `encodeName` says what becomes of it. Two
 * paths never share an object name, and two files with one path share it in the plain form alone.
 */
export function objectNameOf(path: string[], fileId: string, form: 'plain' | 'twin' = 'plain'): string {
  const names = path.map(encodeName);
  const last = names.pop() ?? '';
  const folders = names.map((name) => `${name}/`).join('');
  // A name that by itself reads as a twin's (`story~2.txt`) does not any more once its last `~` is escaped.
  const plain = folders + last.replace(idBefore, (end) => end.replace('~', '%7E'));
  const extension = extensionOf.exec(last)?.[0] ?? '';
  // The first dot ends the id. Drive's ids have none, but `FileChanged` would let one pass.
  const end = `~${fileId.replaceAll('.', '%2E')}${extension}`;
  const name = form === 'plain' ? plain : folders + last.slice(0, last.length - extension.length) + end;
  return Buffer.byteLength(name) <= mostBytes ? name : cut(plain, end);
}

/** What `objectNameOf` was given: exact, unless `cut`; then `path` is what its beginning and its extension tell. */
export function pathOfObject(name: string): { path: string[]; fileId?: string; cut: boolean } {
  const names = name.split('/');
  const last = names.pop() ?? '';
  const folders = names.map(decodeName);
  const found = idBefore.exec(last);
  if (!found) return { path: [...folders, decodeName(last)], cut: false };
  const [, mark, id = '', extension = ''] = found;
  const path = [...folders, decodeName(last.slice(0, found.index)) + extension];
  return { path, fileId: decodeName(id), cut: mark !== undefined };
}

/**
 * What all objects below a folder begin with, `''` for the study folder itself. Whatever begins with it is below a
 * folder at `path`; Drive may have several. The other way round, an object with a cut name begins with the prefixes
 * that ended before the cut, and with no other, since the cut may be in the name of a folder. A prefix of up to 780
 * bytes always does. One that is longer than an object name may be is no object's.
 */
export function prefixOf(path: string[]): string {
  return path.map((name) => `${encodeName(name)}/`).join('');
}

/**
 * One name without what Cloud Storage, or its listing in XML, refuses or takes for something else: `%` and two
 * hexadecimal digits for a character of ASCII, `%u` and four for others (half a surrogate pair among them, which UTF-8
 * cannot write), `%empty` for the empty name. `%` itself is escaped, too, so that all can be read back. What only some
 * tools dislike (`#[]*?`) stays, and nothing is normalised: é as one character and as two are two names.
 * https://cloud.google.com/storage/docs/objects#naming
 */
function encodeName(name: string): string {
  if (name === '') return '%empty';
  // `.` and `..` would lead elsewhere once it is a path; no object name may begin with `.well-known/acme-challenge/`.
  if (name === '.' || name === '..' || name === '.well-known') return name.replaceAll('.', '%2E');
  return name.replace(/[%/\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, (char) => {
    const code = char.charCodeAt(0);
    const digits = code.toString(16).toUpperCase();
    return code < 0x80 ? `%${digits.padStart(2, '0')}` : `%u${digits.padStart(4, '0')}`;
  });
}

/** What a name was before `encodeName`. */
export function decodeName(name: string): string {
  return name.replace(/%(?:empty|u([0-9A-F]{4})|([0-9A-F]{2}))/g, (_, four?: string, two?: string) => {
    const code = four ?? two;
    return code ? String.fromCharCode(Number.parseInt(code, 16)) : '';
  });
}

/**
 * Letters and digits, with a letter among them, after the last dot, unless the name begins with that dot; with what was
 * compressed: `.nii.gz`. It only decides where an id is put in. None in `.bashrc`, `a.`, `2024.05.13`, `v1.2 final`.
 */
const extensionOf = /(?!^)\.(?=\d*[a-z])[a-z\d]{1,16}(?:\.(?:gz|bz2|xz|zst))?$/i;

/** The end of a twin's or a cut name. It begins at the last `~` and its id ends at the next dot: nothing is guessed. */
const idBefore = /(%cut[0-9a-f]{16})?~((?:[\w-]|%2E)+)((?:\.[A-Za-z\d]{1,16}){0,2})$/;

/**
 * As much of the beginning as there is room for. The digest is for the several exports of one document, whose paths
 * may differ in what was cut off; no escape begins with `%cut`.
 */
function cut(plain: string, end: string): string {
  const digest = createHash('sha256').update(plain).digest('hex').slice(0, 16);
  const ending = `%cut${digest}${end}`;
  let room = mostBytes - ending.length;
  let kept = '';
  for (const [piece] of plain.matchAll(/%empty|%u[0-9A-F]{4}|%[0-9A-F]{2}|./gsu)) {
    room -= Buffer.byteLength(piece);
    if (room < 0) break;
    kept += piece;
  }
  return kept + ending;
}
