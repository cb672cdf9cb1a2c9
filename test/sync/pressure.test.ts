import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { openDrive } from '../../shared/clients.ts';
import { filtersOf } from '../../shared/drive/filters.ts';
import { listRuns } from '../../shared/drive/runs.ts';
import { ObjectArrived } from '../../shared/trigger.ts';
import { setFaults } from '../kit.ts';
import { useSync } from './useSync.ts';

// Behaviours 22 to 25 of a good sync.
const used = useSync();
const { objects, object, versions, writes } = used;
const slice = 256 * 1024;

test.each([
  ['403 userRateLimitExceeded', { status: 403, reason: 'userRateLimitExceeded' }],
  ['403 rateLimitExceeded', { status: 403, reason: 'rateLimitExceeded' }],
  ['429 with Retry-After', { status: 429, reason: 'rateLimitExceeded', retryAfter: 1 }],
  ['503', { status: 503 }],
])('22. %s slows the sync down, and it succeeds all the same', async (_what, fault) => {
  await used.sync.file(used.here, 'a.txt');
  await setFaults(used.cloud, { service: 'drive', kind: 'status', times: 3, ...fault });
  const start = Date.now();
  await used.sync.settle();
  if ('retryAfter' in fault) expect(Date.now() - start).toBeGreaterThanOrEqual(1000);
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test.each([
  ['a permission', 'insufficientFilePermissions'],
  ['abuse', 'cannotDownloadAbusiveFile'],
])('22. a 403 for %s is asked for once, and skipped', async (_what, reason) => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.drain();
  // The download alone: the metadata are to be had.
  const { drive } = used.sync;
  const { withMethod } = await import('./syncKit.ts');
  used.sync.dependencies.drive = withMethod(drive, 'files', 'get', async (original, { alt }) => {
    if (alt === 'media')
      await setFaults(used.cloud, {
        service: 'drive',
        kind: 'status',
        status: 403,
        reason,
        path: `files/${id}$`,
      });
    try {
      return await original();
    } finally {
      await setFaults(used.cloud);
    }
  });
  await used.sync.pump();
  const asked = (await used.driveRequests()).filter(({ url }) => /alt=media/.test(url));
  expect(asked).toHaveLength(1);
  expect(Object.values(await used.attention())).toEqual([`skipped: Drive does not give it: ${reason}`]);
});

test('22. a daily limit is asked for once, and the file waits for the next day', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.drain();
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status: 403,
    reason: 'downloadQuotaExceeded',
    path: `files/${id}$`,
  });
  const { drive } = used.sync;
  const { withMethod } = await import('./syncKit.ts');
  const plain = await drive.files.get({ fileId: used.here });
  expect(plain.status).toBe(200);
  used.sync.dependencies.drive = withMethod(drive, 'files', 'get', async (original, { alt }) => {
    if (alt !== 'media') await setFaults(used.cloud);
    else
      await setFaults(used.cloud, {
        service: 'drive',
        kind: 'status',
        status: 403,
        reason: 'downloadQuotaExceeded',
      });
    return original();
  });
  await used.sync.pump();
  await setFaults(used.cloud);
  expect((await used.driveRequests()).filter(({ url }) => /alt=media/.test(url))).toHaveLength(1);
  expect(used.sync.forTomorrow).toMatchObject([{ fileId: id }]);
  expect(await objects()).toEqual({});
  // The next day.
  used.sync.dependencies.drive = drive;
  await used.sync.publish(
    'file-changed',
    used.sync.forTomorrow.map((data) => ({ data })),
  );
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('22. a download that Drive restricts is skipped with its reason', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.drive.files.update({ fileId: id, requestBody: { copyRequiresWriterPermission: true } });
  await used.sync.settle();
  expect(await objects()).toEqual({});
  expect(Object.values(await used.attention())).toEqual(['skipped: Drive does not allow its download']);
});

test('22. what a run costs of the quota is known', async () => {
  for (let i = 0; i < 6; i++) await used.sync.file(used.here, `${i}.txt`);
  await used.sync.drain();
  used.sync.dependencies.drive = await openDrive({ shared: undefined });
  await used.sync.pump({ atATime: 6 });
  const run = (await listRuns(used.sync.dependencies.records, 1))[0];
  const asked = (await used.driveRequests()).filter(
    ({ url, method }) => method === 'GET' && /\/files\//.test(url),
  );
  const media = asked.filter(({ url }) => /alt=media/.test(url)).length;
  // The client of the test read folders, too, which the kit's own reader counts as the delivery's.
  expect(run?.units).toBeGreaterThanOrEqual(media * 200 + 6 * 5);
});

test('23. of two workers on one file one wins, and the other ends without an effect', async () => {
  const id = await used.sync.file(used.here, 'a.txt');
  await used.sync.drain();
  used.sync.queue.length = 0;
  await used.sync.publish(
    'file-changed',
    Array.from({ length: 8 }, () => ({ data: { fileId: id } })),
  );
  await used.sync.pump({ atATime: 8 });
  expect(await objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(await versions()).toHaveLength(1);
});

test.each([
  ['small', 100],
  ['of many slices', 4 * slice + 1],
])(
  '23. a lost answer and then a 412 on its own write of a file that is %s is known as success',
  async (_what, size) => {
    const content = randomBytes(size);
    await used.sync.file(used.here, 'a.bin', content);
    await used.sync.drain();
    await setFaults(used.cloud, {
      service: 'storage',
      kind: 'lostAnswer',
      path: '^/upload/storage/v1/b/raw/',
      times: 2,
    });
    await used.sync.pump({ mayFail: true });
    await setFaults(used.cloud);
    expect((await object('a.bin').download())[0].equals(content)).toBe(true);
    expect(await versions()).toHaveLength(1);
  },
);

test('23. a stale event never puts an older revision in the place of a newer one', async () => {
  const id = await used.sync.file(used.here, 'a.txt', 'one');
  await used.sync.settle();
  await used.sync.edit(id, 'two');
  await used.sync.drain();
  const stale = used.sync.queue.splice(0);
  await used.sync.edit(id, 'three');
  await used.sync.settle();
  used.sync.queue.push(...stale);
  await used.sync.pump();
  expect(await objects()).toEqual({ 'a.txt': 'three' });
  expect(await versions()).toHaveLength(2);
});

test('24. filters by path, type and size leave alone what they name, and never remove what is there already', async () => {
  const there = await used.sync.file(used.here, 'there.tmp', 'there');
  await used.sync.settle();
  const { policy } = used.sync.dependencies;
  const filters = filtersOf({
    include: [`${used.prefix}**`],
    exclude: ['**/*.tmp', '**/not this/**'],
    excludeTypes: ['video/*'],
    maxSize: 1000,
  });
  used.sync.dependencies.policy = { ...policy, filters };
  await used.sync.file(used.here, 'a.tmp');
  await used.sync.file(await used.sync.folder('not this', used.here), 'b.txt');
  await used.sync.create({ name: 'film.mp4', parents: [used.here], mimeType: 'video/mp4' }, 'film');
  await used.sync.file(used.here, 'big.txt', 'x'.repeat(1001));
  await used.sync.file(used.here, 'good.txt', 'good');
  await used.sync.edit(there, 'edited');
  await used.sync.settle();
  const wanted = { 'there.tmp': 'there', 'good.txt': 'good' };
  expect(await objects()).toEqual(wanted);
  expect(Object.values(await used.attention()).sort()).toEqual([
    'skipped: it has 1001 bytes, more than the 1000 that are allowed',
    'skipped: it is excluded by **/*.tmp',
    'skipped: it is excluded by **/*.tmp',
    'skipped: it is excluded by **/not this/**',
    'skipped: its type video/mp4 is excluded by video/*',
  ]);
  await used.sync.change(there, { trashed: true });
  await used.sync.settle();
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await objects()).toEqual(wanted);
});

test('25. an object says where it comes from, within 8 KiB; a change of metadata finalizes nothing', async () => {
  const id = await used.sync.file(used.here, 'a.txt', 'a');
  await used.sync.settle();
  const { data } = await used.sync.drive.files.get({
    fileId: id,
    fields: 'headRevisionId,md5Checksum,modifiedTime',
  });
  const [{ metadata, contentType, generation }] = await object('a.txt').getMetadata();
  expect({ ...metadata, contentType }).toEqual({
    'drive-file-id': id,
    'drive-revision': data.headRevisionId,
    'drive-path': JSON.stringify([used.prefix.slice(0, -1), 'a.txt']),
    'drive-md5': data.md5Checksum,
    mtime: data.modifiedTime,
    'goog-reserved-file-mtime': String(Math.floor(Date.parse(data.modifiedTime ?? '') / 1000)),
    contentType: 'application/octet-stream',
  });
  expect(JSON.stringify(metadata).length).toBeLessThan(8192);

  await used.sync.change(id, { modifiedTime: '2020-01-02T03:04:05.000Z' });
  await used.sync.settle();
  const [after] = await object('a.txt').getMetadata();
  expect([after.generation, after.metadata?.mtime]).toEqual([generation, '2020-01-02T03:04:05.000Z']);
  const finalizing = (await writes()).filter(({ method }) => method === 'POST');
  expect(finalizing).toHaveLength(1);
  // What comes after tells one finalize event from another by these.
  expect(ObjectArrived.parse({ bucket: 'raw', name: 'a', generation: 7 })).toEqual({
    bucket: 'raw',
    name: 'a',
    generation: '7',
  });
});

test('25. every run leaves a record of counts, bytes, quota units, lag, and what was skipped and why', async () => {
  const content = randomBytes(3 * slice);
  await used.sync.file(used.here, 'a.bin', content);
  const removed = await used.sync.file(used.here, 'b.txt', 'b');
  await used.sync.settle();
  await used.sync.create({
    name: 'form',
    parents: [used.here],
    mimeType: 'application/vnd.google-apps.form',
  });
  await used.sync.change(removed, { trashed: true });
  await used.sync.file(used.here, 'c.txt', 'cc');
  await used.sync.settle();
  const [second, first] = await listRuns(used.sync.dependencies.records, 2);
  expect(first).toMatchObject({
    kind: 'drain',
    looked: 2,
    asked: 2,
    counts: { synced: 2 },
    bytes: content.length + 1,
  });
  expect(first?.units).toBeGreaterThan(600);
  expect(first?.lag).toMatchObject({ count: 2 });
  expect(first?.lag.longest).toBeGreaterThan(0);
  expect(second).toMatchObject({
    counts: { synced: 1, removed: 1, skipped: 1 },
    bytes: 2,
    reasons: { 'a form is not exported': 1 },
  });

  await used.sync.reconcile();
  const reconcile = (await listRuns(used.sync.dependencies.records, 30)).find(
    ({ kind }) => kind === 'reconcile',
  );
  expect(reconcile).toMatchObject({ looked: expect.any(Number), endedAt: expect.any(String) });
  expect(reconcile?.units).toBeGreaterThanOrEqual(100);
});
