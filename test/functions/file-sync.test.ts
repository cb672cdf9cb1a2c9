import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type { FileSyncDependencies } from '../../functions/file-sync.ts';
import { NotYet } from '../../shared/once.ts';
import { Unprocessable } from '../../shared/unprocessable.ts';
import { forgetRequests, isUnconditionalWrite, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openStudy, type Study } from './driveKit.ts';

const cloud = useLocalCloud();
let study: Study;
/** Every test has a folder of its own in the study folder. */
let here: string;
let prefix: string;
let last = 0;

beforeAll(async () => {
  study = await openStudy();
});
beforeEach(async () => {
  await setFaults(cloud);
  const name = `test ${last++}`;
  here = await study.folder(name);
  prefix = `${name}/`;
  study.log.entries.length = 0;
  await forgetRequests(cloud);
});

const objects = () => study.objects(prefix);
const object = (name: string) => study.raw.file(prefix + name);
const downloads = async () =>
  (await requestsAt(cloud, 'drive')).filter(({ url }) => /alt=media|\/export/.test(url)).length;
const writes = async () => (await requestsAt(cloud, 'storage')).filter(({ method }) => method !== 'GET');
async function versionsOf(name: string): Promise<number> {
  const [files] = await study.raw.getFiles({ prefix: prefix + name, versions: true });
  return files.filter((file) => file.name === prefix + name).length;
}

test('a file arrives byte for byte, with the MD5 checked and where it comes from', async () => {
  const content = Buffer.from([0, 255, 13, 10, 1, 2, 3]);
  const id = await study.file(here, 'a.bin', content);
  await study.sync(id);
  const [bytes] = await object('a.bin').download();
  expect(bytes).toEqual(content);
  const { data } = await study.drive.files.get({
    fileId: id,
    fields: 'modifiedTime,headRevisionId,mimeType',
  });
  const [{ metadata, md5Hash, contentType }] = await object('a.bin').getMetadata();
  expect(md5Hash).toBe(createHash('md5').update(content).digest('base64'));
  expect(contentType).toBe(data.mimeType);
  expect(metadata).toMatchObject({
    'drive-file-id': id,
    'drive-path': `${prefix}a.bin`,
    'drive-revision': data.headRevisionId,
    mtime: data.modifiedTime,
    'goog-reserved-file-mtime': String(Math.floor(Date.parse(data.modifiedTime ?? '') / 1000)),
  });
  expect(study.log.entries).toEqual([
    { severity: 'INFO', message: 'synced', object: `${prefix}a.bin`, bytes: 7 },
  ]);
});

test('a second delivery downloads nothing and writes nothing', async () => {
  const id = await study.file(here, 'a.txt');
  await study.sync(id);
  await forgetRequests(cloud);
  await study.sync(id);
  expect(await downloads()).toBe(0);
  expect(await writes()).toEqual([]);
});

test('an edit is a new version, and the old one is kept', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  await study.sync(id);
  await study.edit(id, 'two');
  await study.sync(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
  expect(await versionsOf('a.txt')).toBe(2);
});

test('a file that was only touched gets its new time without its bytes', async () => {
  const id = await study.file(here, 'a.txt');
  await study.sync(id);
  await forgetRequests(cloud);
  await study.change(id, { modifiedTime: '2020-01-02T03:04:05.500Z' });
  await study.sync(id);
  expect(await downloads()).toBe(0);
  expect(await versionsOf('a.txt')).toBe(1);
  const [{ metadata }] = await object('a.txt').getMetadata();
  expect(metadata).toMatchObject({
    mtime: '2020-01-02T03:04:05.500Z',
    'goog-reserved-file-mtime': '1577934245',
  });
});

test('a renamed and a moved file move without their bytes', async () => {
  const id = await study.file(here, 'a.txt');
  await study.sync(id);
  await forgetRequests(cloud);
  await study.change(id, { name: 'b.txt' });
  await study.sync(id);
  expect(await objects()).toEqual({ 'b.txt': 'content of a.txt' });
  await study.move(id, await study.folder('below', here));
  await study.sync(id);
  expect(await objects()).toEqual({ 'below/b.txt': 'content of a.txt' });
  const [{ metadata }] = await object('below/b.txt').getMetadata();
  expect(metadata).toMatchObject({ 'drive-path': `${prefix}below/b.txt` });
  expect(await downloads()).toBe(0);
});

test('a file that was renamed and edited at once is under its new name with its new content', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  await study.sync(id);
  await study.edit(id, 'two');
  await study.change(id, { name: 'b.txt' });
  await study.sync(id);
  expect(await objects()).toEqual({ 'b.txt': 'two' });
});

test('what goes into the trash is retired and not erased, and comes back', async () => {
  const id = await study.file(here, 'a.txt');
  await study.sync(id);
  await study.change(id, { trashed: true });
  await study.sync(id);
  expect(await objects()).toEqual({});
  expect(await versionsOf('a.txt')).toBe(1);
  await study.change(id, { trashed: false });
  await study.sync(id);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('a file is removed by a 404 and the word of the feed together, not by a 404 alone', async () => {
  const id = await study.file(here, 'a.txt');
  await study.sync(id);
  await study.remove(id);
  await study.sync(id, false);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(study.log.entries.at(-1)).toMatchObject({ severity: 'WARNING' });
  await study.sync(id, true);
  expect(await objects()).toEqual({});
  expect(await versionsOf('a.txt')).toBe(1);
  await study.sync(id, true);
});

test('the word of the feed alone removes nothing: the file may be back', async () => {
  const id = await study.file(here, 'a.txt');
  await study.sync(id);
  await study.sync(id, true);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('what is outside the study folder is none of our business, and what moves out is retired', async () => {
  const inside = await study.file(here, 'a.txt');
  await study.sync(inside);
  const { data } = await study.drive.files.create({
    requestBody: { name: 'elsewhere', mimeType: 'text/plain' },
  });
  await study.sync(data.id ?? '');
  await study.sync(study.dependencies.studyFolder);
  await study.sync('no-such-file', true);
  const aside = await study.drive.files.create({
    requestBody: { name: 'aside', mimeType: 'application/vnd.google-apps.folder', parents: ['root'] },
  });
  await study.move(inside, aside.data.id ?? '');
  await study.sync(inside);
  expect(await objects()).toEqual({});
  await study.move(inside, here);
  await study.sync(inside);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('of two files with one path the first is kept, and the second comes when it has a name of its own', async () => {
  const [first, second] = [
    await study.file(here, 'a.txt', 'first'),
    await study.file(here, 'a.txt', 'second'),
  ];
  await study.sync(first);
  await expect(study.sync(second)).rejects.toThrow(Unprocessable);
  await expect(study.sync(second)).rejects.toThrow(`Two files have the path ${prefix}a.txt`);
  await study.sync(first);
  expect(await objects()).toEqual({ 'a.txt': 'first' });
  await study.change(second, { name: 'b.txt' });
  await study.sync(second);
  expect(await objects()).toEqual({ 'a.txt': 'first', 'b.txt': 'second' });
});

test('two files that swap their names swap their objects', async () => {
  const [a, b] = [await study.file(here, 'a.txt', 'was a'), await study.file(here, 'b.txt', 'was b')];
  await study.converge(a, b);
  await study.change(a, { name: 'c.txt' });
  await study.change(b, { name: 'a.txt' });
  await study.change(a, { name: 'b.txt' });
  await study.converge(a, b);
  expect(await objects()).toEqual({ 'a.txt': 'was b', 'b.txt': 'was a' });
});

test('a file takes the name of one that went into the trash, whichever is heard of first', async () => {
  const [old, young] = [await study.file(here, 'a.txt', 'old'), await study.file(here, 'b.txt', 'young')];
  await study.converge(old, young);
  await study.change(old, { trashed: true });
  await study.change(young, { name: 'a.txt' });
  await study.converge(young, old);
  expect(await objects()).toEqual({ 'a.txt': 'young' });
});

test('a folder that was renamed, moved, trashed or restored takes all that is in it along', async () => {
  const folder = await study.folder('folder', here);
  const below = await study.folder('below', folder);
  const ids = [await study.file(folder, 'a.txt', 'a'), await study.file(below, 'b.txt', 'b')];
  await study.converge(folder, below, ...ids);
  await forgetRequests(cloud);
  await study.change(folder, { name: 'renamed' });
  await study.converge(folder);
  expect(await objects()).toEqual({ 'renamed/a.txt': 'a', 'renamed/below/b.txt': 'b' });
  await study.move(folder, await study.folder('deeper', here));
  await study.converge(folder);
  expect(await objects()).toEqual({ 'deeper/renamed/a.txt': 'a', 'deeper/renamed/below/b.txt': 'b' });
  expect(await downloads()).toBe(0);
  await study.change(folder, { trashed: true });
  await study.converge(folder);
  expect(await objects()).toEqual({});
  await study.change(folder, { trashed: false });
  await study.converge(folder);
  expect(await objects()).toEqual({ 'deeper/renamed/a.txt': 'a', 'deeper/renamed/below/b.txt': 'b' });
});

test('a folder that moves in brings what is in it', async () => {
  const { data } = await study.drive.files.create({
    requestBody: { name: 'came in', mimeType: 'application/vnd.google-apps.folder', parents: ['root'] },
  });
  const folder = data.id ?? '';
  await study.file(folder, 'a.txt', 'a');
  await study.move(folder, here);
  await study.converge(folder);
  expect(await objects()).toEqual({ 'came in/a.txt': 'a' });
});

test('a Google document is exported, once for each of its states', async () => {
  const mimeType = 'application/vnd.google-apps.document';
  const id = await study.create({ name: 'story', parents: [here], mimeType }, 'Once upon a time');
  await study.sync(id);
  const exported = await objects();
  expect(Object.keys(exported)).toEqual(['story.docx', 'story.txt']);
  expect(exported['story.txt']).toContain('Once upon a time');
  const count = await downloads();
  await study.sync(id);
  expect(await downloads()).toBe(count);
  await study.change(id, { name: 'tale' });
  await study.sync(id);
  expect(Object.keys(await objects())).toEqual(['tale.docx', 'tale.txt']);
  await study.change(id, { trashed: true });
  await study.sync(id);
  expect(await objects()).toEqual({});
});

test('what has no bytes is no object: a shortcut, a form', async () => {
  const target = await study.file(here, 'a.txt');
  const shortcut = await study.create({
    name: 'to a',
    parents: [here],
    mimeType: 'application/vnd.google-apps.shortcut',
    shortcutDetails: { targetId: target },
  });
  await study.sync(shortcut);
  expect(await objects()).toEqual({});
});

test('an empty file is an empty object', async () => {
  const id = await study.file(here, 'empty.txt', '');
  await study.sync(id);
  expect(await objects()).toEqual({ 'empty.txt': '' });
  const [{ md5Hash }] = await object('empty.txt').getMetadata();
  expect(Buffer.from(md5Hash ?? '', 'base64').toString('hex')).toBe('d41d8cd98f00b204e9800998ecf8427e');
});

test('a file of more than one chunk arrives whole', async () => {
  const content = Buffer.alloc(9 * 1024 * 1024 + 1, 'gaze ');
  const id = await study.file(here, 'big.bin', content);
  await study.sync(id);
  const [{ md5Hash, size }] = await object('big.bin').getMetadata();
  expect(Number(size)).toBe(content.length);
  expect(md5Hash).toBe(createHash('md5').update(content).digest('base64'));
});

test('names that a bucket would misunderstand are kept apart and can be read back', async () => {
  const names = ['x/y.txt', '..', '100 %.txt', 'ü\u0308🙂.txt', 'x?#[*].txt'];
  await study.converge(...(await Promise.all(names.map((name) => study.file(here, name, name)))));
  expect(Object.values(await objects()).sort()).toEqual(names.sort());
  expect(Object.keys(await objects())).toContain('x%2Fy.txt');
});

test('a path that is too long for an object is unprocessable, and the file is named', async () => {
  const id = await study.file(here, `${'ü'.repeat(600)}.txt`);
  await expect(study.sync(id)).rejects.toThrow(Unprocessable);
  await expect(study.sync(id)).rejects.toThrow(/üüü.*1,024/);
});

/** The Drive client, doing something before it gives the bytes of a file for the first time. */
function beforeDownload(drive: drive_v3.Drive, work: () => Promise<void>): drive_v3.Drive {
  let done = false;
  const files = new Proxy(drive.files, {
    get: (target, key) =>
      key !== 'get'
        ? Reflect.get(target, key)
        : async (parameters: { alt?: string }, options: object) => {
            if (parameters.alt === 'media' && !done) {
              done = true;
              await work();
            }
            return target.get(parameters as never, options);
          },
  });
  return new Proxy(drive, { get: (target, key) => (key === 'files' ? files : Reflect.get(target, key)) });
}

test('an edit during the transfer never makes an object of two revisions', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  const drive = beforeDownload(study.drive, () => study.edit(id, 'two'));
  await expect(study.sync(id, false, { drive })).rejects.toThrow();
  expect(await objects()).toEqual({});
  await study.sync(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('a transfer whose view of Drive is old does not take away what a newer one brought', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  const newer = async () => {
    await study.edit(id, 'two');
    await study.sync(id);
  };
  const late = study.sync(id, false, { drive: beforeDownload(study.drive, newer) });
  await expect(late).rejects.toThrow();
  await study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
});

/** Records of a process that dies the next time that it would write the record of a file. */
function dyingRecords(): FileSyncDependencies['records'] {
  const { records } = study.dependencies;
  return {
    ...records,
    write: async () => {
      throw new Error('killed');
    },
  };
}
const die = async (id: string) => {
  await expect(study.sync(id, false, { records: dyingRecords() })).rejects.toThrow('killed');
};

test('a crash between an object and its record is healed by the next delivery', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  await die(id);
  await forgetRequests(cloud);
  await study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'one' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('a crash and then an edit, or a rename, or both, is healed as well', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  await study.sync(id);
  await study.edit(id, 'two');
  await die(id);
  await study.edit(id, 'three');
  await study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'three' });
  await study.change(id, { name: 'b.txt' });
  await die(id);
  await study.converge(id);
  expect(await objects()).toEqual({ 'b.txt': 'three' });
});

test('a crash in a first transfer and then an edit is healed', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  await die(id);
  await study.edit(id, 'two');
  await study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
});

test('an object that somebody deleted comes back with the next edit or rename of its file', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  await study.sync(id);
  await object('a.txt').delete();
  await study.edit(id, 'two');
  await study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
  const [files] = await study.raw.getFiles({ prefix, versions: true });
  await Promise.all(files.map((file) => file.delete()));
  await study.change(id, { name: 'b.txt' });
  await study.converge(id);
  expect(await objects()).toEqual({ 'b.txt': 'two' });
});

test('what somebody put into the bucket by hand is not overwritten', async () => {
  await object('a.txt').save('by hand', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
  const id = await study.file(here, 'a.txt');
  await expect(study.sync(id)).rejects.toThrow(Unprocessable);
  expect(await objects()).toEqual({ 'a.txt': 'by hand' });
});

test('an upload whose answer was lost is known as our own', async () => {
  const id = await study.file(here, 'a.txt');
  await setFaults(cloud, { service: 'storage', kind: 'lostAnswer', path: '/upload/.*/b/raw/', times: 1 });
  // A stream cannot be sent twice, so it is the next delivery that finds what this one left.
  await expect(study.sync(id)).rejects.toThrow();
  await study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('a download that is cut leaves no object, and is no success', async () => {
  const id = await study.file(here, 'a.txt', 'x'.repeat(200_000));
  await setFaults(cloud, {
    service: 'drive',
    kind: 'cutAfter',
    bytes: 50_000,
    path: `files/${id}$`,
    times: 5,
  });
  // The metadata is shorter than that, so it passes.
  await expect(study.sync(id)).rejects.toThrow();
  expect(await objects()).toEqual({});
  await setFaults(cloud);
  await study.converge(id);
  expect(Object.keys(await objects())).toEqual(['a.txt']);
});

test('an export that is cut, which has no MD5 to be checked, leaves no object either', async () => {
  const mimeType = 'application/vnd.google-apps.document';
  const id = await study.create({ name: 'story', parents: [here], mimeType }, 'long '.repeat(20_000));
  await setFaults(cloud, { service: 'drive', kind: 'cutAfter', bytes: 300, path: '/export$', times: 5 });
  await expect(study.sync(id)).rejects.toThrow();
  expect(await objects()).toEqual({});
  await setFaults(cloud);
  await study.converge(id);
  expect((await objects())['story.txt']?.length).toBeGreaterThanOrEqual(100_000);
});

test('a file that Drive will not give is unprocessable, with its reason', async () => {
  const id = await study.file(here, 'a.txt');
  const drive = beforeDownload(study.drive, () =>
    setFaults(cloud, { service: 'drive', kind: 'status', status: 403, reason: 'cannotDownloadAbusiveFile' }),
  );
  const refused = study.sync(id, false, { drive });
  await expect(refused).rejects.toThrow(Unprocessable);
  await expect(refused).rejects.toThrow('cannotDownloadAbusiveFile');
  await setFaults(cloud);
});

test('a quota that is used up is no verdict on the file', async () => {
  const id = await study.file(here, 'a.txt');
  const drive = beforeDownload(study.drive, () =>
    setFaults(cloud, { service: 'drive', kind: 'status', status: 403, reason: 'userRateLimitExceeded' }),
  );
  const refused = study.sync(id, false, { drive });
  await expect(refused).rejects.not.toThrow(Unprocessable);
  await setFaults(cloud);
});

test('a folder above that does not answer removes nothing', async () => {
  const below = await study.folder('below', here);
  const id = await study.file(below, 'a.txt');
  await study.sync(id);
  await setFaults(cloud, {
    service: 'drive',
    kind: 'status',
    status: 404,
    reason: 'notFound',
    path: `files/${below}$`,
  });
  await expect(study.sync(id)).rejects.toThrow(NotYet);
  await setFaults(cloud);
  expect(await objects()).toEqual({ 'below/a.txt': 'content of a.txt' });
});

test('many deliveries of one file at once end in one object', async () => {
  const id = await study.file(here, 'a.txt');
  await Promise.allSettled(Array.from({ length: 6 }, () => study.sync(id)));
  await study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('renames during many deliveries end in one object with the last name', async () => {
  const id = await study.file(here, 'a.txt', 'one');
  const deliveries: Promise<void>[] = [];
  for (const name of ['b.txt', 'c.txt', 'd.txt']) {
    deliveries.push(study.sync(id));
    await study.change(id, { name });
    deliveries.push(study.sync(id));
  }
  await Promise.allSettled(deliveries);
  await study.converge(id);
  expect(await objects()).toEqual({ 'd.txt': 'one' });
});

test("every write of a file's whole life names a generation", async () => {
  const id = await study.file(here, 'a.txt', 'one');
  await study.sync(id);
  await study.edit(id, 'two');
  await study.sync(id);
  await study.change(id, { name: 'b.txt', modifiedTime: '2020-01-01T00:00:00Z' });
  await study.sync(id);
  await study.change(id, { trashed: true });
  await study.sync(id);
  const requests = await writes();
  expect(requests.length).toBeGreaterThanOrEqual(8);
  expect(requests.filter(isUnconditionalWrite)).toEqual([]);
});
