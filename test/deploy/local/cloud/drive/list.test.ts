import { beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { refusal } from './following.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
let pages = '';

beforeAll(async () => {
  drive = await clients.drive();
  const mimeType = 'application/vnd.google-apps.folder';
  const { data } = await drive.files.create({ requestBody: { name: 'pages', mimeType } });
  pages = data.id ?? '';
  const files = [
    { name: "it's.txt", modifiedTime: '2024-01-01T00:00:00Z' },
    { name: 'HelloWorld.png', modifiedTime: '2024-02-01T00:00:00Z' },
    { name: 'a 100%_sure.txt', modifiedTime: '2024-03-01T00:00:00Z', starred: true },
    { name: 'b.txt', modifiedTime: '2024-04-01T00:00:00Z' },
  ];
  for (const file of files) await drive.files.create({ requestBody: { ...file, parents: [pages] } });
  const trashed = await drive.files.create({ requestBody: { name: 'old.txt', parents: [pages] } });
  await drive.files.update({ fileId: trashed.data.id ?? '', requestBody: { trashed: true } });
});

const names = async (q: string, orderBy = 'modifiedTime') =>
  (await drive.files.list({ q, orderBy })).data.files?.map(({ name }) => name);

test.each([
  ["name = 'it\\'s.txt'", ["it's.txt"]],
  ["name contains 'hello'", ['HelloWorld.png']],
  ["name contains 'World'", []],
  ["name contains '100%_'", ['a 100%_sure.txt']],
  ["mimeType = 'image/png'", ['HelloWorld.png']],
  ["mimeType contains 'image/' and trashed = false", ['HelloWorld.png']],
  [
    "name != 'b.txt' and modifiedTime > '2024-03-15T00:00:00' and 'PAGES' in parents and not trashed=true",
    [],
  ],
  ["'PAGES' in parents and modifiedTime <= '2024-02-01T01:00:00+01:00'", ["it's.txt", 'HelloWorld.png']],
  ["'PAGES' in parents and (name = 'b.txt' or starred = true)", ['a 100%_sure.txt', 'b.txt']],
  ["'PAGES' in parents and trashed = true", ['old.txt']],
  ["mimeType = 'application/vnd.google-apps.folder' and 'root' in parents", ['pages']],
  ['sharedWithMe = true', ['drive']],
  ["not (mimeType contains 'text/') and not sharedWithMe = true", ['HelloWorld.png', 'pages']],
])('the query %s finds what it should', async (q, expected) => {
  expect(await names(q.replace('PAGES', pages))).toEqual(expected);
});

test.each([
  'name',
  "name = 'x",
  'name = x',
  "name like 'x'",
  "(name = 'x'",
  "name = 'x' or",
  "'x' in nowhere",
  'trashed = maybe',
  "modifiedTime > 'soon'",
  "fullText contains 'x'",
  "name = 'x'; DROP TABLE drive_files",
  `${'('.repeat(2000)}`,
  `${'not '.repeat(1000)}trashed = true`,
])('the query %.60s is refused', async (q) => {
  expect(await refusal(drive.files.list({ q }))).toEqual({ status: 400, reason: 'invalid', location: 'q' });
});

test('files come in the order that was asked for, folders first if wanted', async () => {
  const q = 'trashed = false and not sharedWithMe = true';
  expect(await names(q, 'folder,name desc')).toEqual([
    'pages',
    "it's.txt",
    'HelloWorld.png',
    'b.txt',
    'a 100%_sure.txt',
  ]);
  expect(await refusal(drive.files.list({ orderBy: 'size' }))).toMatchObject({ location: 'orderBy' });
});

test('pages go on where they ended, even if the last file has gone meanwhile', async () => {
  for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await drive.files.create({ requestBody: { name } });
  const page = {
    q: "name contains 'p' and mimeType = 'application/octet-stream'",
    pageSize: 2,
    orderBy: 'name',
  };
  const first = (await drive.files.list(page)).data;
  expect(first.files?.map(({ name }) => name)).toEqual(['p1', 'p2']);
  await drive.files.delete({ fileId: first.files?.[0]?.id ?? '' });
  const pageToken = first.nextPageToken ?? '';
  const second = (await drive.files.list({ ...page, pageToken })).data;
  expect(second.files?.map(({ name }) => name)).toEqual(['p3', 'p4']);
  const third = (await drive.files.list({ ...page, pageToken: second.nextPageToken ?? '' })).data;
  expect(third.files?.map(({ name }) => name)).toEqual(['p5']);
  expect(third.nextPageToken).toBeUndefined();
  const other = drive.files.list({ ...page, q: 'trashed = false', pageToken });
  expect(await refusal(other)).toMatchObject({ status: 400, location: 'pageToken' });
  expect(await refusal(drive.files.list({ pageToken: 'nonsense' }))).toMatchObject({ location: 'pageToken' });
  expect(await refusal(drive.files.list({ pageSize: 0 }))).toMatchObject({ location: 'pageSize' });
});

test.each([undefined, 'name', 'name desc', 'folder,modifiedTime desc,name'])(
  'pages ordered by %s hold each file that stays once, whatever comes and goes between them',
  async (orderBy) => {
    const requestBody = { name: 'busy', mimeType: 'application/vnd.google-apps.folder' };
    const parent = (await drive.files.create({ requestBody })).data.id ?? '';
    const make = async (name: string) =>
      (await drive.files.create({ requestBody: { name, parents: [parent] } })).data.id ?? '';
    const staying = [];
    const leaving = [];
    for (let count = 0; count < 6; count++) {
      leaving.push(await make(`${count} leaves`));
      staying.push(await make(`${count} stays`));
    }
    const page = { q: `'${parent}' in parents`, pageSize: 3, ...(orderBy ? { orderBy } : {}) };
    const seen: unknown[] = [];
    let pageToken: string | undefined;
    do {
      const { data } = await drive.files.list({ ...page, ...(pageToken ? { pageToken } : {}) });
      seen.push(...(data.files?.map(({ id }) => id) ?? []));
      pageToken = data.nextPageToken ?? undefined;
      for (const fileId of leaving.splice(0, 3)) await drive.files.delete({ fileId });
      await make('3 comes');
    } while (pageToken && seen.length < 50);
    for (const id of staying) expect(seen.filter((one) => one === id)).toEqual([id]);
    expect(new Set(seen).size).toBe(seen.length);
  },
);

test('the children of several folders are found with one query, and one name twice in one folder', async () => {
  const folder = async (name: string) => {
    const requestBody = { name, mimeType: 'application/vnd.google-apps.folder' };
    return (await drive.files.create({ requestBody })).data.id ?? '';
  };
  const [one, two, three] = [await folder('one'), await folder('two'), await folder('three')];
  const made = [];
  for (const parent of [one, one, two, three]) {
    const { data } = await drive.files.create({ requestBody: { name: 'twin.txt', parents: [parent] } });
    made.push(data.id);
  }
  const ids = async (q: string) => (await drive.files.list({ q })).data.files?.map(({ id }) => id);
  expect(await ids(`'${one}' in parents or '${two}' in parents`)).toEqual(made.slice(0, 3));
  expect(await ids(`name = 'twin.txt' and '${one}' in parents`)).toEqual(made.slice(0, 2));
  expect(await ids("name = 'twin.txt'")).toEqual(made);
});

test('the fault incompleteSearch leaves a file out and says so, the fault emptyList leaves out all and says nothing', async () => {
  const q = `'${pages}' in parents`;
  const whole = (await drive.files.list({ q, pageSize: 2 })).data;
  await setFaults(cloud, { service: 'drive', kind: 'incompleteSearch', times: 1 });
  const partly = (await drive.files.list({ q, pageSize: 2 })).data;
  expect([whole.incompleteSearch, partly.incompleteSearch]).toEqual([false, true]);
  expect(partly.files).toEqual(whole.files?.slice(0, 1));
  expect(partly.nextPageToken).toBe(whole.nextPageToken);
  await setFaults(cloud, { service: 'drive', kind: 'emptyList', times: 1 });
  const nothing = (await drive.files.list({ q, pageSize: 2 })).data;
  expect(nothing).toEqual({ kind: 'drive#fileList', incompleteSearch: false, files: [] });
  expect((await drive.files.list({ q, pageSize: 2 })).data).toEqual(whole);
});

test('a shared drive has files and a log of its own, and is not there for who does not ask for it', async () => {
  const { data: created } = await drive.drives.create({ requestId: 'r', requestBody: { name: 'Results' } });
  const driveId = created.id ?? '';
  const all = { supportsAllDrives: true };
  const items = { ...all, includeItemsFromAllDrives: true };
  const log = { driveId, ...items };
  const { startPageToken } = (await drive.changes.getStartPageToken({ driveId, ...all })).data;
  const requestBody = { name: 'out.txt', parents: [driveId] };
  const { data: file } = await drive.files.create({ requestBody, ...all, fields: '*' });
  expect(file).toMatchObject({ driveId, parents: [driveId] });
  expect(await refusal(drive.files.get({ fileId: file.id ?? '' }))).toMatchObject({ status: 404 });
  const pageToken = startPageToken ?? '';
  const ofDrive = (await drive.changes.list({ pageToken, ...log })).data.changes;
  expect(ofDrive).toMatchObject([{ fileId: file.id, driveId }]);
  expect((await drive.changes.list({ pageToken, ...items })).data.changes).toEqual([]);
  expect((await drive.files.list({ q: "name = 'out.txt'" })).data.files).toEqual([]);
  const corpora = 'drive';
  expect((await drive.files.list({ corpora, ...log })).data.files).toMatchObject([{ id: file.id }]);
  expect((await drive.drives.list()).data.drives).toMatchObject([{ id: driveId, name: 'Results' }]);
  expect((await drive.drives.get({ driveId })).data.name).toBe('Results');
  // Moved into the study folder it leaves one log and comes into the other.
  await drive.files.update({ fileId: file.id ?? '', addParents: pages, removeParents: driveId, ...all });
  const left = (await drive.changes.list({ pageToken, ...log })).data.changes;
  expect(left).toMatchObject([{ fileId: file.id, removed: true }]);
  expect((await drive.changes.list({ pageToken })).data.changes).toMatchObject([
    { fileId: file.id, removed: false },
  ]);
  expect(cloud.studyFolder).not.toBe(driveId);
});
