import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from '../storage/raw.ts';
import { type Feed, follow, refusal } from './following.ts';

// A folder in a folder with a file in it, and what becomes of them in the change log.
const cloud = useLocalCloud();
let drive: drive_v3.Drive;
let feed: Feed;
let permissionId = '';
let emailAddress = '';
let [outer, inner, file] = ['', '', ''];

const make = async (name: string, parent: string, mimeType?: string) => {
  const requestBody = { name, parents: [parent], ...(mimeType ? { mimeType } : {}) };
  return (await drive.files.create({ requestBody })).data.id ?? '';
};
const folder = (name: string, parent = cloud.studyFolder) =>
  make(name, parent, 'application/vnd.google-apps.folder');
const settings = (json: object) => call('POST', `${cloud.origin}/_local/drive/settings`, { json });
const names = () => ({ [outer]: 'outer', [inner]: 'inner', [file]: 'file' }) as { [id: string]: string };
/** The names of what has an entry, those of tombstones with a dagger. */
const entries = async () =>
  (await feed.next()).map(({ fileId, removed }) => `${names()[fileId ?? '']}${removed ? ' †' : ''}`).sort();
const status = async (fileId: string) =>
  drive.files.get({ fileId }).then(
    ({ status }) => status,
    ({ status }: { status: number }) => status,
  );
const trash = (trashed: boolean) => drive.files.update({ fileId: outer, requestBody: { trashed } });
const withdraw = (fileId: string) => drive.permissions.delete({ fileId, permissionId });
const give = (fileId: string) =>
  drive.permissions.create({ fileId, requestBody: { type: 'user', role: 'writer', emailAddress } });

beforeAll(async () => {
  drive = await clients.drive();
  feed = await follow(drive);
  const { user } = (await drive.about.get({ fields: 'user' })).data;
  permissionId = user?.permissionId ?? '';
  emailAddress = user?.emailAddress ?? '';
});
beforeEach(async () => {
  outer = await folder('outer');
  inner = await folder('inner', outer);
  file = await make('file', inner);
  await feed.next();
});
afterEach(async () => settings({}));

test.each([
  [false, ['outer']],
  [true, ['file', 'inner', 'outer']],
])(
  'with childEntries %s, a folder that is trashed, restored or moved has the entries %j',
  async (childEntries, expected) => {
    const answer = await settings({ childEntries });
    expect([answer.status, answer.body]).toEqual([200, { childEntries }]);
    await trash(true);
    expect(await entries()).toEqual(expected);
    await trash(false);
    expect(await entries()).toEqual(expected);
    const elsewhere = await folder('elsewhere');
    await feed.next();
    await drive.files.update({ fileId: outer, addParents: elsewhere, removeParents: cloud.studyFolder });
    expect(await entries()).toEqual(expected);
  },
);

test.each([
  [false, ['outer †']],
  [true, ['file †', 'inner †', 'outer †']],
])(
  'with childEntries %s, a folder that is deleted leaves the tombstones %j',
  async (childEntries, expected) => {
    await settings({ childEntries });
    await drive.files.delete({ fileId: outer });
    expect(await entries()).toEqual(expected);
    expect(await Promise.all([outer, inner, file].map(status))).toEqual([404, 404, 404]);
  },
);

test('unless a test chooses, only a deletion has entries of what was in the folder', async () => {
  await trash(true);
  expect(await entries()).toEqual(['outer']);
  await drive.files.delete({ fileId: outer });
  expect(await entries()).toEqual(['file †', 'inner †', 'outer †']);
});

test('a folder that is renamed has one entry whatever a test chooses', async () => {
  await settings({ childEntries: true });
  await drive.files.update({ fileId: outer, requestBody: { name: 'another' } });
  expect(await entries()).toEqual(['outer']);
});

test('a setting that does not exist is refused', async () => {
  expect((await settings({ childrenEntries: true })).status).toBe(400);
});

test.each([false, true])(
  'a folder out of reach has one tombstone, all in it is 404, and it comes back (childEntries %s)',
  async (childEntries) => {
    await settings({ childEntries });
    await withdraw(outer);
    expect(await entries()).toEqual(['outer †']);
    expect(await Promise.all([outer, inner, file].map(status))).toEqual([404, 404, 404]);
    expect((await drive.files.list({ q: `'${inner}' in parents` })).data.files).toEqual([]);
    await give(outer);
    expect(await entries()).toEqual(['outer']);
    expect(await Promise.all([outer, inner, file].map(status))).toEqual([200, 200, 200]);
  },
);

test('a file out of reach has a tombstone and is 404, and comes back under its id', async () => {
  await withdraw(file);
  expect(await entries()).toEqual(['file †']);
  expect(await Promise.all([outer, inner, file].map(status))).toEqual([200, 200, 404]);
  const refused = { status: 404, reason: 'notFound', location: 'fileId' };
  expect(await refusal(drive.files.get({ fileId: file, alt: 'media' }))).toEqual(refused);
  await give(file);
  expect(await entries()).toEqual(['file']);
  expect(await status(file)).toBe(200);
});
