import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { folderType } from '../../shared/drive/driveFile.ts';
import { objectNameOf } from '../../shared/drive/objectName.ts';
import type { Sync } from './syncKit.ts';

const google = 'application/vnd.google-apps';
const office = 'application/vnd.openxmlformats-officedocument';

/** What each kind is for Drive, and the files that Google's own become; nothing where there is no export. */
const kinds = {
  file: { mimeType: undefined, exports: undefined },
  folder: { mimeType: folderType, exports: undefined },
  document: {
    mimeType: `${google}.document`,
    exports: { docx: `${office}.wordprocessingml.document`, txt: 'text/plain' },
  },
  spreadsheet: {
    mimeType: `${google}.spreadsheet`,
    exports: { xlsx: `${office}.spreadsheetml.sheet`, csv: 'text/csv' },
  },
  presentation: { mimeType: `${google}.presentation`, exports: { pdf: 'application/pdf' } },
  form: { mimeType: `${google}.form`, exports: {} },
} as const;
type Kind = keyof typeof kinds;
const all = Object.keys(kinds) as Kind[];
const natives: Kind[] = ['document', 'spreadsheet', 'presentation'];

type Item = {
  name: string;
  parent: string;
  kind: Kind;
  content: Buffer;
  trashed: boolean;
  /** We have no access to it any more. */
  lost: boolean;
};

/** An object that must be in the bucket: its names without regard to others, and its bytes. */
type Expected = { id: string; plain: string; twin: string; bytes: () => Promise<Buffer> };

/** The same numbers for the same seed. https://github.com/cprosche/mulberry32 */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * People at work on a Drive, and what they would expect to find.
 * @param repertoire `few`: what they did before they learned of the rest, for the seeds that were found then
 */
export function createModel(
  { drive, create }: Pick<Sync, 'drive' | 'create'>,
  root: string,
  random: () => number,
  repertoire: 'few' | 'all' = 'all',
) {
  const items = new Map<string, Item>();
  /** Paths that several files have had at one time: of these, one may be left with its twin's name. */
  const clashes = new Set<string>();
  /** How often a file may have to come once more: when access to it comes back, nothing is remembered of it. */
  const again = new Map<string, number>();
  const mayComeAgain = (id: string) => void again.set(id, (again.get(id) ?? 0) + 1);
  const pick = <T>(list: T[]): T | undefined => list[Math.floor(random() * list.length)];
  const names = ['a', 'b', 'A', 'ä', 'a\u0308', 'x/y', '..', 'a~1.txt', '100 %', 'c\r\n'];
  const name = (extension: string) => `${pick(names)}${random() < 0.7 ? extension : ''}`;
  const isBelow = (id: string, above: string): boolean =>
    id === above || (items.has(id) && isBelow((items.get(id) as Item).parent, above));
  const isHidden = (id: string): boolean => {
    const item = items.get(id);
    return item !== undefined && (item.lost || isHidden(item.parent));
  };
  /** One that can be reached; it may lie in a folder that is in the trash. */
  const some = (wanted: Kind[], isTrashed = false) =>
    pick(
      [...items]
        .filter(([id, { kind, trashed }]) => wanted.includes(kind) && trashed === isTrashed && !isHidden(id))
        .map(([id]) => id),
    );
  const folder = () => (random() < 0.3 ? root : (some(['folder']) ?? root));
  const content = () => randomBytes(pick([0, 1, 100, 5000, 300_000, 256 * 1024, 900_000]) ?? 0);
  const update = (fileId: string, requestBody: object, more: object = {}) =>
    drive.files.update({ fileId, requestBody, supportsAllDrives: true, ...more });

  /** Names from the root down, if it can be seen and nothing above it is in the trash. */
  function pathOf(id: string): string[] | undefined {
    const item = items.get(id);
    if (!item || item.trashed || item.lost) return undefined;
    if (item.parent === root) return [item.name];
    const above = pathOf(item.parent);
    return above && [...above, item.name];
  }

  /** Every object that must be in the bucket. */
  function expected(): Expected[] {
    return [...items].flatMap(([id, { kind, content }]) => {
      const path = pathOf(id);
      if (!path || kind === 'folder') return [];
      const last = path.pop() ?? '';
      const { exports } = kinds[kind];
      const formats: [string, string | undefined][] = exports
        ? Object.entries(exports).map(([extension, type]) => [`.${extension}`, type])
        : [['', undefined]];
      return formats.map(([extension, mimeType]) => ({
        id,
        plain: objectNameOf([...path, last + extension], id),
        twin: objectNameOf([...path, last + extension], id, 'twin'),
        bytes: async () => {
          // A text is what was written; of the other formats Drive knows the bytes.
          if (!mimeType || mimeType.startsWith('text/')) return content;
          const { data } = await drive.files.export(
            { fileId: id, mimeType },
            { responseType: 'arraybuffer' },
          );
          return Buffer.from(data as ArrayBuffer);
        },
      }));
    });
  }

  function noteClashes(): void {
    const seen = new Set<string>();
    for (const { plain } of expected()) {
      if (seen.has(plain)) clashes.add(plain);
      seen.add(plain);
    }
  }

  async function make(kind: Kind, name: string, contentOf?: () => Buffer): Promise<void> {
    const { mimeType } = kinds[kind];
    const parent = folder();
    const content = contentOf?.();
    const resource = { name, parents: [parent], ...(mimeType ? { mimeType } : {}) };
    const id = await create(resource, content);
    items.set(id, { name, parent, kind, content: content ?? Buffer.alloc(0), trashed: false, lost: false });
  }
  const text = (text: string) => () => Buffer.from(text);

  const few: Record<string, () => Promise<void>> = {
    'create a file': () => make('file', name('.txt'), content),
    'create a folder': () => make('folder', name('')),
    async 'create a document'() {
      const content = text(`document ${random()}`);
      await make('document', name(''), content);
    },
    async edit() {
      const id = some(['file']);
      if (!id) return;
      const fresh = content();
      await drive.files.update({ fileId: id, media: { body: Readable.from([fresh]) } });
      (items.get(id) as Item).content = fresh;
    },
    async rename() {
      const id = some(all);
      if (!id) return;
      const fresh = name('.txt');
      await update(id, { name: fresh });
      (items.get(id) as Item).name = fresh;
    },
    async move() {
      const id = some(all);
      const to = folder();
      const item = items.get(id ?? '');
      if (!id || !item || isBelow(to, id) || to === item.parent) return;
      await update(id, {}, { addParents: to, removeParents: item.parent });
      item.parent = to;
    },
    async touch() {
      const id = some(['file']);
      if (!id) return;
      await update(id, { modifiedTime: new Date(1.6e12 + Math.floor(random() * 1e11)).toISOString() });
    },
    async trash() {
      const id = some(all);
      if (!id) return;
      await update(id, { trashed: true });
      (items.get(id) as Item).trashed = true;
    },
    async restore() {
      const id = some(all, true);
      if (!id) return;
      await update(id, { trashed: false });
      (items.get(id) as Item).trashed = false;
    },
    async delete() {
      const id = some(all, random() < 0.5);
      if (!id) return;
      await drive.files.delete({ fileId: id });
      // Which are below is known only as long as all of them are there.
      for (const below of [...items.keys()].filter((one) => isBelow(one, id))) items.delete(below);
    },
  };

  const more: typeof few = {
    // Ten slices and some bytes.
    'create a huge file': () => make('file', name('.bin'), () => randomBytes(10 * 256 * 1024 + 7)),
    // More than one slice in both of its formats.
    'create a long document': () => make('document', name(''), text(randomBytes(300_000).toString('base64'))),
    'create a spreadsheet': () => make('spreadsheet', name(''), text(`time,x,y\n1,${random()},3\n`)),
    'create a presentation': () => make('presentation', name(''), text(`slide ${random()}`)),
    'create a form': () => make('form', name('')),
    async 'edit a native file'() {
      const id = some(natives);
      if (!id) return;
      const fresh = Buffer.from(`edited,${random()}\n`);
      await drive.files.update({
        fileId: id,
        media: { mimeType: 'text/plain', body: Readable.from([fresh]) },
      });
      (items.get(id) as Item).content = fresh;
    },
    async 'lose access'() {
      const id = some(all);
      if (!id) return;
      const { data } = await drive.permissions.list({ fileId: id, fields: 'permissions(id,emailAddress)' });
      const mine = data.permissions?.find(({ emailAddress }) => emailAddress?.includes('gserviceaccount'));
      await drive.permissions.delete({ fileId: id, permissionId: mine?.id ?? '' });
      (items.get(id) as Item).lost = true;
      email = mine?.emailAddress ?? '';
    },
    async 'regain access'() {
      const id = pick([...items].filter(([, { lost }]) => lost).map(([id]) => id));
      if (!id) return;
      await drive.permissions.create({
        fileId: id,
        requestBody: { type: 'user', role: 'writer', emailAddress: email },
      });
      (items.get(id) as Item).lost = false;
      for (const below of items.keys()) if (isBelow(below, id)) mayComeAgain(below);
    },
  };
  /** The service account's. */
  let email = '';

  const edits = repertoire === 'all' ? { ...few, ...more } : few;
  const often = ['create a file', 'create a file'];
  if (repertoire === 'all') often.push('create a file', 'create a folder', 'move', 'regain access');
  const weights = [...often, ...Object.keys(edits)];
  return {
    expected,
    clashes,
    again,
    mayComeAgain,
    async edit(): Promise<string> {
      const kind = pick(weights) ?? 'edit';
      await edits[kind]?.();
      noteClashes();
      return kind;
    },
  };
}
