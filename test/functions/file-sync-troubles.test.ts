import { expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type { FileSyncDependencies } from '../../functions/file-sync.ts';
import { openDrive } from '../../shared/clients.ts';
import { listAttention } from '../../shared/drive/fileRecord.ts';
import { NotYet } from '../../shared/once.ts';
import { forgetRequests, setFaults } from '../kit.ts';
import { useStudy } from './useStudy.ts';

const used = useStudy();
const attentionTo = async (id: string) => {
  for await (const one of listAttention(used.study.dependencies.records)) if (one.fileId === id) return one;
  return undefined;
};
const { objects, object, versionsOf } = used;

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
  const id = await used.study.file(used.here, 'a.txt', 'one');
  const drive = beforeDownload(used.study.drive, () => used.study.edit(id, 'two'));
  await used.study.sync(id, false, { drive });
  expect(await objects()).toEqual({ 'a.txt': 'two' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('a transfer whose view of Drive is old does not take away what a newer one brought', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  const newer = async () => {
    await used.study.edit(id, 'two');
    await used.study.sync(id);
  };
  const late = used.study.sync(id, false, { drive: beforeDownload(used.study.drive, newer) });
  await late;
  expect(await objects()).toEqual({ 'a.txt': 'two' });
  expect(await versionsOf('a.txt')).toBe(1);
});

/** Records of a process that dies the next time that it would write the record of a file. */
function dyingRecords(): FileSyncDependencies['records'] {
  const { records } = used.study.dependencies;
  return {
    ...records,
    write: async () => {
      throw new Error('killed');
    },
  };
}
const die = async (id: string) => {
  await expect(used.study.sync(id, false, { records: dyingRecords() })).rejects.toThrow('killed');
};

test('a crash between an object and its record is healed by the next delivery', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  await die(id);
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'one' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('a crash and then an edit, or a rename, or both, is healed as well', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  await used.study.sync(id);
  await used.study.edit(id, 'two');
  await die(id);
  await used.study.edit(id, 'three');
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'three' });
  await used.study.change(id, { name: 'b.txt' });
  await die(id);
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'b.txt': 'three' });
});

test('a crash in a first transfer and then an edit is healed', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  await die(id);
  await used.study.edit(id, 'two');
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
});

test('an object that somebody deleted comes back with the next edit or rename of its file', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  await used.study.sync(id);
  await object('a.txt').delete();
  await used.study.edit(id, 'two');
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'two' });
  const [files] = await used.study.raw.getFiles({ prefix: used.prefix, versions: true });
  await Promise.all(files.map((file) => file.delete()));
  await used.study.change(id, { name: 'b.txt' });
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'b.txt': 'two' });
});

test('what somebody put into the bucket by hand is not overwritten, and the file comes beside it', async () => {
  await object('a.txt').save('by hand', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'a.txt': 'by hand', [`a~${id}.txt`]: 'content of a.txt' });
});

test('what somebody put even into the place of a twin is not overwritten', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  for (const name of ['a.txt', `a~${id}.txt`])
    await object(name).save('by hand', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
  await expect(used.study.sync(id)).rejects.toThrow(NotYet);
  expect(await objects()).toEqual({ 'a.txt': 'by hand', [`a~${id}.txt`]: 'by hand' });
});

test('an upload whose answer was lost is known as our own', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await setFaults(used.cloud, {
    service: 'storage',
    kind: 'lostAnswer',
    path: '/upload/.*/b/raw/',
    times: 1,
  });
  await used.study.sync(id);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('a download that is cut leaves no object, and is no success', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'x'.repeat(200_000));
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'cutAfter',
    bytes: 50_000,
    path: `files/${id}$`,
  });
  // The metadata is shorter than that, so it passes.
  const drive = await openDrive({ patience: 0, shared: undefined });
  await expect(used.study.sync(id, false, { drive })).rejects.toThrow();
  expect(await objects()).toEqual({});
  await setFaults(used.cloud);
  await used.study.converge(id);
  expect(Object.keys(await objects())).toEqual(['a.txt']);
});

test('an export that is cut, which has no MD5 to be checked, leaves no object either', async () => {
  const mimeType = 'application/vnd.google-apps.document';
  const id = await used.study.create(
    { name: 'story', parents: [used.here], mimeType },
    'long '.repeat(20_000),
  );
  await setFaults(used.cloud, { service: 'drive', kind: 'cutAfter', bytes: 300, path: '/export$', times: 5 });
  await expect(used.study.sync(id)).rejects.toThrow();
  expect(await objects()).toEqual({});
  await setFaults(used.cloud);
  await used.study.converge(id);
  expect((await objects())['story.txt']?.length).toBeGreaterThanOrEqual(100_000);
});

test('a file that Drive will not give is skipped, with its reason where a person finds it', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  const drive = beforeDownload(used.study.drive, () =>
    setFaults(used.cloud, {
      service: 'drive',
      kind: 'status',
      status: 403,
      reason: 'cannotDownloadAbusiveFile',
    }),
  );
  await used.study.sync(id, false, { drive });
  await setFaults(used.cloud);
  const reason = 'Drive does not give it: cannotDownloadAbusiveFile';
  expect(await attentionTo(id)).toMatchObject({
    kind: 'skipped',
    path: [used.prefix.slice(0, -1), 'a.txt'],
    reason,
  });
  expect(await objects()).toEqual({});
  await used.study.sync(id);
  expect(await attentionTo(id)).toBeUndefined();
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('a quota that is used up is no verdict on the file', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  const drive = beforeDownload(await openDrive({ patience: 0, shared: undefined }), () =>
    setFaults(used.cloud, { service: 'drive', kind: 'status', status: 403, reason: 'userRateLimitExceeded' }),
  );
  const refused = used.study.sync(id, false, { drive });
  await expect(refused).rejects.toThrow(NotYet);
  await setFaults(used.cloud);
});

test('a folder above that does not answer removes nothing', async () => {
  const below = await used.study.folder('below', used.here);
  const id = await used.study.file(below, 'a.txt');
  await used.study.sync(id);
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status: 404,
    reason: 'notFound',
    path: `files/${below}$`,
  });
  await expect(used.study.sync(id)).rejects.toThrow(NotYet);
  await setFaults(used.cloud);
  expect(await objects()).toEqual({ 'below/a.txt': 'content of a.txt' });
});

test('many deliveries of one file at once end in one object', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await Promise.allSettled(Array.from({ length: 6 }, () => used.study.sync(id)));
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(await versionsOf('a.txt')).toBe(1);
});

test('renames during many deliveries end in one object with the last name', async () => {
  const id = await used.study.file(used.here, 'a.txt', 'one');
  const deliveries: Promise<void>[] = [];
  for (const name of ['b.txt', 'c.txt', 'd.txt']) {
    deliveries.push(used.study.sync(id));
    await used.study.change(id, { name });
    deliveries.push(used.study.sync(id));
  }
  await Promise.allSettled(deliveries);
  await used.study.converge(id);
  expect(await objects()).toEqual({ 'd.txt': 'one' });
});

test('a file whose record was lost, and that was in the trash meanwhile, comes back without being downloaded again', async () => {
  const id = await used.study.file(used.here, 'a.txt');
  await used.study.sync(id);
  await used.study.dependencies.records.remove(`files/${id}.json`);
  await used.study.change(id, { trashed: true });
  // So a comparison asks for it.
  await used.study.sync({ fileId: id, verify: true, object: `${used.prefix}a.txt` });
  expect(await used.objects()).toEqual({});
  await forgetRequests(used.cloud);
  await used.study.change(id, { trashed: false });
  await used.study.converge(id);
  expect(await used.objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(await used.downloads()).toBe(0);
});
