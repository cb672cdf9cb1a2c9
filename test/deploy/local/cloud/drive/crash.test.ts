import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { follow, md5, settled, until } from './following.ts';

let dir = '';
let running: (() => Promise<void>)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
});
afterEach(async () => {
  await Promise.all(running.map((kill) => kill()));
  running = [];
  await rm(dir, { recursive: true });
});

async function start() {
  const child = fork(join(import.meta.dirname, 'child.ts'), [dir], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  running.push(kill);
  const [{ origin, studyFolder }] = (await once(child, 'message')) as [
    { origin: string; studyFolder: string },
  ];
  const drive = new drive_v3.Drive({ rootUrl: `${origin}/`, retry: false });
  return { origin, studyFolder, drive, kill };
}
const path = (...names: string[]) => join(dir, 'drive', ...names);

test('what happened in the folder while nothing ran is in the feed after the start', async () => {
  const before = await start();
  await mkdir(path('folder'));
  for (const name of ['edited', 'renamed', 'deleted', 'moved', 'same']) await writeFile(path(name), name);
  await settled(before);
  const known = (await before.drive.files.list({ fields: 'files(id,name)' })).data.files ?? [];
  const nameOf = (id: unknown) => known.find((file) => file.id === id)?.name;
  const pageToken = (await before.drive.changes.getStartPageToken()).data.startPageToken ?? '';
  await before.kill();

  await writeFile(path('edited'), 'changed');
  await rename(path('renamed'), path('new name'));
  await rm(path('deleted'));
  await rename(path('moved'), path('folder', 'moved'));
  const after = await start();
  await settled(after);
  expect(after.studyFolder).toBe(before.studyFolder);
  const { data } = await after.drive.changes.list({ pageToken, fields: '*' });
  const found = (data.changes ?? []).map(({ fileId, removed, file }) => [
    nameOf(fileId),
    removed || file?.name,
  ]);
  expect(found.sort()).toEqual([
    ['deleted', true],
    ['edited', 'edited'],
    ['moved', 'moved'],
    ['renamed', 'new name'],
  ]);
});

test('a channel goes on after a kill, and hears of what was missed', async () => {
  let pushes = 0;
  const receiver = createServer((_request, response) => {
    pushes++;
    response.end();
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  try {
    const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const before = await start();
    const pageToken = (await before.drive.changes.getStartPageToken()).data.startPageToken ?? '';
    const requestBody = { id: 'survivor', type: 'web_hook', address };
    await before.drive.changes.watch({ pageToken, requestBody });
    await settled(before);
    expect(pushes).toBe(1);
    await before.kill();
    await writeFile(path('missed.txt'), 'x');
    await settled(await start());
    expect(pushes).toBe(2);
  } finally {
    receiver.close();
  }
});

test('a kill at any moment leaves a Drive that opens again and equals the folder', async () => {
  for (const moment of [15, 60, 140]) {
    const { drive, origin, kill } = await start();
    let writing = true;
    const work = Array.from({ length: 6 }, async (_, worker) => {
      for (let turn = 0; writing; turn++) {
        const body = `${moment} ${worker} ${turn}`;
        const media = { body, mimeType: 'text/plain' };
        const options = { rootUrl: `${origin}/` };
        const requestBody = { name: `same ${turn % 3}.txt` };
        const { data } = await drive.files.create({ requestBody, media }, options);
        const fileId = data.id ?? '';
        if (turn % 4 === 1) await drive.files.update({ fileId, requestBody: { trashed: true } });
        if (turn % 4 === 2) await drive.files.delete({ fileId });
        if (turn % 4 === 3) await drive.files.update({ fileId, requestBody: { name: `other ${body}` } });
      }
    });
    const ended = Promise.allSettled(work);
    await until(async () => (await readdir(path())).length > moment / 5);
    await kill();
    writing = false;
    await ended;
  }
  const { drive, ...cloud } = await start();
  await settled(cloud);
  const fields = 'files(id,md5Checksum,trashed)';
  const { data } = await drive.files.list({ fields, pageSize: 1000, q: "mimeType contains 'text/'" });
  const kept = (data.files ?? []).filter(({ trashed }) => !trashed).map(({ md5Checksum }) => md5Checksum);
  const names = await readdir(path());
  const onDisk = await Promise.all(names.map(async (name) => md5(await readFile(path(name)))));
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.sort()).toEqual(onDisk.sort());
  const trashed = (data.files ?? []).filter((file) => file.trashed);
  expect(trashed.length).toBeGreaterThan(0);
  for (const { id, md5Checksum } of trashed) {
    const bytes = await drive.files.get({ fileId: id ?? '', alt: 'media' }, { responseType: 'text' });
    expect(md5(bytes.data as string)).toBe(md5Checksum);
  }
  expect(await readdir(join(dir, '.cloud', 'blobs', 'drive'))).toHaveLength(trashed.length);
});

test('thousands of files are taken in, and one more is seen soon', async () => {
  for (let folder = 0; folder < 30; folder++) {
    await mkdir(path(String(folder)), { recursive: true });
    const names = Array.from({ length: 50 }, (_, i) => path(String(folder), `${i}.txt`));
    await Promise.all(names.map((name) => writeFile(name, name)));
  }
  const { drive, ...cloud } = await start();
  await until(async () => {
    const { data } = await drive.changes.getStartPageToken();
    return Number(data.startPageToken) > 1530;
  }, 20);
  await settled(cloud);
  const feed = await follow(drive);
  await writeFile(path('20', 'new.txt'), 'x');
  await settled(cloud);
  expect((await feed.next()).map(({ file }) => file?.name)).toEqual(['new.txt']);
  await rename(path('20'), path('renamed'));
  await settled(cloud);
  expect((await feed.next()).map(({ file }) => file?.name)).toEqual(['renamed']);
});
