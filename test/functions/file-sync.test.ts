import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { forgetRequests, isUnconditionalWrite } from '../kit.ts';
import { useStudy } from './useStudy.ts';

const used = useStudy();
const { objects, object, downloads, writes, versionsOf } = used;

test('a file arrives byte for byte, with the MD5 checked and where it comes from', async () => {
  const content = Buffer.from([0, 255, 13, 10, 1, 2, 3]);
  const id = await used.study.file(used.here, 'a.bin', content);
  await used.study.sync(id);
  const [bytes] = await object('a.bin').download();
  expect(bytes).toEqual(content);
  const { data } = await used.study.drive.files.get({
    fileId: id,
    fields: 'modifiedTime,headRevisionId,mimeType',
  });
  const [{ metadata, md5Hash, contentType }] = await object('a.bin').getMetadata();
  expect(md5Hash).toBe(createHash('md5').update(content).digest('base64'));
  expect(contentType).toBe(data.mimeType);
  expect(metadata).toMatchObject({
    'drive-file-id': id,
    'drive-path': JSON.stringify([used.prefix.slice(0, -1), 'a.bin']),
    'drive-revision': data.headRevisionId,
    mtime: data.modifiedTime,
    'goog-reserved-file-mtime': String(Math.floor(Date.parse(data.modifiedTime ?? '') / 1000)),
  });
  expect(used.study.log.entries).toEqual([
    { severity: 'INFO', message: 'synced', object: `${used.prefix}a.bin`, bytes: 7 },
  ]);
});

test('a second delivery downloads nothing and writes nothing', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  await forgetRequests(used.cloud);
  await used.study.sync(id);
  expect(await downloads()).toBe(0);
  expect(await writes()).toEqual([]);
});

test('an edit is a new version, and the old one is kept', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  await used.study.sync(id);
  await used.study.edit(id, 'two');
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
  expect(await versionsOf('a.txt')).toBe(2);
});

test('a file that was only touched gets its new time without its bytes', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  await forgetRequests(used.cloud);
  await used.study.change(id, { modifiedTime: '2020-01-02T03:04:05.500Z' });
  await used.study.sync(id);
  expect(await downloads()).toBe(0);
  expect(await versionsOf('a.txt')).toBe(1);
  const [{ metadata }] = await object('a.txt').getMetadata();
  expect(metadata).toMatchObject({
    mtime: '2020-01-02T03:04:05.500Z',
    'goog-reserved-file-mtime': '1577934245',
  });
});

test('a renamed and a moved file move without their bytes', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  await forgetRequests(used.cloud);
  await used.study.change(id, { name: 'b.txt' });
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'b.txt': 'content of a.txt' });
  await used.study.move(id, await used.study.folder('below', used.here));
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'below/b.txt': 'content of a.txt' });
  const [{ metadata }] = await object('below/b.txt').getMetadata();
  expect(metadata).toMatchObject({
    'drive-path': JSON.stringify([used.prefix.slice(0, -1), 'below', 'b.txt']),
  });
  expect(await downloads()).toBe(0);
});

test('a file that was renamed and edited at once is under its new name with its new content', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  await used.study.sync(id);
  await used.study.edit(id, 'two');
  await used.study.change(id, { name: 'b.txt' });
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'b.txt': 'two' });
});

test('what goes into the trash is retired and not erased, and comes back', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  await used.study.change(id, { trashed: true });
  await used.study.sync(id);
  expect(await objects()).toEqual({});
  expect(await versionsOf('a.txt')).toBe(1);
  await used.study.change(id, { trashed: false });
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('a file is removed by a 404 and the word of the feed together, not by a 404 alone', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  await used.study.remove(id);
  await used.study.sync(id, false);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(used.study.log.entries.at(-1)).toMatchObject({ severity: 'WARNING' });
  await used.study.sync(id, true);
  expect(await objects()).toEqual({});
  expect(await versionsOf('a.txt')).toBe(1);
  await used.study.sync(id, true);
});

test('the word of the feed alone removes nothing: the file may be back', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  await used.study.sync(id, true);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('what is outside the study folder is none of our business, and what moves out is retired', async () => {
  const inside = await used.study.file(used.here, 'a.txt');
  await used.study.sync(inside);
  const { data } = await used.study.drive.files.create({
    requestBody: { name: 'elsewhere', mimeType: 'text/plain' },
  });
  await used.study.sync(data.id ?? '');
  await used.study.sync(used.study.dependencies.studyFolder);
  await used.study.sync('no-such-file', true);
  const aside = await used.study.drive.files.create({
    requestBody: { name: 'aside', mimeType: 'application/vnd.google-apps.folder', parents: ['root'] },
  });
  await used.study.move(inside, aside.data.id ?? '');
  await used.study.sync(inside);
  expect(await objects()).toEqual({});
  await used.study.move(inside, used.here);
  await used.study.sync(inside);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('two files that swap their names swap their objects', async () => {
  const [a, b] = [
    await used.study.file(used.here, 'a.txt', 'was a'),
    await used.study.file(used.here, 'b.txt', 'was b'),
  ];
  await used.study.converge(a, b);
  await used.study.change(a, { name: 'c.txt' });
  await used.study.change(b, { name: 'a.txt' });
  await used.study.change(a, { name: 'b.txt' });
  await used.study.converge(a, b);
  expect(await objects()).toEqual({ 'a.txt': 'was b', 'b.txt': 'was a' });
});

test('a file takes the name of one that went into the trash, whichever is heard of first', async () => {
  const [old, young] = [
    await used.study.file(used.here, 'a.txt', 'old'),
    await used.study.file(used.here, 'b.txt', 'young'),
  ];
  await used.study.converge(old, young);
  await used.study.change(old, { trashed: true });
  await used.study.change(young, { name: 'a.txt' });
  await used.study.converge(young, old);
  expect(await objects()).toEqual({ 'a.txt': 'young' });
});

test('a folder that was renamed, moved, trashed or restored takes all that is in it along', async () => {
  const folder = await used.study.folder('folder', used.here);
  const below = await used.study.folder('below', folder);
  const ids = [await used.study.file(folder, 'a.txt', 'a'), await used.study.file(below, 'b.txt', 'b')];
  await used.study.converge(folder, below, ...ids);
  await forgetRequests(used.cloud);
  await used.study.change(folder, { name: 'renamed' });
  await used.study.converge(folder);
  expect(await objects()).toEqual({ 'renamed/a.txt': 'a', 'renamed/below/b.txt': 'b' });
  await used.study.move(folder, await used.study.folder('deeper', used.here));
  await used.study.converge(folder);
  expect(await objects()).toEqual({ 'deeper/renamed/a.txt': 'a', 'deeper/renamed/below/b.txt': 'b' });
  expect(await downloads()).toBe(0);
  await used.study.change(folder, { trashed: true });
  await used.study.converge(folder);
  expect(await objects()).toEqual({});
  await used.study.change(folder, { trashed: false });
  await used.study.converge(folder);
  expect(await objects()).toEqual({ 'deeper/renamed/a.txt': 'a', 'deeper/renamed/below/b.txt': 'b' });
});

test('a folder that moves in brings what is in it', async () => {
  const { data } = await used.study.drive.files.create({
    requestBody: { name: 'came in', mimeType: 'application/vnd.google-apps.folder', parents: ['root'] },
  });
  const folder = data.id ?? '';
  await used.study.file(folder, 'a.txt', 'a');
  await used.study.move(folder, used.here);
  await used.study.converge(folder);
  expect(await objects()).toEqual({ 'came in/a.txt': 'a' });
});

test('a Google document is exported, once for each of its states', async () => {
  const mimeType = 'application/vnd.google-apps.document';
  const id = await used.study.create({ name: 'story', parents: [used.here], mimeType }, 'Once upon a time');
  await used.study.sync(id);
  const exported = await objects();
  expect(Object.keys(exported)).toEqual(['story.docx', 'story.txt']);
  expect(exported['story.txt']).toContain('Once upon a time');
  const count = await downloads();
  await used.study.sync(id);
  expect(await downloads()).toBe(count);
  await used.study.change(id, { name: 'tale' });
  await used.study.sync(id);
  expect(Object.keys(await objects())).toEqual(['tale.docx', 'tale.txt']);
  await used.study.change(id, { trashed: true });
  await used.study.sync(id);
  expect(await objects()).toEqual({});
});

test('what has no bytes is no object: a shortcut, a form', async () => {
  const target = await used.study.file(used.here, 'a.txt');
  const shortcut = await used.study.create({
    name: 'to a',
    parents: [used.here],
    mimeType: 'application/vnd.google-apps.shortcut',
    shortcutDetails: { targetId: target },
  });
  await used.study.sync(shortcut);
  expect(await objects()).toEqual({});
});

test('an empty file is an empty object', async () => {
  const id = await used.study.file(used.here, 'empty.txt', '');
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'empty.txt': '' });
  const [{ md5Hash }] = await object('empty.txt').getMetadata();
  expect(Buffer.from(md5Hash ?? '', 'base64').toString('hex')).toBe('d41d8cd98f00b204e9800998ecf8427e');
});

test('a file of more than one chunk arrives whole', async () => {
  const content = Buffer.alloc(9 * 1024 * 1024 + 1, 'gaze ');
  const id = await used.study.file(used.here, 'big.bin', content);
  await used.study.sync(id);
  const [{ md5Hash, size }] = await object('big.bin').getMetadata();
  expect(Number(size)).toBe(content.length);
  expect(md5Hash).toBe(createHash('md5').update(content).digest('base64'));
});

test('names that a bucket would misunderstand are kept apart and can be read back', async () => {
  const names = ['x/y.txt', '..', '100 %.txt', 'ü\u0308🙂.txt', 'x?#[*].txt'];
  await used.study.converge(
    ...(await Promise.all(names.map((name) => used.study.file(used.here, name, name)))),
  );
  expect(Object.values(await objects()).sort()).toEqual(names.sort());
  expect(Object.keys(await objects())).toContain('x%2Fy.txt');
});

test("every write of a file's whole life names a generation", async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  await used.study.sync(id);
  await used.study.edit(id, 'two');
  await used.study.sync(id);
  await used.study.change(id, { name: 'b.txt', modifiedTime: '2020-01-01T00:00:00Z' });
  await used.study.sync(id);
  await used.study.change(id, { trashed: true });
  await used.study.sync(id);
  const requests = await writes();
  expect(requests.length).toBeGreaterThanOrEqual(8);
  expect(requests.filter(isUnconditionalWrite)).toEqual([]);
});
