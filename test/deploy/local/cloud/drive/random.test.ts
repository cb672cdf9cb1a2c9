import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { follow, md5, settled } from './following.ts';

const cloud = useLocalCloud();

const name = fc.constantFrom('a', 'b', 'c.txt', 'd.png');
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('write'), to: place, text: fc.string({ maxLength: 8 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('replace'), to: place, text: fc.string({ maxLength: 8 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('move'), from: place, to: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), to: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat(250) }) },
);
type Action = { do: string; to?: string; from?: string; text?: string; ms?: number };

/** What the disk allows is done; that a file lies where a folder should be, and the like, is part of the game. */
async function run(root: string, { do: what, to = '', from = '', text = '', ms = 0 }: Action) {
  const path = join(root, to);
  const work = async () => {
    if (what === 'wait') return sleep(ms);
    if (what === 'delete') return rm(path, { recursive: true });
    await mkdir(dirname(path), { recursive: true });
    if (what === 'move') return rename(join(root, from), path);
    if (what === 'write') return writeFile(path, text);
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  };
  await work().catch((error: NodeJS.ErrnoException) => {
    if (!/^E(NOENT|ISDIR|NOTDIR|EXIST|NOTEMPTY|INVAL)$/.test(error.code ?? '')) throw error;
  });
}

type Tree = Record<string, { id: string; md5: string | undefined }>;

/** Path, id and checksum of all that the API knows. */
async function asTheApiSees(drive: drive_v3.Drive): Promise<Tree> {
  const files: drive_v3.Schema$File[] = [];
  let pageToken: string | undefined;
  do {
    const page = { pageSize: 100, fields: 'nextPageToken,files(id,name,parents,md5Checksum)' };
    const { data } = await drive.files.list({ ...page, ...(pageToken ? { pageToken } : {}) });
    files.push(...(data.files ?? []));
    pageToken = data.nextPageToken ?? undefined;
  } while (pageToken);
  const byId = new Map(files.map((file) => [file.id, file]));
  const pathOf = ({ name, parents }: drive_v3.Schema$File): string => {
    const parent = byId.get(parents?.[0]);
    return parent && parent.id !== cloud.studyFolder ? `${pathOf(parent)}/${name}` : `${name}`;
  };
  const items = files.filter(({ id }) => id !== cloud.studyFolder);
  return Object.fromEntries(
    items.map((file) => [pathOf(file), { id: file.id ?? '', md5: file.md5Checksum ?? undefined }]),
  );
}

async function asTheDiskIs(root: string): Promise<Record<string, string | undefined>> {
  const dirents = await readdir(root, { recursive: true, withFileTypes: true });
  const entries = dirents
    .filter(({ name }) => !name.endsWith('.tmp'))
    .map(async (dirent): Promise<[string, string | undefined]> => {
      const path = join(dirent.parentPath, dirent.name);
      return [path.slice(root.length + 1), dirent.isFile() ? md5(await readFile(path)) : undefined];
    });
  return Object.fromEntries(await Promise.all(entries));
}

test('whatever is done on disk, in the end the Drive equals it and the feed told of each change', async () => {
  const drive = await clients.drive();
  const root = join(cloud.dir, 'drive');
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
      await settled(cloud);
      const before = await asTheApiSees(drive);
      const feed = await follow(drive);
      for (const one of actions) await run(root, one);
      await settled(cloud);

      const after = await asTheApiSees(drive);
      const disk = await asTheDiskIs(root);
      expect(Object.fromEntries(Object.entries(after).map(([path, { md5 }]) => [path, md5]))).toEqual(disk);

      const told = await feed.next();
      const idOf = (tree: Tree) =>
        new Map(Object.entries(tree).map(([path, file]) => [file.id, { path, ...file }]));
      const [old, now] = [idOf(before), idOf(after)];
      for (const id of new Set([...old.keys(), ...now.keys()])) {
        const [was, is] = [old.get(id), now.get(id)];
        const entry = told.find(({ fileId }) => fileId === id);
        if (!is) expect(entry?.removed).toBe(true);
        // What moved along with a folder has no entry of its own.
        else if (!was || was.md5 !== is.md5) expect(entry?.file).toMatchObject({ id });
        else if (was.path.split('/').at(-1) !== is.path.split('/').at(-1))
          expect(entry?.file).toMatchObject({ id });
      }
      expect(told).toHaveLength(new Set(told.map(({ fileId }) => fileId)).size);
    }),
    { numRuns: Number(process.env.GAZELINE_RUNS ?? 8) },
  );
});
