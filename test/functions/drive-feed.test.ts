import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { type DriveFeedDependencies, driveFeed } from '../../functions/drive-feed.ts';
import { drainBegins } from '../../shared/drive/requestDrain.ts';
import { listRuns } from '../../shared/drive/runs.ts';
import type { Records } from '../../shared/storage/records.ts';
import { rememberLog, rememberPublish, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openStudy, type Study } from './driveKit.ts';

const cloud = useLocalCloud();
const Feed = z.object({ pageToken: z.string(), drainedAt: z.string() });
const feedRecord = 'drive/feed.json';
const publish = rememberPublish();
const log = rememberLog();
let study: Study;
let records: Records;
let time = Date.parse('2026-11-23T10:00:00Z');
const waits: number[] = [];
let reconciles = 0;

beforeAll(async () => {
  study = await openStudy();
  records = study.dependencies.records;
});
beforeEach(() => {
  publish.sent.length = 0;
  log.entries.length = 0;
  waits.length = 0;
  reconciles = 0;
  time += 60_000;
});

const drain = (overrides: Partial<DriveFeedDependencies> = {}) =>
  driveFeed({
    drive: study.drive,
    records,
    publish,
    drainBegins: () => drainBegins(records),
    requestReconcile: async () => void reconciles++,
    log,
    now: () => time,
    wait: async (ms) => {
      waits.push(ms);
    },
    ...overrides,
  });
const told = () => publish.sent.map(({ data }) => data as { fileId: string; removed: boolean });
const ids = () => told().map(({ fileId }) => fileId);
const token = async () => (await records.read(feedRecord, Feed))?.value.pageToken;
async function forgetFeed(): Promise<void> {
  await records.remove(feedRecord);
}
/** The Drive client with another `changes.list`. */
function withList(
  list: (original: drive_v3.Drive['changes']['list'], parameters: object) => unknown,
): drive_v3.Drive {
  const changes = new Proxy(study.drive.changes, {
    get: (target, key) =>
      key === 'list'
        ? (parameters: object) => list(target.list.bind(target), parameters)
        : Reflect.get(target, key),
  });
  return new Proxy(study.drive, {
    get: (target, key) => (key === 'changes' ? changes : Reflect.get(target, key)),
  });
}
const inPagesOf = (pageSize: number) =>
  withList((list, parameters) => list({ ...parameters, pageSize } as never));

test('the first time the feed begins now, and the whole tree is asked for', async () => {
  await study.file(study.dependencies.studyFolder, 'before.txt');
  await forgetFeed();
  await drain();
  expect(publish.sent).toEqual([]);
  expect(reconciles).toBe(1);
  const late = await study.file(study.dependencies.studyFolder, 'late.txt');
  await drain();
  expect(ids()).toEqual([late]);
  expect(reconciles).toBe(1);
});

test('the token is taken before the tree is asked for, so that nothing in between is lost', async () => {
  await forgetFeed();
  let late = '';
  const requestReconcile = async () => {
    late = await study.file(study.dependencies.studyFolder, 'in between.txt');
  };
  await drain({ requestReconcile });
  await drain();
  expect(ids()).toEqual([late]);
});

test('a tree that could not be asked for leaves no token, so that it is asked for again', async () => {
  await forgetFeed();
  const requestReconcile = async () => {
    throw new Error('down');
  };
  await expect(drain({ requestReconcile })).rejects.toThrow('down');
  await drain();
  expect(reconciles).toBe(1);
});

test('a message says when the change was, and a run that did something leaves its record', async () => {
  await drain();
  publish.sent.length = 0;
  const before = (await listRuns(records)).length;
  await drain();
  expect(await listRuns(records)).toHaveLength(before);
  await study.file(study.dependencies.studyFolder, 'run.txt');
  await drain();
  const [message] = publish.sent.map(({ data }) => data as { run: string; changedAt: string });
  expect(Math.abs(Date.now() - Date.parse(message?.changedAt ?? ''))).toBeLessThan(60_000);
  expect(await listRuns(records)).toContainEqual(
    expect.objectContaining({ id: message?.run, kind: 'drain', looked: 1, asked: 1 }),
  );
});

test('each change is one message, whatever happened, and a removal says so', async () => {
  await drain();
  publish.sent.length = 0;
  const folder = await study.folder('changes');
  const [edited, removed] = [await study.file(folder, 'a.txt'), await study.file(folder, 'b.txt')];
  await study.edit(edited, 'again');
  await study.change(edited, { name: 'c.txt' });
  await study.remove(removed);
  await drain();
  const said = told().map(({ fileId, removed }) => ({ fileId, removed }));
  expect(said.sort((a, b) => a.fileId.localeCompare(b.fileId))).toEqual(
    [
      { fileId: folder, removed: false },
      { fileId: edited, removed: false },
      { fileId: removed, removed: true },
    ].sort((a, b) => a.fileId.localeCompare(b.fileId)),
  );
});

test('where nothing changed nothing is handed on', async () => {
  await drain();
  publish.sent.length = 0;
  await drain();
  expect(publish.sent).toEqual([]);
});

test('a crash between a message and the token repeats the message and loses none', async () => {
  await drain();
  const before = await token();
  const id = await study.file(study.dependencies.studyFolder, 'crash.txt');
  const killed = async () => {
    expect(ids()).toContain(id);
    throw new Error('killed');
  };
  await expect(drain({ records: { ...records, write: killed } })).rejects.toThrow('killed');
  expect(await token()).toBe(before);
  publish.sent.length = 0;
  await drain();
  expect(ids()).toContain(id);
});

test.each([
  ['that is down', new Error('down')],
  // As the library throws it for a topic that is not there; it says nothing about the page token.
  ['without the topic', Object.assign(new Error('no such topic'), { status: 404, code: 404 })],
])('a Pub/Sub %s moves no token, and starts no import', async (_what, fail) => {
  await drain();
  const before = await token();
  const id = await study.file(study.dependencies.studyFolder, 'down.txt');
  publish.fail = fail;
  await expect(drain()).rejects.toBe(fail);
  expect(await token()).toBe(before);
  publish.sent.length = 0;
  await drain();
  expect(ids()).toEqual([id]);
});

test('a drain goes through every page, and one that died on the way goes on from there', async () => {
  await drain();
  publish.sent.length = 0;
  const files: string[] = [];
  for (let i = 0; i < 5; i++) files.push(await study.file(study.dependencies.studyFolder, `page ${i}.txt`));
  let writes = 0;
  const dying: Records = {
    ...records,
    write: async (...args) => {
      if (++writes === 2) throw new Error('killed');
      return records.write(...args);
    },
  };
  await expect(drain({ drive: inPagesOf(2), records: dying })).rejects.toThrow('killed');
  expect(ids()).toEqual(files.slice(0, 4));
  publish.sent.length = 0;
  await drain({ drive: inPagesOf(2) });
  expect(ids()).toEqual(files.slice(2));
});

test('two drains at once lose nothing, and leave one token', async () => {
  await drain();
  publish.sent.length = 0;
  const files: string[] = [];
  for (let i = 0; i < 4; i++) files.push(await study.file(study.dependencies.studyFolder, `both ${i}.txt`));
  await Promise.all([drain({ drive: inPagesOf(1) }), drain({ drive: inPagesOf(1) })]);
  expect(new Set(ids())).toEqual(new Set(files));
  publish.sent.length = 0;
  await drain();
  expect(ids()).toEqual([]);
});

const refusals: [string, object][] = [
  ['404', { status: 404, reason: 'notFound' }],
  ['410', { status: 410, reason: 'gone' }],
];
test.each(refusals)(
  'a page token that is answered with %s makes the tree be compared, with an error in the log',
  async (_what, answer) => {
    await setFaults(cloud, { service: 'drive', kind: 'status', path: '/changes$', times: 1, ...answer });
    await drain();
    await setFaults(cloud);
    expect(reconciles).toBe(1);
    expect(log.entries[0]).toMatchObject({
      severity: 'ERROR',
      message: expect.stringContaining('page token'),
    });
    publish.sent.length = 0;
    await drain();
    expect(ids()).toEqual([]);
  },
);

test('a page token that Drive does not know makes the tree be compared', async () => {
  const known = await records.read(feedRecord, Feed);
  await records.write(feedRecord, { ...known?.value, pageToken: 'nonsense' }, known?.generation ?? '0');
  await drain();
  expect(reconciles).toBe(1);
});

test.each([
  ['400 about something else', { status: 400, reason: 'invalid' }],
  ['403', { status: 403, reason: 'userRateLimitExceeded' }],
  ['500', { status: 500 }],
])('%s is no verdict on the page token', async (_what, answer) => {
  await drain();
  const before = await token();
  publish.sent.length = 0;
  // In one piece, because the library would try a 500 for seconds.
  const drive = withList(async () => {
    throw Object.assign(new Error('refused'), {
      ...answer,
      code: answer.status,
      response: { data: { error: {} } },
    });
  });
  await expect(drain({ drive })).rejects.toThrow('refused');
  expect(publish.sent).toEqual([]);
  expect(await token()).toBe(before);
});

test('drains in a storm are a second apart', async () => {
  await drain();
  time += 300;
  await drain();
  time += 5000;
  await drain();
  // A clock that was set back makes nobody wait for hours.
  time -= 3_600_000;
  await drain();
  time += 3_600_000;
  expect(waits).toEqual([700]);
});

test('the marker is gone before the feed is read, so that what is reported later asks anew', async () => {
  await records.write('drive/drain-requested.json', {}, '0');
  const drive = withList(async (list, parameters) => {
    expect(await records.read('drive/drain-requested.json', z.unknown())).toBeUndefined();
    return list(parameters as never);
  });
  await drain({ drive });
  expect.assertions(1);
});

test('a record of the feed that is broken is an error, and no new import', async () => {
  const known = await records.read(feedRecord, Feed);
  const broken = await records.write(feedRecord, { pageToken: 7 }, known?.generation ?? '0');
  await expect(drain()).rejects.toThrow('is not a record as expected');
  expect(publish.sent).toEqual([]);
  await records.remove(feedRecord, broken);
});
