import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clients } from '../../../shared/clients.ts';
import { objectNameOf, pathOfObject, prefixOf } from '../../../shared/drive/objectName.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();

const anyId = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'a.b', '1AbC-_', '2', '-', '..') },
  fc.stringMatching(/^[\w.-]{1,200}$/),
);
/** What names are built of so that they come close to escapes, ids, extensions and each other. */
const awkward = fc.constantFrom(
  ...'a b 2 . .. .a .txt .tar.gz ~ ~a ~b ~a.b ~2.txt ~1AbC-_ .well-known acme-challenge / // \\'.split(' '),
  ...'% %2F %7E %empty %uD800 %cut 0123456789abcdef #[]*? é e\u0301 \u202eשלום 🙂 \ud83d \ude00'.split(' '),
  ...['', ' ', '\r\n', '\0', '\u007f', '\u0080', '\u0085', '\u2028', '\ufffd', '\ufffe', '\uffff'],
  ...['ü'.repeat(200), '%'.repeat(120)],
);
/** fast-check's strings are of whole characters; Drive's need not be. */
const anyUnits = fc
  .array(fc.nat({ max: 0xffff }), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));
const anyName = fc.oneof(
  { weight: 4, arbitrary: fc.array(awkward, { maxLength: 4 }).map((parts) => parts.join('')) },
  anyUnits,
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const anyPath = fc.oneof(
  { weight: 5, arbitrary: fc.array(anyName, { minLength: 1, maxLength: 4 }) },
  fc.array(anyName, { minLength: 1, maxLength: 100 }),
);
const anyForm = fc.constantFrom('plain' as const, 'twin' as const);
const anyFile = fc.tuple(anyPath, anyId, anyForm);

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
const runs = { numRuns: 1000 };

test('the path can be read back from an object name exactly, and the id from that of a twin', () => {
  fc.assert(
    fc.property(anyFile, ([path, fileId, form]) => {
      const read = pathOfObject(objectNameOf(path, fileId, form));
      if (read.cut) expect(read.fileId).toBe(fileId);
      else expect(read).toEqual({ path, cut: false, ...(form === 'twin' ? { fileId } : {}) });
    }),
    runs,
  );
});

test('only a path that is too long is cut', () => {
  fc.assert(
    fc.property(anyPath, anyId, (path, fileId) => {
      const tooLong = Buffer.byteLength(prefixOf(path)) > 1025;
      if (tooLong) expect(pathOfObject(objectNameOf(path, fileId)).cut).toBe(true);
      // A `~` that is escaped takes two bytes more.
      else if (Buffer.byteLength(prefixOf(path)) <= 1023)
        expect(pathOfObject(objectNameOf(path, fileId)).cut).toBe(false);
    }),
    runs,
  );
});

test('two paths never share an object name, nor do two files with one path, unless both have the plain form', () => {
  fc.assert(
    fc.property(
      anyFile,
      anyFile,
      fc.boolean(),
      ([path, id, form], [otherPath, otherId, otherForm], alike) => {
        const second = alike ? path : otherPath;
        const names = [objectNameOf(path, id, form), objectNameOf(second, otherId, otherForm)];
        const { cut } = pathOfObject(names[0] ?? '');
        const equal =
          same(path, second) && (cut || form === otherForm) && (id === otherId || (form === 'plain' && !cut));
        expect(names[0] === names[1]).toBe(equal);
      },
    ),
    runs,
  );
});

test('a file that is named like the twin of another, or like a cut name, gets a name of its own', () => {
  fc.assert(
    fc.property(anyFile, anyId, ([path, fileId], otherId) => {
      const taken = objectNameOf(path, fileId, 'twin');
      for (const id of [fileId, otherId]) {
        const namedSo = objectNameOf(taken.split('/'), id);
        expect(namedSo).not.toBe(taken);
        expect(objectNameOf(namedSo.split('/'), id)).not.toBe(namedSo);
        expect(objectNameOf(taken.split('/'), id, 'twin')).not.toBe(taken);
      }
    }),
    runs,
  );
});

test('an object name is one that a bucket takes, and a path that leads where it seems to', () => {
  fc.assert(
    fc.property(anyFile, ([path, fileId, form]) => {
      const name = objectNameOf(path, fileId, form);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(1024);
      expect(name.isWellFormed()).toBe(true);
      expect(name).not.toMatch(/[\p{Cc}\uFFFE\uFFFF]/u);
      expect(name.startsWith('.well-known/acme-challenge/')).toBe(false);
      for (const segment of name.split('/')) expect(['', '.', '..']).not.toContain(segment);
      if (!pathOfObject(name).cut) expect(name.split('/')).toHaveLength(path.length);
    }),
    runs,
  );
});

test('a path that is too long keeps its beginning, whole characters and escapes, as far as there is room', () => {
  const long = fc.tuple(
    anyName,
    fc.array(anyName, { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 90 }),
  );
  fc.assert(
    fc.property(long, anyId, anyForm, ([first, names, times], fileId, form) => {
      const path = [...Array.from({ length: times }, () => names).flat(), `x${first.repeat(70)}.txt`];
      const name = objectNameOf(path, fileId, form);
      const read = pathOfObject(name);
      fc.pre(read.cut);
      expect(read.fileId).toBe(fileId);
      const folders = read.path.slice(0, -1);
      expect(folders).toEqual(path.slice(0, folders.length));
      const kept = read.path.at(-1)?.slice(0, -'.txt'.length);
      expect(path[folders.length]?.startsWith(kept ?? '?')).toBe(true);
      expect(name).toMatch(/\.txt$/);
      // The longest that one character can become is `%empty`, and a `/` before it.
      expect(Buffer.byteLength(name)).toBeGreaterThan(1024 - 7);
    }),
    runs,
  );
});

test('what begins with the prefix of a folder lies in such a folder, and what lies in it begins with the prefix', () => {
  fc.assert(
    fc.property(anyPath, anyFile, fc.nat(4), fc.boolean(), (other, [path, fileId, form], levels, above) => {
      const folder = above ? path.slice(0, Math.min(levels, path.length - 1)) : other;
      const name = objectNameOf(path, fileId, form);
      const inside = folder.length < path.length && same(folder, path.slice(0, folder.length));
      const prefix = prefixOf(folder);
      if (name.startsWith(prefix)) expect(inside).toBe(true);
      else if (inside) expect(pathOfObject(name).cut).toBe(true);
      if (inside && Buffer.byteLength(prefix) <= 780 && !fileId.includes('.'))
        expect(name.startsWith(prefix)).toBe(true);
    }),
    runs,
  );
});

test.each([
  [['study', 'a.png'], 'study/a.png'],
  [['a/b', '100 %.txt'], 'a%2Fb/100 %25.txt'],
  [['..', '.', '...'], '%2E%2E/%2E/...'],
  [['line\r\nbreak\0'], 'line%0D%0Abreak%00'],
  [['next\u0085line', '\uffff'], 'next%u0085line/%uFFFF'],
  [['back\\slash', '#1 [draft]*?.txt'], 'back\\slash/#1 [draft]*?.txt'],
  [['Übung', '日本.png', 'שלום.txt', '🙂'], 'Übung/日本.png/שלום.txt/🙂'],
  [['é', 'e\u0301'], 'é/e\u0301'],
  [['half a \ud83d.png'], 'half a %uD83D.png'],
  [['', 'a', ''], '%empty/a/%empty'],
  [['.well-known', 'acme-challenge', 'a'], '%2Ewell-known/acme-challenge/a'],
  [['%empty', '%uD83D', '%2F'], '%25empty/%25uD83D/%252F'],
  [['~$draft.docx', 'a~', 'a~.txt', 'a~b c'], '~$draft.docx/a~/a~.txt/a~b c'],
  [['story~2', 'story~2'], 'story~2/story%7E2'],
  [['story~1~2.txt'], 'story~1%7E2.txt'],
  [['story~a.b.c.txt'], 'story~a.b.c.txt'],
])('%j becomes %s', (path, name) => {
  expect(objectNameOf(path, '1AbCdEf')).toBe(name);
  expect(pathOfObject(name)).toEqual({ path, cut: false });
});

test.each([
  ['story.txt', 'story~1AbCdEf.txt'],
  ['story', 'story~1AbCdEf'],
  ['archive.tar.gz', 'archive~1AbCdEf.tar.gz'],
  ['sub-01_T1w.nii.gz', 'sub-01_T1w~1AbCdEf.nii.gz'],
  ['log.2024.gz', 'log.2024~1AbCdEf.gz'],
  ['.bashrc', '.bashrc~1AbCdEf'],
  ['a.', 'a.~1AbCdEf'],
  ['v1.2 final', 'v1.2 final~1AbCdEf'],
  ['2024.05.13', '2024.05.13~1AbCdEf'],
  ['clip.mp4', 'clip~1AbCdEf.mp4'],
  ['Brief.текст', 'Brief.текст~1AbCdEf'],
  ['..', '%2E%2E~1AbCdEf'],
  ['', '%empty~1AbCdEf'],
  ['story~2.txt', 'story~2~1AbCdEf.txt'],
  ['a/b.c/d', 'a%2Fb.c%2Fd~1AbCdEf'],
])('the twin of %j is %s', (name, twin) => {
  expect(objectNameOf(['study', name], '1AbCdEf', 'twin')).toBe(`study/${twin}`);
  expect(pathOfObject(`study/${twin}`)).toEqual({ path: ['study', name], fileId: '1AbCdEf', cut: false });
});

test('a dot in an id is escaped, so that it is not taken for that of the extension', () => {
  expect(objectNameOf(['a.txt'], 'x.y', 'twin')).toBe('a~x%2Ey.txt');
  expect(pathOfObject('a~x%2Ey.txt')).toEqual({ path: ['a.txt'], fileId: 'x.y', cut: false });
});

test('a path may have 1,024 bytes as an object name; with one more it is cut', () => {
  expect(objectNameOf(['ü'.repeat(512)], 'id')).toBe('ü'.repeat(512));
  const name = objectNameOf(['study', `${'ü'.repeat(512)}.txt`], '1AbCdEf');
  expect(name).toMatch(/^study\/ü{493}%cut[0-9a-f]{16}~1AbCdEf\.txt$/);
  expect(pathOfObject(name)).toEqual({
    path: ['study', `${'ü'.repeat(493)}.txt`],
    fileId: '1AbCdEf',
    cut: true,
  });
  expect(objectNameOf(['study', `${'ü'.repeat(512)}.txt`], '1AbCdEf', 'twin')).toBe(name);
});

test('the exports of one document have names of their own even where only what was cut off differs', () => {
  const sheets = ['first.csv', 'second.csv'].map((sheet) =>
    objectNameOf(['ü'.repeat(600) + sheet], '1AbCdEf'),
  );
  expect(sheets.map((name) => pathOfObject(name))).toEqual(sheets.map(() => pathOfObject(sheets[0] ?? '')));
  expect(new Set(sheets).size).toBe(2);
});

test('the prefix of a folder is its names and a slash, however long, and that of the study folder is empty', () => {
  expect(prefixOf([])).toBe('');
  expect(prefixOf(['a/b', '', 'story~2'])).toBe('a%2Fb/%empty/story~2/');
  expect(prefixOf(['ü'.repeat(600)])).toHaveLength(601);
});

test('a name that objectNameOf never gave is read as it stands', () => {
  for (const name of ['50%', '%zz', '%2f', 'a%u12', '%'])
    expect(pathOfObject(name)).toEqual({ path: [name], cut: false });
});

test('a bucket takes, lists and returns such names, and its folder shows all of them', async () => {
  const [bucket] = await (await clients.storage()).createBucket('names');
  const files = fc.sample(anyFile, { numRuns: 100, seed: 3 });
  const names = [...new Set(files.map(([path, fileId, form]) => objectNameOf(path, fileId, form)))];
  const preconditionOpts = { ifGenerationMatch: 0 };
  await Promise.all(
    names.map((name) => bucket.file(name).save(name, { resumable: false, preconditionOpts })),
  );
  const [listed] = await bucket.getFiles();
  expect(listed.map(({ name }) => name).sort()).toEqual(names.sort());
  for (const file of listed) expect(String((await file.download())[0])).toBe(file.name);
  const shown = readdirSync(join(cloud.dir, 'buckets', 'names'), { recursive: true, withFileTypes: true });
  expect(shown.filter((entry) => entry.isFile())).toHaveLength(names.length);
});
