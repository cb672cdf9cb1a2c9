import { link, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { type Feed, follow, md5, settled, until } from './following.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
let feed: Feed;
const path = (...names: string[]) => join(cloud.dir, 'drive', ...names);

beforeAll(async () => {
  drive = await clients.drive();
  feed = await follow(drive);
});

/** What the feed says of the names, after all is settled. */
async function changes() {
  await settled(cloud);
  return feed.next();
}

async function dropped(name: string, text: string) {
  await writeFile(path(name), text);
  const [change] = await changes();
  expect(change?.file?.name).toBe(name);
  return change?.file ?? {};
}

test('a dropped file is in the feed with its checksums, its size and its folder', async () => {
  await writeFile(path('page.txt'), 'words');
  const [change, ...others] = await changes();
  expect(others).toEqual([]);
  expect(change).toMatchObject({ kind: 'drive#change', changeType: 'file', removed: false });
  expect(change?.file).toMatchObject({
    name: 'page.txt',
    mimeType: 'text/plain',
    md5Checksum: md5('words'),
    sha256Checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
    size: '5',
    parents: [cloud.studyFolder],
    trashed: false,
    headRevisionId: expect.any(String),
  });
  expect(change?.fileId).toBe(change?.file?.id);
});

test('an edit in place is a new revision of the same file', async () => {
  const file = await dropped('edited.txt', 'one');
  await writeFile(path('edited.txt'), 'two!');
  const [change] = await changes();
  expect(change?.fileId).toBe(file.id);
  expect(change?.file).toMatchObject({ md5Checksum: md5('two!'), size: '4' });
  expect(change?.file?.headRevisionId).not.toBe(file.headRevisionId);
  expect(Number(change?.file?.version)).toBeGreaterThan(Number(file.version));
});

test('an edit that keeps size and modification time is noticed', async () => {
  const file = await dropped('sly.txt', 'aaaa');
  const time = new Date(file.modifiedTime ?? '');
  await writeFile(path('sly.txt'), 'bbbb');
  await utimes(path('sly.txt'), time, time);
  const [change] = await changes();
  expect(change?.file).toMatchObject({ id: file.id, md5Checksum: md5('bbbb') });
});

test('an editor that renames a new file over the old one edits the same file', async () => {
  const file = await dropped('report.txt', 'first');
  await writeFile(path('report.txt.tmp'), 'second');
  await rename(path('report.txt.tmp'), path('report.txt'));
  const found = await changes();
  expect(found.map(({ fileId }) => fileId)).toEqual([file.id]);
  expect(found[0]?.file).toMatchObject({ md5Checksum: md5('second') });
});

test('an editor that moves the old file to a backup edits the same file', async () => {
  const file = await dropped('notes.txt', 'first');
  await rename(path('notes.txt'), path('notes.txt~'));
  await writeFile(path('notes.txt'), 'second');
  await rm(path('notes.txt~'));
  const found = await changes();
  expect(found.map(({ fileId }) => fileId)).toEqual([file.id]);
});

test('a touched file has a new time and the old revision', async () => {
  const file = await dropped('touched.txt', 'same');
  await utimes(path('touched.txt'), new Date(), new Date('2020-01-02T03:04:05Z'));
  const [change] = await changes();
  expect(change?.file).toMatchObject({
    id: file.id,
    modifiedTime: '2020-01-02T03:04:05.000Z',
    headRevisionId: file.headRevisionId,
  });
});

test('a renamed file keeps its id, its revision and its bytes', async () => {
  const file = await dropped('before.txt', 'stays');
  await rename(path('before.txt'), path('after.png'));
  const found = await changes();
  expect(found).toHaveLength(1);
  expect(found[0]?.file).toMatchObject({
    id: file.id,
    name: 'after.png',
    mimeType: 'image/png',
    headRevisionId: file.headRevisionId,
  });
});

test('a moved folder is one entry, and what is in it keeps its ids', async () => {
  await mkdir(path('outer', 'inner'), { recursive: true });
  await writeFile(path('outer', 'inner', 'deep.txt'), 'deep');
  const before = await changes();
  const [outer, inner, deep] = ['outer', 'inner', 'deep.txt'].map(
    (name) => before.find(({ file }) => file?.name === name)?.file,
  );
  expect(deep?.parents).toEqual([inner?.id]);
  await mkdir(path('other'));
  await rename(path('outer'), path('other', 'renamed'));
  const found = await changes();
  expect(found.map(({ file }) => file?.name).sort()).toEqual(['other', 'renamed']);
  const renamed = found.find(({ file }) => file?.name === 'renamed')?.file;
  expect(renamed?.id).toBe(outer?.id);
  const { data } = await drive.files.get({ fileId: deep?.id ?? '', alt: 'media' });
  expect(data).toBe('deep');
});

test('a deleted file leaves its id only', async () => {
  const file = await dropped('doomed.txt', 'x');
  await rm(path('doomed.txt'));
  const found = await changes();
  expect(found).toEqual([expect.objectContaining({ fileId: file.id, removed: true })]);
  expect(found[0]).not.toHaveProperty('file');
});

test('a deleted folder takes everything in it along', async () => {
  await mkdir(path('tree'));
  await Promise.all(['a', 'b'].map((name) => writeFile(path('tree', name), name)));
  const ids = (await changes()).map(({ fileId }) => fileId);
  expect(ids).toHaveLength(3);
  await rm(path('tree'), { recursive: true });
  const found = await changes();
  expect(found.map(({ fileId }) => fileId).sort()).toEqual(ids.sort());
  expect(found.every(({ removed }) => removed)).toBe(true);
});

test('two files that change places keep their ids', async () => {
  const a = await dropped('a.txt', 'A');
  const b = await dropped('b.txt', 'B');
  await rename(path('a.txt'), path('c.tmp'));
  await rename(path('b.txt'), path('a.txt'));
  await rename(path('c.tmp'), path('b.txt'));
  const found = await changes();
  const nameOf = (id: unknown) => found.find(({ fileId }) => fileId === id)?.file?.name;
  expect([nameOf(a.id), nameOf(b.id)]).toEqual(['b.txt', 'a.txt']);
});

test('what programs leave beside a file, and links, are no files of the Drive', async () => {
  await writeFile(join(cloud.dir, 'secret.txt'), 'outside');
  await symlink(join(cloud.dir, 'secret.txt'), path('link.txt'));
  await symlink(cloud.dir, path('link'));
  const names = ['.DS_Store', '~$plan.docx', 'x.tmp', 'x.part', 'x.crdownload', '.hidden.txt'];
  await Promise.all(names.map((name) => writeFile(path(name), 'x')));
  await writeFile(path('seen.txt'), 'x');
  expect((await changes()).map(({ file }) => file?.name)).toEqual(['seen.txt']);
});

test('a file that is written slowly is in the feed once, whole', async () => {
  for (let size = 1; size <= 12; size++) {
    await writeFile(path('slow.bin'), Buffer.alloc(size * 1000));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const found = await changes();
  expect(found.map(({ file }) => [file?.name, file?.size])).toEqual([['slow.bin', '12000']]);
  // It was not there in parts before.
  expect(found[0]?.file?.version).toBe('1');
});

test('a download gives the bytes of the revision that the feed told of, even right after an edit', async () => {
  const file = await dropped('quick.txt', 'old');
  await writeFile(path('quick.txt'), 'newer');
  const { data } = await drive.files.get({ fileId: file.id ?? '', alt: 'media' });
  const { data: now } = await drive.files.get({ fileId: file.id ?? '', fields: 'md5Checksum' });
  expect(md5(data as string)).toBe(now.md5Checksum);
  expect((await changes()).map(({ fileId }) => fileId)).toEqual([file.id]);
});

test('a file that is moved to and fro while the folder is looked at is never taken for gone', async () => {
  const names = Array.from({ length: 400 }, (_, i) => `${i}.txt`);
  for (const folder of ['left', 'right']) {
    await mkdir(path(folder));
    await Promise.all(names.map((name) => writeFile(path(folder, name), '')));
  }
  await writeFile(path('left', 'ball'), 'x');
  const ball = (await changes()).find(({ file }) => file?.name === 'ball')?.fileId;
  // An odd number: it ends elsewhere, whatever was seen of its way.
  for (let turn = 0; turn < 71; turn++) {
    const [from = '', to = ''] = turn % 2 ? ['right', 'left'] : ['left', 'right'];
    await rename(path(from, 'ball'), path(to, 'ball'));
    await new Promise((resolve) => setTimeout(resolve, turn % 12));
  }
  const found = await changes();
  expect(found.map(({ fileId, removed }) => [fileId, removed])).toEqual([[ball, false]]);
  for (const folder of ['left', 'right']) await rm(path(folder), { recursive: true });
  await changes();
});

test('an edit that the API overtakes is not forgotten', async () => {
  const file = await dropped('overtaken.txt', 'old');
  await writeFile(path('overtaken.txt'), 'new');
  await drive.files.update({ fileId: file.id ?? '', requestBody: { name: 'renamed.txt' } });
  const [change] = await changes();
  expect(change?.file).toMatchObject({ id: file.id, name: 'renamed.txt', md5Checksum: md5('new') });
});

test('if the whole folder is out of reach for a while, nothing is gone', async () => {
  await dropped('safe.txt', 'x');
  const error = jest.spyOn(console, 'error').mockImplementation(() => {});
  await rename(path(), `${path()}-away`);
  await until(() => error.mock.calls.length > 0);
  error.mockRestore();
  await rename(`${path()}-away`, path());
  await fetch(`${cloud.origin}/_local/drive/scan`, { method: 'POST' });
  expect(await changes()).toEqual([]);
});

test('a name that is no text is skipped, with one line, and stops nothing', async () => {
  // Other systems refuse such a name themselves.
  if (process.platform !== 'linux') return;
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const name = Buffer.concat([Buffer.from(`${path()}/bad`), Buffer.from([0xff]), Buffer.from('.txt')]);
  await writeFile(name, 'x');
  await writeFile(path('good.txt'), 'x');
  expect((await changes()).map(({ file }) => file?.name)).toEqual(['good.txt']);
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/skipped .*bad.*ENOENT/)]]);
  warn.mockRestore();
  await rm(name);
});

test('a hard link is a file of its own', async () => {
  const file = await dropped('one.txt', 'x');
  await link(path('one.txt'), path('two.txt'));
  const found = (await changes()).filter(({ fileId }) => fileId !== file.id);
  expect(found.map(({ file }) => file?.name)).toEqual(['two.txt']);
  const { data } = await until(() => drive.files.get({ fileId: file.id ?? '' }));
  expect(data.name).toBe('one.txt');
});
