import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { type Feed, follow, md5, refusal, settled } from './following.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
let feed: Feed;
const folderType = 'application/vnd.google-apps.folder';
const path = (...names: string[]) => join(cloud.dir, 'drive', ...names);

beforeAll(async () => {
  drive = await clients.drive();
  feed = await follow(drive);
});

async function create(requestBody: drive_v3.Schema$File, body?: string, fields = '*') {
  const media = body === undefined ? {} : { media: { body, mimeType: requestBody.mimeType ?? 'text/plain' } };
  const { data } = await drive.files.create({ requestBody, ...media, fields });
  return { ...data, id: data.id ?? '' };
}
const get = async (fileId: string, fields = '*') => (await drive.files.get({ fileId, fields })).data;

test('a file that was uploaded is on disk, in the feed once, and not taken for a second file', async () => {
  await settled(cloud);
  await feed.next();
  const file = await create({ name: 'up.txt' }, 'loaded');
  expect(await readFile(path('up.txt'), 'utf8')).toBe('loaded');
  expect(file).toMatchObject({ md5Checksum: md5('loaded'), size: '6', parents: [cloud.studyFolder] });
  await fetch(`${cloud.origin}/_local/drive/scan`, { method: 'POST' });
  expect((await feed.next()).map(({ fileId }) => fileId)).toEqual([file.id]);
  const { data } = await drive.files.list({ q: "name = 'up.txt'" });
  expect(data.files).toHaveLength(1);
  expect((await get(file.id)).version).toBe(file.version);
});

test('unasked, only four fields are given', async () => {
  const { id } = await create({ name: 'four.txt' }, 'x');
  const file = (await drive.files.get({ fileId: id })).data;
  expect(file).toEqual({ kind: 'drive#file', id, name: 'four.txt', mimeType: 'text/plain' });
  const { data } = await drive.files.list({ q: "name = 'four.txt'" });
  expect(data.files).toEqual([file]);
  expect((await get(id, 'size,owners/emailAddress,capabilities(canDownload)')).capabilities).toEqual({
    canDownload: true,
  });
});

test('a misspelled field is refused', async () => {
  const wrong = { status: 400, reason: 'invalidParameter', location: 'fields' };
  expect(await refusal(drive.files.get({ fileId: 'root', fields: 'id,nmae' }))).toEqual(wrong);
  expect(await refusal(drive.files.list({ fields: 'files(id' }))).toEqual(wrong);
  expect(await refusal(drive.files.list({ fields: 'files(((((' }))).toEqual(wrong);
});

test('a range of a file is given as 206, and one behind its end as 416', async () => {
  const { id: fileId } = await create({ name: 'digits.bin' }, '0123456789');
  const range = async (Range: string) => {
    const answer = await drive.files.get(
      { fileId, alt: 'media' },
      { headers: { Range }, responseType: 'text' },
    );
    const headers = new Headers(answer.headers as unknown as Record<string, string>);
    return { status: answer.status, data: answer.data, range: headers.get('content-range') };
  };
  const middle = await range('bytes=2-4');
  expect([middle.status, middle.data, middle.range]).toEqual([206, '234', 'bytes 2-4/10']);
  expect((await range('bytes=7-')).data).toBe('789');
  expect((await range('bytes=-2')).data).toBe('89');
  expect((await range('bytes=8-99')).range).toBe('bytes 8-9/10');
  expect((await range('bytes=4-2')).status).toBe(200);
  expect(await refusal(range('bytes=10-'))).toMatchObject({ status: 416 });
});

test('an empty file has no bytes and the checksum of nothing', async () => {
  const file = await create({ name: 'empty.txt' }, '');
  expect(file).toMatchObject({ size: '0', md5Checksum: 'd41d8cd98f00b204e9800998ecf8427e' });
  const whole = await drive.files.get({ fileId: file.id, alt: 'media' }, { responseType: 'text' });
  expect([whole.status, whole.data]).toEqual([200, '']);
  const ranged = drive.files.get({ fileId: file.id, alt: 'media' }, { headers: { Range: 'bytes=0-' } });
  expect(await refusal(ranged)).toMatchObject({ status: 416 });
});

test.each([
  'a/b',
  '../../escape.txt',
  '..',
  '.',
  '.hidden',
  '~$lock.docx',
  'half.tmp',
  'half.part',
  'backup~',
  'nul\0 and \r\n lines',
  'back\\slash',
  '#[]*?<>|:"',
  'émoji 🎉 ‮rtl',
  'e\u0301 and \u00e9',
  `${'long'.repeat(200)}.txt`,
  '🎉'.repeat(100),
  '',
  ' ',
  '\u0001\t\u007f',
  'lone \ud83c surrogate',
  '\udf89',
])('the name %j survives, in the folder and below no other name', async (name) => {
  const before = (await readdir(path())).length;
  const outside = await readdir(cloud.dir);
  const file = await create({ name }, 'content');
  expect(file.name).toBe(name);
  expect(await readdir(path())).toHaveLength(before + 1);
  expect(await readdir(cloud.dir)).toEqual(outside);
  await fetch(`${cloud.origin}/_local/drive/scan`, { method: 'POST' });
  expect((await get(file.id)).name).toBe(name);
  expect(await drive.files.get({ fileId: file.id, alt: 'media' })).toMatchObject({ data: 'content' });
});

test.each(['', 'a/b', "quote ' and \\ slash", 'nul\0 and \r\n lines', '🎉', 'e\u0301'])(
  'the name %j is found by a query for it',
  async (name) => {
    const { id } = await create({ name });
    const { data } = await drive.files.list({ q: `name = '${name.replace(/['\\]/g, '\\$&')}'` });
    expect(data.files?.map((file) => file.id)).toContain(id);
    expect(data.files?.map((file) => file.name)).toEqual(data.files?.map(() => name));
  },
);

test('a name that is changed to or from a lone surrogate is the new name', async () => {
  const { id: fileId } = await create({ name: 'lone \ud800' });
  for (const name of ['lone \ud801', 'lone \ufffd', '\udfff', 'plain', '']) {
    const { data } = await drive.files.update({ fileId, requestBody: { name } });
    expect([data.name, (await get(fileId)).name]).toEqual([name, name]);
  }
  const { data } = await drive.files.create({ requestBody: {} });
  expect(data.name).toBe('Untitled');
});

test('the same name twice is two files, and renaming one leaves the other', async () => {
  const [one, two] = [await create({ name: 'twin.txt' }, '1'), await create({ name: 'twin.txt' }, '2')];
  expect(one.id).not.toBe(two.id);
  expect(await readFile(path('twin (2).txt'), 'utf8')).toBe('2');
  await drive.files.update({ fileId: one.id, requestBody: { name: 'single.txt' } });
  expect((await get(two.id)).name).toBe('twin.txt');
  expect(await readFile(path('single.txt'), 'utf8')).toBe('1');
});

test('a file moves by its parents, which cannot be written directly', async () => {
  const folder = await create({ name: 'target', mimeType: folderType });
  const file = await create({ name: 'moving.txt' }, 'x');
  const parents = { fileId: file.id, requestBody: { parents: [folder.id] } };
  expect(await refusal(drive.files.update(parents))).toMatchObject({
    status: 403,
    reason: 'fieldNotWritable',
  });
  const add = drive.files.update({ fileId: file.id, addParents: folder.id });
  expect(await refusal(add)).toMatchObject({ status: 403, reason: 'cannotAddParent' });
  await drive.files.update({ fileId: file.id, addParents: folder.id, removeParents: cloud.studyFolder });
  expect((await get(file.id)).parents).toEqual([folder.id]);
  expect(await readFile(path('target', 'moving.txt'), 'utf8')).toBe('x');
  const into = { fileId: folder.id, addParents: folder.id, removeParents: cloud.studyFolder };
  expect(await refusal(drive.files.update(into))).toMatchObject({ status: 403 });
});

test('what is in the trash is out of the folder, and comes back as it was', async () => {
  const folder = await create({ name: 'bin', mimeType: folderType });
  const file = await create({ name: 'kept.txt', parents: [folder.id] }, 'bytes');
  await settled(cloud);
  await feed.next();
  await drive.files.update({ fileId: folder.id, requestBody: { trashed: true } });
  await expect(stat(path('bin'))).rejects.toThrow('ENOENT');
  expect(await get(folder.id)).toMatchObject({ trashed: true, explicitlyTrashed: true });
  expect(await get(file.id)).toMatchObject({ trashed: true, explicitlyTrashed: false });
  expect(await drive.files.get({ fileId: file.id, alt: 'media' })).toMatchObject({ data: 'bytes' });
  await settled(cloud);
  // As at Google, one entry: that of the folder.
  expect((await feed.next()).map(({ fileId, removed }) => [fileId, removed])).toEqual([[folder.id, false]]);
  await drive.files.update({ fileId: folder.id, requestBody: { trashed: false } });
  expect(await readFile(path('bin', 'kept.txt'), 'utf8')).toBe('bytes');
  const back = await get(file.id);
  expect(back).toMatchObject({ trashed: false, headRevisionId: file.headRevisionId, version: file.version });
});

test('deleting and emptying the trash leave tombstones', async () => {
  const folder = await create({ name: 'gone', mimeType: folderType });
  const inside = await create({ name: 'inside', parents: [folder.id] }, 'x');
  const trashed = await create({ name: 'trashed' }, 'x');
  await drive.files.update({ fileId: trashed.id, requestBody: { trashed: true } });
  await feed.next();
  await drive.files.delete({ fileId: folder.id });
  await drive.files.emptyTrash();
  const found = await feed.next();
  expect(found.map(({ fileId }) => fileId).sort()).toEqual([folder.id, inside.id, trashed.id].sort());
  expect(found.every(({ removed, file }) => removed && !file)).toBe(true);
  expect(await refusal(drive.files.get({ fileId: inside.id }))).toEqual({
    status: 404,
    reason: 'notFound',
    location: 'fileId',
  });
  expect(await readdir(join(cloud.dir, '.cloud', 'blobs', 'drive'))).toEqual([]);
});

test('metadata is merged, and times are those of the file on disk', async () => {
  const { id: fileId } = await create({ name: 'meta.txt', properties: { a: '1', b: '2' } }, 'x');
  const requestBody = {
    properties: { b: null as unknown as string, c: '3' },
    description: 'words',
    starred: true,
    modifiedTime: '2021-02-03T04:05:06+01:00',
  };
  await drive.files.update({ fileId, requestBody });
  const file = await get(fileId);
  expect(file).toMatchObject({ properties: { a: '1', c: '3' }, description: 'words', starred: true });
  expect(file.modifiedTime).toBe('2021-02-03T03:05:06.000Z');
  expect((await stat(path('meta.txt'))).mtime.toISOString()).toBe('2021-02-03T03:05:06.000Z');
  const wrong = drive.files.update({ fileId, requestBody: { modifiedTime: 'yesterday' } });
  expect(await refusal(wrong)).toMatchObject({ status: 400, reason: 'invalid', location: 'modifiedTime' });
});

test('a copy has the same bytes and another id', async () => {
  const source = await create({ name: 'source.txt' }, 'same');
  const { data } = await drive.files.copy({ fileId: source.id, fields: '*' });
  expect(data).toMatchObject({ name: 'Copy of source.txt', md5Checksum: source.md5Checksum });
  expect(data.id).not.toBe(source.id);
});

test('an id that was generated before makes a file only once', async () => {
  const { data } = await drive.files.generateIds({ count: 2 });
  const [id = ''] = data.ids ?? [];
  expect((await create({ id, name: 'once.txt' }, 'x')).id).toBe(id);
  expect(await refusal(create({ id, name: 'once.txt' }, 'x'))).toMatchObject({
    status: 409,
    reason: 'fileIdInUse',
  });
});

test('a new revision is the head, and the old one can no longer be downloaded', async () => {
  const { id: fileId, headRevisionId } = await create({ name: 'revised.txt' }, 'one');
  await drive.files.update({ fileId, media: { body: 'two', mimeType: 'text/plain' } });
  const { data } = await drive.revisions.list({ fileId, fields: '*' });
  expect(data.revisions?.map(({ md5Checksum }) => md5Checksum)).toEqual([md5('one'), md5('two')]);
  const old = drive.revisions.get({ fileId, revisionId: headRevisionId ?? '', alt: 'media' });
  expect(await refusal(old)).toMatchObject({ status: 403, reason: 'downloadRestrictedForRevision' });
});

test('a shortcut knows its target, and has no bytes', async () => {
  const target = await create({ name: 'target.txt' }, 'x');
  const mimeType = 'application/vnd.google-apps.shortcut';
  const shortcut = await create({ name: 'to target', mimeType, shortcutDetails: { targetId: target.id } });
  expect(shortcut.shortcutDetails).toEqual({ targetId: target.id, targetMimeType: 'text/plain' });
  await fetch(`${cloud.origin}/_local/drive/scan`, { method: 'POST' });
  expect(await refusal(drive.files.get({ fileId: shortcut.id, alt: 'media' }))).toMatchObject({
    status: 403,
  });
});

test('what must not be downloaded is refused with its reason', async () => {
  const abusive = await create({ name: 'bad.exe', properties: { abusive: 'true' } }, 'x');
  const download = drive.files.get({ fileId: abusive.id, alt: 'media', acknowledgeAbuse: true });
  expect(await refusal(download)).toMatchObject({ status: 403, reason: 'cannotDownloadAbusiveFile' });
  const closed = await create({ name: 'closed.txt', copyRequiresWriterPermission: true }, 'x');
  expect(closed.capabilities?.canDownload).toBe(false);
  const refused = drive.files.get({ fileId: closed.id, alt: 'media' });
  expect(await refusal(refused)).toMatchObject({ status: 403, reason: 'fileNotDownloadable' });
});

test('a file out of reach is 404 and removed in the feed, and its children are just out of reach', async () => {
  const folder = await create({ name: 'private', mimeType: folderType });
  const file = await create({ name: 'secret.txt', parents: [folder.id] }, 'x');
  await feed.next();
  const { data } = await drive.permissions.list({ fileId: folder.id, fields: '*' });
  const mine = data.permissions?.find(({ emailAddress }) => emailAddress?.includes('gserviceaccount'));
  await drive.permissions.delete({ fileId: folder.id, permissionId: mine?.id ?? '' });
  expect(await feed.next()).toEqual([expect.objectContaining({ fileId: folder.id, removed: true })]);
  for (const fileId of [folder.id, file.id]) {
    expect(await refusal(drive.files.get({ fileId }))).toMatchObject({ status: 404, reason: 'notFound' });
  }
  const again = { type: 'user', role: 'writer', emailAddress: mine?.emailAddress ?? '' };
  await drive.permissions.create({ fileId: folder.id, requestBody: again });
  expect((await get(file.id)).name).toBe('secret.txt');
  expect(await feed.next()).toEqual([expect.objectContaining({ fileId: folder.id, removed: false })]);
});

test('about.get wants to know which fields', async () => {
  expect(await refusal(drive.about.get())).toMatchObject({
    status: 400,
    reason: 'required',
    location: 'fields',
  });
  const { data } = await drive.about.get({ fields: 'user' });
  expect(data.user?.emailAddress).toContain('gserviceaccount.com');
});

test('each operation can be counted', async () => {
  await fetch(`${cloud.origin}/_local/requests`, { method: 'DELETE' });
  await drive.files.list();
  await drive.files.get({ fileId: 'root' });
  const { requests } = (await (await fetch(`${cloud.origin}/_local/requests?service=drive`)).json()) as {
    requests: { detail: unknown }[];
  };
  expect(requests.map(({ detail }) => detail)).toMatchObject([{ op: 'files.list' }, { op: 'files.get' }]);
});

test('many uploads at once are all there, each once', async () => {
  const folder = await create({ name: 'many', mimeType: folderType });
  const names = Array.from({ length: 60 }, (_, i) => `same ${i % 20}.txt`);
  const files = await Promise.all(
    names.map((name, i) => create({ name, parents: [folder.id] }, `bytes ${i}`, 'id,name')),
  );
  await settled(cloud);
  const { data } = await drive.files.list({
    q: `'${folder.id}' in parents`,
    fields: 'files(id,name,md5Checksum)',
  });
  expect(data.files?.map(({ id }) => id).sort()).toEqual(files.map(({ id }) => id).sort());
  expect(new Set(data.files?.map(({ md5Checksum }) => md5Checksum)).size).toBe(60);
  expect(await readdir(path('many'))).toHaveLength(60);
});
