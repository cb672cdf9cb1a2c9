import { randomBytes } from 'node:crypto';
import { folderType } from '../../shared/drive/driveFile.ts';
import { objectNameOf } from '../../shared/drive/objectName.ts';
import type { Sync } from './syncKit.ts';

export const documentType = 'application/vnd.google-apps.document';

type Item = {
  name: string;
  parent: string;
  kind: 'file' | 'folder' | 'document';
  content: Buffer;
  trashed: boolean;
};

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

/** People at work on a Drive, and what they would expect to find. */
export function createModel(
  { drive, create }: Pick<Sync, 'drive' | 'create'>,
  root: string,
  random: () => number,
) {
  const items = new Map<string, Item>();
  /** Paths that several files have had at one time: of these, one may be left with its twin's name. */
  const clashes = new Set<string>();
  const pick = <T>(list: T[]): T | undefined => list[Math.floor(random() * list.length)];
  const names = ['a', 'b', 'A', 'ä', 'a\u0308', 'x/y', '..', 'a~1.txt', '100 %', 'c\r\n'];
  const name = (extension: string) => `${pick(names)}${random() < 0.7 ? extension : ''}`;
  const some = (kinds: Item['kind'][], isTrashed = false) =>
    pick(
      [...items]
        .filter(([, { kind, trashed }]) => kinds.includes(kind) && trashed === isTrashed)
        .map(([id]) => id),
    );
  const folder = () => (random() < 0.3 ? root : (some(['folder']) ?? root));
  const content = () => {
    const size = pick([0, 1, 100, 5000, 300_000, 256 * 1024, 900_000]) ?? 0;
    return randomBytes(size);
  };
  const isBelow = (id: string, above: string): boolean =>
    id === above || (items.has(id) && isBelow((items.get(id) as Item).parent, above));
  const update = (fileId: string, requestBody: object, more: object = {}) =>
    drive.files.update({ fileId, requestBody, supportsAllDrives: true, ...more });

  /** Names from the root down, if it is there and nothing above it is in the trash. */
  function pathOf(id: string): string[] | undefined {
    const item = items.get(id);
    if (!item || item.trashed) return undefined;
    if (item.parent === root) return [item.name];
    const above = pathOf(item.parent);
    return above && [...above, item.name];
  }

  /** Every file that must be in the bucket: its object names without regard to others, and its bytes. */
  function expected(): { id: string; plain: string; twin: string; content: Buffer | undefined }[] {
    return [...items].flatMap(([id, { kind, content }]) => {
      const path = pathOf(id);
      if (!path || kind === 'folder') return [];
      const last = path.pop() ?? '';
      const exports = kind === 'document' ? ['.docx', '.txt'] : [''];
      return exports.map((extension) => ({
        id,
        plain: objectNameOf([...path, last + extension], id),
        twin: objectNameOf([...path, last + extension], id, 'twin'),
        content: kind === 'file' ? content : undefined,
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

  const edits: Record<string, () => Promise<void>> = {
    async 'create a file'() {
      const item: Item = {
        name: name('.txt'),
        parent: folder(),
        kind: 'file',
        content: content(),
        trashed: false,
      };
      items.set(await create({ name: item.name, parents: [item.parent] }, item.content), item);
    },
    async 'create a folder'() {
      const item: Item = {
        name: name(''),
        parent: folder(),
        kind: 'folder',
        content: Buffer.alloc(0),
        trashed: false,
      };
      items.set(await create({ name: item.name, parents: [item.parent], mimeType: folderType }), item);
    },
    async 'create a document'() {
      const text = `document ${random()}`;
      const item: Item = {
        name: name(''),
        parent: folder(),
        kind: 'document',
        content: Buffer.from(text),
        trashed: false,
      };
      items.set(
        await create({ name: item.name, parents: [item.parent], mimeType: documentType }, text),
        item,
      );
    },
    async edit() {
      const id = some(['file']);
      if (!id) return;
      const fresh = content();
      const { Readable } = await import('node:stream');
      await drive.files.update({ fileId: id, media: { body: Readable.from([fresh]) } });
      (items.get(id) as Item).content = fresh;
    },
    async rename() {
      const id = some(['file', 'folder', 'document']);
      if (!id) return;
      const fresh = name('.txt');
      await update(id, { name: fresh });
      (items.get(id) as Item).name = fresh;
    },
    async move() {
      const id = some(['file', 'folder', 'document']);
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
      const id = some(['file', 'folder', 'document']);
      if (!id) return;
      await update(id, { trashed: true });
      (items.get(id) as Item).trashed = true;
    },
    async restore() {
      const id = some(['file', 'folder', 'document'], true);
      if (!id) return;
      await update(id, { trashed: false });
      (items.get(id) as Item).trashed = false;
    },
    async delete() {
      const id = some(['file', 'folder', 'document'], random() < 0.5);
      if (!id) return;
      await drive.files.delete({ fileId: id });
      for (const below of [...items.keys()]) if (isBelow(below, id)) items.delete(below);
    },
  };

  return {
    expected,
    clashes,
    async edit(): Promise<string> {
      const weights = ['create a file', 'create a file', ...Object.keys(edits)];
      const kind = pick(weights) ?? 'edit';
      await edits[kind]?.();
      noteClashes();
      return kind;
    },
  };
}
