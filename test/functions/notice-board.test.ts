import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { functions } from '../../functions/index.ts';
import { type NoticeBoardDependencies, noticeBoard } from '../../functions/notice-board.ts';
import { clients, openDrive } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { idleNotice } from '../../shared/machines/idle/idleNotice.ts';
import { BoardRecord, boardRecordName } from '../../shared/notices/board.ts';
import { noticeFileName } from '../../shared/notices/noticeFile.ts';
import { NoticeMessage } from '../../shared/notices/noticeMessage.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { until } from '../deploy/local/cloud/pubsub/receiver.ts';
import { forgetRequests, rememberLog, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openStudy } from './driveKit.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
let records: Records;
let study: Awaited<ReturnType<typeof openStudy>>;
const log = rememberLog();
const again: number[] = [];

beforeAll(async () => {
  study = await openStudy();
  drive = await openDrive({ shared: undefined, random: () => 0.01 });
  records = recordsIn(await clients.storage(), 'state');
});
afterEach(async () => {
  await setFaults(cloud);
  for await (const name of records.list('notices/')) await records.remove(name);
  for (const { id } of await files()) await drive.files.delete({ fileId: id ?? '', supportsAllDrives: true });
  log.entries.length = again.length = 0;
});

const dependencies = (): NoticeBoardDependencies => ({
  drive,
  project: cloud.project,
  studyFolder: config().studyFolder,
  sharedDrive: undefined,
  records,
  newId: async () => (await drive.files.generateIds({ count: 1 })).data.ids?.[0] ?? '',
  lookAgain: async () => void again.push(1),
  log,
  now: Date.now,
});
const files = async (folder = config().studyFolder) =>
  (
    await drive.files.list({
      q: `'${folder}' in parents and name = '${noticeFileName}' and trashed = false`,
      fields: 'files(id,md5Checksum)',
      supportsAllDrives: true,
      includeItemsFromAllDrives: true,
      corpora: 'allDrives',
    })
  ).data.files ?? [];
/** By hand, in any program: `drive/` on disk is the study folder. */
const onDisk = () => join(cloud.dir, 'drive', noticeFileName);
const makeByHand = async (content = '') => {
  await writeFile(onDisk(), content);
  await until(async () => (await files()).length === 1);
};
const raised = (level: string, minute: number, more: object = {}) =>
  NoticeMessage.parse({
    ...{ project: 'p', level, kind: 'raised', reason: 'r', period: { start: 's', end: 'e' }, results: [] },
    words: `Budget guard of p: ${level}. 91 % of the budget is spent.`,
    at: `2026-11-26T12:${String(minute).padStart(2, '0')}:00.000Z`,
    ...more,
  });
const board = async () => (await records.read(boardRecordName, BoardRecord))?.value;
let deliveries = 0;
const deliver = (
  message: NoticeMessage,
  more: Partial<NoticeBoardDependencies> = {},
  id = `m${deliveries++}`,
) => noticeBoard(message, { id }, { ...dependencies(), ...more });
const headings = (text: string) => [...text.matchAll(/^## .*UTC: (.*)$/gm)].map(([, title]) => title);

test('a file that a person has made and shared is written, the newest first, and updated in its place', async () => {
  await makeByHand();
  await deliver(raised('warned', 1));
  await deliver(raised('stop-idle', 3));
  await deliver(raised('no-new-work', 2));
  const idle = idleNotice(
    'idle-warning',
    [{ what: 'z/notebook', why: 'nothing has happened for 60 min', stopAt: '2026-11-26T12:20:00.000Z' }],
    { project: 'p', at: '2026-11-26T12:05:00.000Z' },
  );
  await deliver(NoticeMessage.parse(idle));
  const text = await readFile(onDisk(), 'utf8');
  expect(headings(text)).toEqual([
    'machines are idle, and will be stopped',
    'the budget guard is at stop-idle',
    'the budget guard is at no-new-work',
    'the budget guard is at warned',
  ]);
  expect(text).toContain('- z/notebook: idle, stopped at 2026-11-26T12:20:00.000Z, nothing has happened');
  expect(await files()).toHaveLength(1);
});

test('what comes twice stands there once, and what is in names is no link', async () => {
  await makeByHand('what somebody wrote by hand');
  const done = raised('stop-all', 1, {
    kind: 'done',
    results: [{ what: 'z/a', outcome: 'failed', words: '[click](https://evil.example) <img src=x>' }],
  });
  await deliver(done, {}, 'same');
  await deliver(done, {}, 'same');
  await deliver(done, {}, 'published again');
  const text = await readFile(onDisk(), 'utf8');
  expect(headings(text)).toEqual(['the budget guard has done stop-all']);
  expect(text).toContain('- z/a: failed, [click] (https://evil.example) ‹img src=x›');
});

test('it stays small: the oldest give way', async () => {
  await makeByHand();
  const notices = Array.from({ length: 100 }, (_, index) => ({
    ...{
      id: `old${index}`,
      at: `2026-10-01T00:${index % 60}:00.000Z`.replace(/:(\d):/, ':0$1:'),
      title: 'old',
    },
    ...{ words: `${index}`, lines: [] },
  }));
  await records.write(boardRecordName, { notices }, '0');
  const machines = Array.from({ length: 50 }, (_, index) => ({ what: `z/m${index}`, why: 'idle' }));
  await deliver(raised('warned', 1, { machines }));
  const text = await readFile(onDisk(), 'utf8');
  expect(headings(text)).toHaveLength(100);
  expect(text).toContain('- and 20 more');
});

test('in My Drive without such a file, it is said what a person must do, and it is looked again', async () => {
  await forgetRequests(cloud);
  await deliver(raised('warned', 1));
  // A service account can own nothing there.
  expect((await requestsAt(cloud, 'drive')).filter(({ method }) => method === 'POST')).toEqual([]);
  const email = `gazeline@${cloud.project}.iam.gserviceaccount.com`;
  const words = expect.stringMatching(new RegExp(`no file “${noticeFileName}”.*share it.*${email}`));
  expect(await board()).toMatchObject({ problem: { words } });
  expect(log.entries).toEqual([expect.objectContaining({ severity: 'WARNING', problem: words })]);
  expect(again).toHaveLength(1);
  await makeByHand();
  await deliver({ check: {} });
  expect(headings(await readFile(onDisk(), 'utf8'))).toEqual(['the budget guard is at warned']);
  expect(await board()).not.toHaveProperty('problem');
});

test('a file that may only be read is told of, and while Drive is down the message comes again', async () => {
  await makeByHand();
  const refused = { service: 'drive', kind: 'status', method: 'PATCH', status: 403 };
  await setFaults(cloud, { ...refused, reason: 'insufficientFilePermissions' });
  await deliver(raised('warned', 1));
  expect((await board())?.problem?.words).toMatch(
    /may only be read: share it, or the study folder, with gazeline@/,
  );
  await setFaults(cloud, { service: 'drive', kind: 'status', status: 503, method: 'PATCH' });
  await expect(deliver(raised('no-new-work', 2), {}, 'twice')).rejects.toThrow();
  await setFaults(cloud);
  await deliver(raised('no-new-work', 2), {}, 'twice');
  expect(headings(await readFile(onDisk(), 'utf8'))).toHaveLength(2);
});

test('in a shared drive it makes the file itself, once, however many are at it and whatever answer is lost', async () => {
  const { data: shared } = await drive.drives.create({ requestId: 'r', requestBody: { name: 'Lab' } });
  const place = { studyFolder: shared.id ?? '', sharedDrive: shared.id ?? '' };
  await setFaults(cloud, { service: 'drive', kind: 'lostAnswer', method: 'POST', path: '/files', times: 1 });
  await expect(deliver(raised('warned', 1), place, 'first')).rejects.toThrow();
  await setFaults(cloud);
  await Promise.allSettled([
    deliver(raised('warned', 1), place, 'first'),
    deliver(raised('no-new-work', 2), place),
    deliver(raised('stop-idle', 3), place),
  ]);
  await deliver({ check: {} }, place);
  const [file, ...others] = await files(place.studyFolder);
  expect(others).toEqual([]);
  const read = async (fileId = '') =>
    String(
      (await drive.files.get({ fileId, alt: 'media', supportsAllDrives: true }, { responseType: 'text' }))
        .data,
    );
  expect(headings(await read(file?.id ?? ''))).toHaveLength(3);
  // Somebody throws it away: the next notice makes another one.
  await drive.files.update({
    fileId: file?.id ?? '',
    requestBody: { trashed: true },
    supportsAllDrives: true,
  });
  await deliver(raised('stop-all', 4), place).catch(() => deliver({ check: {} }, place));
  const [second] = await files(place.studyFolder);
  expect(second?.id).not.toBe(file?.id);
  expect(headings(await read(second?.id ?? ''))).toHaveLength(4);
  await drive.files.delete({ fileId: second?.id ?? '', supportsAllDrives: true });
});

test('the file is not brought to the bucket, so that no notice comes back as a stimulus', async () => {
  await makeByHand();
  const folder = await study.folder('elsewhere');
  const other = await study.file(folder, noticeFileName, 'somebody’s own');
  await deliver(raised('warned', 1));
  const [file] = await files();
  await study.converge(file?.id ?? '', other);
  const [objects] = await study.raw.getFiles();
  expect(objects.map(({ name }) => name)).toEqual([`elsewhere/${noticeFileName}`]);
});

test('the function itself: what the topic brings is in the folder, and what is no notice is put aside', async () => {
  await makeByHand();
  const fire = (data: object) =>
    functions['notice-board'].handle(
      {
        method: 'POST',
        path: '/',
        headers: {},
        body: Buffer.from(
          JSON.stringify({
            message: {
              messageId: String(deliveries++),
              data: Buffer.from(JSON.stringify(data)).toString('base64'),
            },
            subscription: 's',
          }),
        ),
      },
      { name: 'notice-board', logOf: () => log },
    );
  expect(await fire(raised('warned', 1))).toEqual({ status: 204 });
  expect(headings(await readFile(onDisk(), 'utf8'))).toHaveLength(1);
  expect(await fire({ anything: true })).toEqual({ status: 204 });
  expect(log.entries).toContainEqual(expect.objectContaining({ severity: 'ERROR' }));
});
