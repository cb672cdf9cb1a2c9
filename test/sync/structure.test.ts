import { expect, test } from '@jest/globals';
import { folderType, shortcutType } from '../../shared/drive/driveFile.ts';
import { fileRecordName } from '../../shared/drive/fileRecord.ts';
import { liveObject } from '../../shared/storage/rawObject.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useSync } from './useSync.ts';

// Behaviours 8 to 11, 14, 15 and 19 of a good sync.
const used = useSync();
const { objects, downloads, versions } = used;

const outside = async (name = 'outside') => {
  const { data } = await used.sync.drive.files.create({
    requestBody: { name, mimeType: folderType, parents: ['root'] },
  });
  return data.id ?? '';
};

test.each([
  ['in order', false],
  ['in the other order', true],
])(
  '8. the same name twice: both are there under names that do not depend on the order; heard of %s',
  async (_order, isReversed) => {
    const first = await used.sync.file(used.here, 'a.txt', 'first');
    const second = await used.sync.file(used.here, 'a.txt', 'second');
    const wanted = { 'a.txt': 'first', [`a~${second}.txt`]: 'second' };
    await used.sync.drain();
    if (isReversed) used.sync.queue.reverse();
    await used.sync.pump();
    expect(await objects()).toEqual(wanted);
    const clashes = used.sync.log.entries.filter(({ message }) => message === 'the same path twice');
    expect(clashes).toContainEqual(expect.objectContaining({ object: `${used.prefix}a~${second}.txt` }));
    // Over runs, too.
    await used.sync.reconcile();
    await used.sync.pump();
    expect(await objects()).toEqual(wanted);
    // Each can be edited, and one can go, without the other's being touched.
    await used.sync.edit(second, 'second again');
    await used.sync.settle();
    expect(await objects()).toEqual({ ...wanted, [`a~${second}.txt`]: 'second again' });
    await used.sync.remove(first);
    await used.sync.settle();
    expect(await objects()).toEqual({ [`a~${second}.txt`]: 'second again' });
    await used.sync.reconcile();
    await used.sync.pump();
    expect(await objects()).toEqual({ [`a~${second}.txt`]: 'second again' });
  },
);

test('8. a file that made room for an older one is known under its new name, though the word of it was lost', async () => {
  const first = await used.sync.file(used.here, 'a.txt', 'first');
  const second = await used.sync.file(used.here, 'a.txt', 'second');
  await used.sync.publish('file-changed', [{ data: { fileId: second } }]);
  await used.sync.pump();
  // The other one's delivery dies when it would tell.
  used.sync.dependencies.publish = async () => {
    throw new Error('killed');
  };
  await used.sync.publish('file-changed', [{ data: { fileId: first } }]);
  await expect(used.sync.pump()).rejects.toThrow('killed');
  used.sync.dependencies.publish = used.sync.publish;
  used.sync.queue.length = 0;
  expect(await objects()).toEqual({ 'a.txt': 'first', [`a~${second}.txt`]: 'second' });
  await used.sync.remove(second);
  await used.sync.settle();
  expect(await objects()).toEqual({ 'a.txt': 'first' });
});

test('8. two folders of one name share a place, and their files of one name are both there', async () => {
  const one = await used.sync.folder('data', used.here);
  const other = await used.sync.folder('data', used.here);
  await used.sync.file(one, 'a.txt', 'one');
  const twin = await used.sync.file(other, 'a.txt', 'other');
  await used.sync.file(other, 'b.txt', 'b');
  await used.sync.settle();
  const wanted = { 'data/a.txt': 'one', [`data/a~${twin}.txt`]: 'other', 'data/b.txt': 'b' };
  expect(await objects()).toEqual(wanted);
  await used.sync.reconcile();
  expect(used.sync.queue).toEqual([]);
  await used.sync.change(one, { trashed: true });
  await used.sync.settle();
  expect(await objects()).toEqual({ [`data/a~${twin}.txt`]: 'other', 'data/b.txt': 'b' });
});

test('8. a file that takes the place of one that was deleted gets its name, whichever is heard of first', async () => {
  const old = await used.sync.file(used.here, 'a.txt', 'old');
  await used.sync.settle();
  await used.sync.remove(old);
  await used.sync.file(used.here, 'a.txt', 'young');
  await used.sync.drain();
  used.sync.queue.reverse();
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'young' });
});

test('8. a file is no twin of itself, when another delivery brings it between two looks', async () => {
  const id = await used.sync.file(used.here, 'a.txt', 'a');
  await used.sync.drain();
  const { raw } = used.sync.dependencies;
  let isBrought = false;
  // Its own object appears after the first look at all its names, and before the second one.
  const bucket = new Proxy(raw, {
    get: (target, key) =>
      key !== 'file'
        ? Reflect.get(target, key)
        : (name: string, options: object) => {
            const file = target.file(name, options);
            if (!name.endsWith('/a.txt') || isBrought) return file;
            const getMetadata = file.getMetadata.bind(file);
            file.getMetadata = (async () => {
              const look = await getMetadata().catch((error: unknown) => error);
              if (!isBrought) {
                isBrought = true;
                await used.sync.handle({ topic: 'file-changed', data: { fileId: id }, attempts: 0 });
              }
              if (look instanceof Error) throw look;
              return look;
            }) as typeof file.getMetadata;
            return file;
          },
  });
  const { planFile } = await import('../../shared/drive/planFile.ts');
  const change = { fileId: id, removed: false, verify: true, approved: false };
  const { plan } = await planFile(change, { ...used.sync.dependencies, raw: bucket });
  expect(plan).toMatchObject({ do: 'wait', because: expect.stringContaining('being brought elsewhere') });
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'a' });
});

test('9. a renamed file is another object without a download, and the old name is retired', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  await forgetRequests(used.cloud);
  await used.sync.change(id, { name: 'b.txt' });
  await used.sync.settle();
  expect(await objects()).toEqual({ 'b.txt': 'content of a.txt' });
  expect(await downloads()).toBe(0);
  expect((await versions()).map(({ name }) => name).sort()).toEqual(['a.txt', 'b.txt']);
});

test.each([
  ['entries for its children, too', true],
  ['an entry for the folder only', false],
])(
  '10. a folder that is renamed and moved takes all descendants along without a byte, with %s',
  async (_what, childEntries) => {
    const top = await used.sync.folder('top', used.here);
    const wanted: Record<string, string> = {};
    for (let f = 0; f < 6; f++) {
      const folder = await used.sync.folder(`f${f}`, top);
      for (let i = 0; i < 5; i++) {
        await used.sync.file(folder, `${i}.txt`, `${f} ${i}`);
        wanted[`elsewhere/moved/f${f}/${i}.txt`] = `${f} ${i}`;
      }
    }
    await used.sync.settle({ atATime: 8 });
    await used.settings({ childEntries });
    const elsewhere = await used.sync.folder('elsewhere', used.here);
    await used.sync.change(top, { name: 'moved' });
    await used.sync.move(top, elsewhere);
    await forgetRequests(used.cloud);
    await used.sync.drain();
    // Half-way, the process dies; what it had not acknowledged comes again.
    let handled = 0;
    const { publish } = used.sync.dependencies;
    used.sync.dependencies.publish = async (...args) => {
      await publish(...args);
      if (++handled === 3) throw new Error('killed');
    };
    await used.sync.pump({ atATime: 8, mayFail: true });
    expect(await objects()).toEqual(wanted);
    expect(await downloads()).toBe(0);
  },
);

test('11. what moves out of the tree is removed, and what moves in is brought, whole folders without entries for what is in them', async () => {
  const top = await used.sync.folder('top', used.here);
  const below = await used.sync.folder('below', top);
  await used.sync.file(top, 'a.txt', 'a');
  await used.sync.file(below, 'b.txt', 'b');
  const single = await used.sync.file(used.here, 'c.txt', 'c');
  await used.sync.settle();
  const away = await outside();
  await used.sync.move(top, away);
  await used.sync.move(single, away);
  await used.sync.settle();
  expect(await objects()).toEqual({});
  expect(await versions()).toHaveLength(3);
  await used.sync.move(top, used.here);
  await used.sync.move(single, used.here);
  await used.sync.settle();
  expect(await objects()).toEqual({ 'top/a.txt': 'a', 'top/below/b.txt': 'b', 'c.txt': 'c' });
});

test('14. what goes into the trash and comes back, by itself or with its folder, is brought back without a download', async () => {
  const top = await used.sync.folder('top', used.here);
  const below = await used.sync.folder('below', top);
  await used.sync.file(below, 'b.txt', 'b');
  const a = await used.sync.file(top, 'a.txt', 'a');
  await used.sync.settle();
  const all = { 'top/a.txt': 'a', 'top/below/b.txt': 'b' };
  await forgetRequests(used.cloud);
  await used.sync.change(a, { trashed: true });
  await used.sync.settle();
  expect(await objects()).toEqual({ 'top/below/b.txt': 'b' });
  await used.sync.change(top, { trashed: true });
  await used.sync.settle();
  expect(await objects()).toEqual({});
  await used.sync.change(top, { trashed: false });
  await used.sync.settle();
  expect(await objects()).toEqual({ 'top/below/b.txt': 'b' });
  await used.sync.change(a, { trashed: false });
  await used.sync.settle();
  expect(await objects()).toEqual(all);
  expect(await downloads()).toBe(0);
});

test.each([
  ['tombstones for its children, too', true],
  ['one tombstone', false],
])(
  '15. a folder that is deleted for good, with %s, is archived and not erased',
  async (_what, childEntries) => {
    await used.settings({ childEntries });
    const top = await used.sync.folder('top', used.here);
    const below = await used.sync.folder('below', top);
    await used.sync.file(top, 'a.txt', 'a');
    await used.sync.file(below, 'b.txt', 'b');
    await used.sync.file(used.here, 'c.txt', 'c');
    await used.sync.settle();
    await used.sync.remove(top);
    await used.sync.settle();
    expect(await objects()).toEqual({ 'c.txt': 'c' });
    const [files] = await used.sync.raw.getFiles({ prefix: used.prefix, versions: true });
    const archived = await Promise.all(files.map(async (file) => String((await file.download())[0])));
    expect(archived.sort()).toEqual(['a', 'b', 'c']);
  },
);

test('15. what is left of a deleted folder that is named like a twin is found by a comparison, though the word of it was lost', async () => {
  const folder = await used.sync.folder('a~1.txt', used.here);
  await used.sync.file(await used.sync.folder('~b', folder), 'c.txt', 'c');
  await used.sync.settle();
  expect(await objects()).toEqual({ 'a~1.txt/~b/c.txt': 'c' });
  await used.sync.remove(folder);
  await used.sync.drain();
  used.sync.queue.length = 0;
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await objects()).toEqual({});
});

test('15. one 404 alone removes nothing, and the file is looked for again', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  const fault = { service: 'drive', kind: 'status', status: 404, reason: 'notFound', path: `files/${id}$` };
  await setFaults(used.cloud, fault);
  await used.sync.publish('file-changed', [{ data: { fileId: id } }]);
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

/** Takes our access to a file away; what it returns gives it back. */
async function loseAccess(fileId: string) {
  const { permissions } = used.sync.drive;
  const { data } = await permissions.list({ fileId, fields: 'permissions(id,emailAddress)' });
  const mine = data.permissions?.find(({ emailAddress }) => emailAddress?.includes('gserviceaccount'));
  await permissions.delete({ fileId, permissionId: mine?.id ?? '' });
  const requestBody = { type: 'user', role: 'writer', emailAddress: mine?.emailAddress ?? '' };
  return () => permissions.create({ fileId, requestBody });
}

test('15. a file that was on its way from the old name of its folder when access was lost goes with the next comparison', async () => {
  const top = await used.sync.folder('top', used.here);
  await used.sync.file(top, 'a.txt', 'a');
  await used.sync.settle();
  await used.sync.change(top, { name: 'moved' });
  await used.sync.drain();
  // The folder is known under its new name; what lies in it has been asked for and not been looked at.
  for (const delivery of used.sync.queue.splice(0, 1)) await used.sync.handle(delivery);
  await loseAccess(top);
  await used.sync.settle();
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await objects()).toEqual({});
});

test.each(['trash', 'trash of its folder', 'deletion of its folder'])(
  'an object whose record was never written, since its delivery failed for good, goes with the %s',
  async (way) => {
    const { sync } = used;
    const top = await sync.folder('top', used.here);
    const file = await sync.file(top, 'a.txt', 'a');
    await sync.settle();
    await sync.dependencies.records.remove(fileRecordName(file));
    if (way === 'trash') await sync.change(file, { trashed: true });
    else if (way === 'trash of its folder') await sync.change(top, { trashed: true });
    else await sync.remove(top);
    await sync.settle();
    expect(await objects()).toEqual({});
  },
);

test('15. access that was lost removes, and access that is given back brings all of it again', async () => {
  const top = await used.sync.folder('top', used.here);
  const below = await used.sync.folder('below', top);
  await used.sync.file(top, 'a.txt', 'a');
  await used.sync.file(below, 'b.txt', 'b');
  await used.sync.settle();
  const giveBack = await loseAccess(top);
  await used.sync.settle();
  expect(await objects()).toEqual({});
  await giveBack();
  await used.sync.settle();
  expect(await objects()).toEqual({ 'top/a.txt': 'a', 'top/below/b.txt': 'b' });
});

test('15. above the cap on removals of a run it stops and asks, and goes on when somebody agrees', async () => {
  const top = await used.sync.folder('top', used.here);
  for (let i = 0; i < 8; i++) await used.sync.file(top, `${i}.txt`);
  await used.sync.settle();
  let left = 3;
  used.sync.dependencies.mayRemove = async () => left-- > 0;
  await used.sync.change(top, { trashed: true });
  await used.sync.settle();
  expect(Object.keys(await objects())).toHaveLength(5);
  const asked = Object.values(await used.attention());
  expect(asked).toHaveLength(5);
  expect(asked[0]).toMatch(/^held: it is in the trash; more is gone than may be removed without being asked/);

  // A later run asks on, although it might remove some.
  left = 3;
  await used.sync.reconcile();
  await used.sync.pump();
  expect(Object.keys(await objects())).toHaveLength(5);

  // Nothing else is held up by it.
  await used.sync.file(used.here, 'new.txt');
  await used.sync.settle();
  expect(Object.keys(await objects())).toContain('new.txt');

  await used.sync.publish('file-changed', [{ data: { fileId: top, verify: true, approved: true } }]);
  await used.sync.pump();
  expect(await objects()).toEqual({ 'new.txt': 'content of new.txt' });
  expect(await used.attention()).toEqual({});
});

test('15. a file whose removal waits for an answer comes back, and nobody is asked any more', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  used.sync.dependencies.mayRemove = async () => false;
  await used.sync.change(id, { trashed: true });
  await used.sync.settle();
  expect(Object.keys(await used.attention())).toHaveLength(1);
  await used.sync.change(id, { trashed: false });
  await used.sync.settle();
  expect(await used.attention()).toEqual({});
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('15. nothing is removed while the study folder itself is not to be seen', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  await used.sync.change(id, { trashed: true });
  used.sync.dependencies.readFolder = async () => undefined;
  await used.sync.drain();
  await used.sync.pump({ mayFail: true });
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(Object.values(await used.attention())).toEqual([expect.stringContaining('study folder itself')]);
  await used.sync.publish('file-changed', [{ data: { fileId: id, approved: true } }]);
  await used.sync.pump();
  expect(await objects()).toEqual({});
});

test('19. shortcuts are never followed: to a file, a folder, nothing, themselves or out of the tree; no target comes twice', async () => {
  const folder = await used.sync.folder('folder', used.here);
  const file = await used.sync.file(folder, 'a.txt', 'a');
  const away = await used.sync.file(await outside(), 'away.txt', 'away');
  const shortcut = (name: string, targetId: string, parent = used.here) =>
    used.sync.create({ name, parents: [parent], mimeType: shortcutType, shortcutDetails: { targetId } });
  await shortcut('to the file', file);
  await shortcut('to its own folder', folder, folder);
  await shortcut('out of the tree', away);
  const target = await used.sync.file(used.here, 'soon gone.txt');
  await shortcut('dangling', target);
  await used.sync.remove(target);
  await used.sync.settle();
  expect(await objects()).toEqual({ 'folder/a.txt': 'a' });
  const skipped = await used.attention();
  expect(
    Object.keys(skipped)
      .map((path) => path.split('/').pop())
      .sort(),
  ).toEqual(['dangling', 'out of the tree', 'to its own folder', 'to the file']);
  expect(Object.values(skipped)[0]).toMatch(/^skipped: a shortcut/);
});

test('a folder that is empty is no object, and stops nothing', async () => {
  await used.sync.folder('empty', used.here);
  await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  expect(Object.keys(await objects())).toEqual(['a.txt']);
});

test('one bad file never stops the rest', async () => {
  const bad = await used.sync.file(used.here, 'bad.txt');
  await used.sync.file(used.here, 'good.txt');
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status: 403,
    reason: 'cannotDownloadAbusiveFile',
    path: `files/${bad}$`,
  });
  await used.sync.drain();
  // Its metadata are refused as well here: that may be otherwise next time, and it comes again.
  await used.sync.pump({ mayFail: true, choose: (count) => count - 1 }).catch(() => {});
  await setFaults(used.cloud);
  expect(await objects()).toHaveProperty(['good.txt']);
  used.sync.queue.length = 0;
});

test('a comparison for which Drive lists nothing at all refuses to remove', async () => {
  await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  await setFaults(used.cloud, { service: 'drive', kind: 'emptyList' });
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  const errors = used.sync.log.entries.filter(({ severity }) => severity === 'ERROR');
  expect(errors).toContainEqual(expect.objectContaining({ because: 'Drive lists nothing at all' }));
});

test('a comparison whose listing is not complete is no comparison', async () => {
  await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  await setFaults(used.cloud, { service: 'drive', kind: 'incompleteSearch', times: 1 });
  await expect(used.sync.reconcile()).rejects.toThrow('did not list all');
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('an object under a hold stays, with its reason, and goes when the hold ends', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.settle();
  await used.object('a.txt').setMetadata({ temporaryHold: true });
  await used.sync.change(id, { trashed: true });
  await used.sync.settle();
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(Object.values(await used.attention())).toEqual([expect.stringContaining('does not let go of')]);
  await used.object('a.txt').setMetadata({ temporaryHold: false });
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await objects()).toEqual({});
  expect(await used.attention()).toEqual({});
});

test('a shared drive is followed by its own feed', async () => {
  const { data } = await used.sync.drive.drives.create({
    requestId: `lab ${Math.random()}`,
    requestBody: { name: 'lab' },
  });
  const driveId = data.id ?? '';
  const { records } = used.sync.dependencies;
  const shared = { studyFolder: driveId, sharedDrive: driveId };
  const before = await records.read('drive/feed.json', (await import('zod')).any());
  await records.remove('drive/feed.json');
  Object.assign(used.sync.dependencies, shared);
  const options = { sharedDrive: driveId };
  const file = (name: string) => used.sync.file(driveId, name);
  await file('before.txt');
  await used.sync.drain(options);
  used.sync.queue.length = 0;
  await used.sync.reconcile({}, shared);
  await used.sync.pump();
  const later = await file('later.txt');
  await used.sync.drain(options);
  await used.sync.pump();
  const [files] = await used.sync.raw.getFiles();
  const ours = files
    .map(({ metadata }) => liveObject(metadata))
    .filter(({ metadata }) => metadata['drive-id'] === driveId);
  expect(ours.map(({ name }) => name).sort()).toEqual(['before.txt', 'later.txt']);
  await used.sync.drive.files.update({
    fileId: later,
    requestBody: { name: 'renamed.txt' },
    supportsAllDrives: true,
  });
  await used.sync.drain(options);
  await used.sync.pump();
  const [after] = await used.sync.raw.getFiles();
  expect(after.map(({ name }) => name)).toContain('renamed.txt');
  const asked = (await requestsAt(used.cloud, 'drive')).filter(({ url }) => /\/changes\?/.test(url));
  expect(asked.at(-1)?.url).toContain(`driveId=${driveId}`);
  await records.update('drive/feed.json', (await import('zod')).any(), () => before?.value);
});
