import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { type ExportDependencies, exportToDrive } from '../../functions/export.ts';
import { cancelExport } from '../../shared/export/cancelExport.ts';
import { exportName } from '../../shared/export/exportRun.ts';
import { ExportRequested } from '../../shared/export/requestExport.ts';
import { NotYet } from '../../shared/once.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useExport } from './exportKit.ts';

const used = useExport();
const slice = 256 * 1024;
/** More than is sent at once. */
const large = (more = 17) => randomBytes(12 * slice + more);
const sent = async () =>
  (await requestsAt(used.cloud, 'drive')).filter(
    ({ method, url }) => method === 'PUT' && /upload_id=/.test(url),
  );
/** A clock that is over its deadline after so many looks. */
function invocation(looks: number): Partial<ExportDependencies> {
  const start = Date.now();
  let asked = 0;
  return { now: () => start + asked++, deadline: start + looks };
}
async function expectExported(name: string, content: Buffer): Promise<void> {
  expect(Object.keys(await used.tree())).toEqual([name]);
  expect((await used.tree())[name]).toBe(content.toString('latin1'));
}
/** Lists an export, and gives the messages for its objects. */
async function listed(): Promise<ExportRequested[]> {
  const request = await used.to.request(used.prefix, used.here);
  used.to.publish.sent.length = 0;
  await exportToDrive(request, used.to.instance());
  return used.to.publish.sent.map(({ data }) => ExportRequested.parse(data));
}
const one = async () => (await listed())[0] as ExportRequested;
const session = { service: 'drive', method: 'PUT', path: '/upload/' };

test('a large object passes through many invocations in one session, slice by slice', async () => {
  const content = randomBytes(40 * slice + 17);
  await used.put('a.edf', content);
  const message = await one();
  await forgetRequests(used.cloud);
  let invocations = 0;
  for (; invocations < 60; invocations++) {
    used.to.publish.sent.length = 0;
    await exportToDrive(message, used.to.instance(invocation(7)));
    if (used.to.publish.sent.length === 0) break;
    expect(used.to.publish.sent.map(({ data }) => data)).toEqual([message]);
    expect(await used.tree()).toEqual({});
  }
  expect(invocations).toBeGreaterThan(5);
  await expectExported('a.edf', content);
  const begun = (await requestsAt(used.cloud, 'drive')).filter(({ url }) =>
    url.includes('uploadType=resumable'),
  );
  expect(begun.filter(({ method }) => method === 'POST')).toHaveLength(1);
  expect((await used.to.report(message.export)).state).toBe('done');
});

test.each([
  { when: 'before its last bytes', step: 0, parts: 12 },
  { when: 'between two parts', step: 6000, parts: 1 },
])(
  'a large object whose export is cancelled $when leaves nothing, and can be exported again',
  async ({ step, parts }) => {
    const content = large();
    await used.put('a.edf', content);
    const message = await one();
    const { records } = used.to;
    let asked = 0;
    let looks = 0;
    // By somebody else, after it has begun.
    const cancelling: typeof records = {
      ...records,
      async read(name, schema) {
        if (name === exportName(message.export) && ++looks === 3)
          await cancelExport(records, message.export, 'zoë', new Date());
        return records.read(name, schema);
      },
    };
    await forgetRequests(used.cloud);
    await exportToDrive(
      message,
      used.to.instance({ records: cancelling, now: () => Date.now() + step * asked++ }),
    );
    await exportToDrive(message, used.to.instance());
    expect(await used.tree()).toEqual({});
    expect(await sent()).toHaveLength(parts);
    const ended = (await requestsAt(used.cloud, 'drive')).filter(({ method }) => method === 'DELETE');
    expect(ended).toHaveLength(1);
    expect(await used.to.report(message.export)).toMatchObject({ state: 'cancelled', outcomes: {} });
    expect((await used.export()).state).toBe('done');
    await expectExported('a.edf', content);
  },
);

test('an export that was killed in the middle of an object goes on, and loses at most what was under way', async () => {
  const content = large();
  await used.put('a.edf', content);
  const message = await one();
  const { records, derived } = used.to;
  let reads = 0;
  const killed = () => {
    throw new Error('killed');
  };
  // The dead do not let go of what they had.
  const dying = used.to.instance({
    records: {
      ...records,
      write: async (...args) => (reads > 6 ? killed() : records.write(...args)),
    },
    derived: new Proxy(derived, {
      get: (target, key) =>
        key === 'file'
          ? (name: string, options: object) =>
              'generation' in (options ?? {}) && ++reads > 6 ? killed() : target.file(name, options)
          : Reflect.get(target, key),
    }),
  });
  await expect(exportToDrive(message, dying)).rejects.toThrow('killed');
  await expect(exportToDrive(message, used.to.instance())).rejects.toThrow(NotYet);
  await forgetRequests(used.cloud);
  await exportToDrive(message, used.to.instance({ now: () => Date.now() + 2000 }));
  await expectExported('a.edf', content);
  expect((await sent()).length).toBeLessThan(11);
});

test('lost answers, cut connections, 503s and chunks that are kept in part are overcome within one delivery', async () => {
  const content = large();
  await used.put('a.edf', content);
  const message = await one();
  await setFaults(
    used.cloud,
    { ...session, kind: 'shortAck', times: 3 },
    { ...session, kind: 'lostAnswer', times: 2 },
    { ...session, kind: 'cut', times: 2 },
    { ...session, kind: 'status', status: 503, times: 1 },
    { service: 'storage', kind: 'cut', path: 'a.edf', times: 2 },
  );
  await exportToDrive(message, used.to.instance({ sliceSize: 4 * slice }));
  await expectExported('a.edf', content);
});

test('the lost answer to the last bytes of a file is asked for again', async () => {
  const content = large();
  await used.put('a.edf', content);
  const message = await one();
  const { drive } = used.to;
  await exportToDrive(message, used.to.instance({ drive, sliceSize: 4 * slice, ...losing(4) }));
  await setFaults(used.cloud);
  await expectExported('a.edf', content);
  expect((await used.to.report(message.export)).outcomes).toMatchObject({
    [`${used.prefix}a.edf`]: { did: 'exported' },
  });

  function losing(after: number): Partial<ExportDependencies> {
    let looks = 0;
    return {
      inTurn: async (work) => work(),
      derived: new Proxy(used.to.derived, {
        get: (target, key) =>
          key === 'file'
            ? (name: string, options: object) => {
                if ('generation' in (options ?? {}) && ++looks === after)
                  void setFaults(used.cloud, { ...session, kind: 'lostAnswer', times: 1 });
                return target.file(name, options);
              }
            : Reflect.get(target, key),
      }),
    };
  }
});

test('a session that has ended begins anew', async () => {
  const content = large();
  await used.put('a.edf', content);
  const message = await one();
  await exportToDrive(message, used.to.instance(invocation(9)));
  await setFaults(used.cloud, { ...session, kind: 'expireSession', times: 2 });
  await exportToDrive(message, used.to.instance());
  await expectExported('a.edf', content);
});

test('the lost answer to a small file or a folder makes no second one', async () => {
  await used.put('a/b.txt', 'one');
  const messages = await listed();
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'lostAnswer',
    method: 'POST',
    path: '/drive/v3/files$',
    times: 2,
  });
  for (let tries = 0; tries < 2; tries++) await expect(used.to.deliver(messages)).rejects.toThrow();
  await used.to.deliver(messages);
  expect(await used.tree()).toEqual({ a: { 'b.txt': 'one' } });
  const { outcomes } = await used.to.report((messages[0] as ExportRequested).export);
  expect(outcomes).toEqual({ [`${used.prefix}a/b.txt`]: { did: 'exported', bytes: 3 } });
});

test('where Drive takes no ids of ours, it gives its own, and nothing is made twice', async () => {
  await used.settings({ ownIds: false });
  await used.put('a/small.txt', 'one');
  const content = large();
  await used.put('b/large.edf', content);
  await used.export();
  expect(await used.tree()).toEqual({
    a: { 'small.txt': 'one' },
    b: { 'large.edf': content.toString('latin1') },
  });
  expect((await used.export()).over).toMatchObject({ 0: { counts: { unchanged: 2 } } });
});

test('deliveries that come twice and at the same time, to several instances, make one folder and one file each', async () => {
  const names = ['a/b/1', 'a/b/2', 'a/c/3', 'a/4', 'a/b/d/5', '6'];
  for (const name of names) await used.put(name, name);
  const messages = await listed();
  const [first, second, third] = [used.to.instance(), used.to.instance(), used.to.instance()];
  const all = messages.flatMap((message) =>
    [first, second, third].map((instance) => exportToDrive(message, instance)),
  );
  for (const outcome of await Promise.allSettled(all))
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(NotYet);
  await used.to.deliver(messages);
  expect(await used.tree()).toEqual({
    a: { b: { 1: 'a/b/1', 2: 'a/b/2', d: { 5: 'a/b/d/5' } }, c: { 3: 'a/c/3' }, 4: 'a/4' },
    6: '6',
  });
  const run = await used.to.report((messages[0] as ExportRequested).export);
  expect(run.state).toBe('done');
  expect(Object.values(run.outcomes).map(({ did }) => did)).toEqual(names.map(() => 'exported'));
});

test('two listings at the same time, and one that was killed, ask for each object', async () => {
  for (let number = 0; number < 10; number++) await used.put(String(number), String(number));
  const request = await used.to.request(used.prefix, used.here);
  used.to.publish.sent.length = 0;
  used.to.publish.fail = new Error('killed');
  await expect(exportToDrive(request, used.to.instance({ pageSize: 4 }))).rejects.toThrow('killed');
  await used.put('00', 'later');
  const both = await Promise.allSettled([1, 2].map(() => exportToDrive(request, used.to.instance())));
  for (const outcome of both)
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(NotYet);
  const messages = used.to.publish.sent.map(({ data }) => ExportRequested.parse(data));
  await used.to.deliver([request, ...messages]);
  const run = await used.to.report(request.export);
  expect(run).toMatchObject({ state: 'done', objects: 10 });
  expect(Object.keys(run.outcomes)).toHaveLength(10);
});

test('an object that is replaced or removed while it is exported is never mixed', async () => {
  const [first, second] = [large(), large(99)];
  await used.put('a.edf', first);
  const message = await one();
  await exportToDrive(message, used.to.instance(invocation(9)));
  await used.put('a.edf', second);
  await exportToDrive(message, used.to.instance());
  await expectExported('a.edf', second);

  await used.put('b.edf', first);
  const [, other] = await listed();
  await exportToDrive(other as ExportRequested, used.to.instance(invocation(9)));
  await used.to.derived.file(`${used.prefix}b.edf`).delete();
  await exportToDrive(other as ExportRequested, used.to.instance());
  await expectExported('a.edf', second);
  const { outcomes } = await used.to.report((other as ExportRequested).export);
  expect(outcomes).toMatchObject({ [`${used.prefix}b.edf`]: { did: 'gone' } });
});

test('an object that is replaced just before its last bytes leaves nothing of its first generation', async () => {
  const [first, second] = [large(), large(5)];
  await used.put('a.edf', first);
  const message = await one();
  let looks = 0;
  const derived = new Proxy(used.to.derived, {
    get: (target, key) =>
      key === 'file'
        ? (name: string, options?: object) => {
            const file = target.file(name, options);
            if (options) return file;
            // The first look is the plan's, the second comes before the last bytes.
            if (++looks !== 2) return file;
            return { getMetadata: async () => used.put('a.edf', second).then(() => file.getMetadata()) };
          }
        : Reflect.get(target, key),
  });
  await exportToDrive(message, used.to.instance({ derived, sliceSize: 8 * slice }));
  await expectExported('a.edf', second);
  const ended = (await requestsAt(used.cloud, 'drive')).filter(({ method }) => method === 'DELETE');
  expect(ended).toHaveLength(1);
});

test('a large file that is changed by hand while it is replaced is left as it is', async () => {
  await used.put('a.edf', large());
  await used.export();
  const content = large(3);
  await used.put('a.edf', content);
  const message = await one();
  await exportToDrive(message, used.to.instance(invocation(9)));
  const [file] = await used.to.children(used.here);
  await used.to.edit(String(file?.id), 'by hand');
  await used.to.deliver([message], { now: () => Date.now() + 5000 });
  expect(await used.tree()).toEqual({ 'a.edf': 'by hand', 'a (gazeline).edf': content.toString('latin1') });
});

test('bytes that arrive as others are sent again, into the same file, and not for ever', async () => {
  await used.put('a.txt', 'right');
  const message = await one();
  let reads = 0;
  const wrong = (times: number): Partial<ExportDependencies> => ({
    derived: new Proxy(used.to.derived, {
      get: (target, key) =>
        key === 'file'
          ? (name: string, options?: object) =>
              target.file(
                options && ++reads <= times ? `${name}.wrong` : name,
                ...(options && reads > times ? [options] : []),
              )
          : Reflect.get(target, key),
    }),
  });
  await used.put('a.txt.wrong', 'wrong');
  await exportToDrive(message, used.to.instance(wrong(2)));
  expect(await used.tree()).toEqual({ 'a.txt': 'right' });
  await used.put('a.txt', 'other');
  reads = 0;
  const again = await one();
  await exportToDrive(again, used.to.instance(wrong(99)));
  expect((await used.to.report(again.export)).outcomes).toMatchObject({
    [`${used.prefix}a.txt`]: { did: 'failed', because: expect.stringContaining('other bytes arrive') },
  });
});

test.each([
  [403, 'userRateLimitExceeded'],
  [403, 'rateLimitExceeded'],
  [429, 'rateLimitExceeded'],
])('a %i for %s is waited for, and the work is done', async (status, reason) => {
  await used.put('a.txt', 'one');
  await used.put('b.edf', large());
  const messages = await listed();
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status,
    reason,
    path: '/upload/',
    times: 3,
  });
  await used.to.deliver(messages);
  expect(Object.keys(await used.tree()).sort()).toEqual(['a.txt', 'b.edf']);
});

test('a limit of the day waits for tomorrow, and the run stays open', async () => {
  await used.put('a.txt', 'one');
  const message = await one();
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status: 403,
    reason: 'dailyLimitExceeded',
    path: '/upload/',
  });
  await exportToDrive(message, used.to.instance());
  expect(used.to.tomorrow).toEqual([message]);
  expect((await used.to.report(message.export)).state).toBe('running');
});

test.each([
  ['storageQuotaExceeded', 'There is no room left for “test'],
  ['teamDriveFileLimitExceeded', 'holds as many items as Drive allows'],
  ['insufficientFilePermissions', 'may not add files to “test'],
  ['insufficientParentPermissions', 'content manager'],
])('%s ends the export at once, in words that say what to do', async (reason, words) => {
  for (const name of ['a', 'b', 'c']) await used.put(name, name);
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status: 403,
    reason,
    method: 'POST',
    path: '/upload/',
  });
  const run = await used.export();
  expect(run).toMatchObject({ state: 'failed', reason: expect.stringContaining(words) });
  expect(run.endedAt).toBeDefined();
  const attempts = (await requestsAt(used.cloud, 'drive')).filter(({ url }) => url.startsWith('/upload/'));
  expect(attempts).toHaveLength(1);
});

test('what Drive refuses of one file does not stop the others', async () => {
  for (const name of ['a', 'b']) await used.put(name, name);
  await setFaults(used.cloud, {
    ...{ service: 'drive', kind: 'status', status: 403, reason: 'numChildrenInNonRootLimitExceeded' },
    ...{ method: 'POST', path: '/upload/', times: 1 },
  });
  const run = await used.export();
  expect(run.state).toBe('done');
  expect(Object.values(run.outcomes)).toEqual([
    { did: 'failed', bytes: 0, because: 'Drive does not take it: numChildrenInNonRootLimitExceeded' },
    { did: 'exported', bytes: 1 },
  ]);
});

test('where nothing may be exported to, nothing is, and the reason says what to do', async () => {
  await used.put('a.txt', 'one');
  const study = used.to.instance().studyFolder;
  const inStudy = await used.to.folder('results', study);
  const file = await used.to.file(used.here, 'a file', 'x');
  const trashed = await used.to.folder('old', used.here);
  await used.to.change(trashed, { trashed: true });
  const readable = await used.to.folder('readable', used.here);
  await used.to.share(readable, 'reader');
  const reasonOf = async (folder: string, change = {}) => {
    const { state, reason } = await used.to.export(used.prefix, folder, change);
    expect(state).toBe('failed');
    return reason;
  };
  const account = 'gazeline@gazeline-local.iam.gserviceaccount.com';
  expect(await reasonOf('a-folder-that-is-not-there')).toContain(`not shared with ${account}`);
  expect(await reasonOf(study)).toContain('would come back as raw data');
  expect(await reasonOf(inStudy)).toContain('would come back as raw data');
  expect(await reasonOf(file)).toBe('“a file” is not a folder.');
  expect(await reasonOf(trashed)).toBe('“old” is in the trash.');
  expect(await reasonOf(readable)).toBe(
    `${account} may not add files to “readable”. Make that address a content manager of the shared drive.`,
  );
  // Another folder of the same person's.
  const elsewhere = { studyFolder: 'the-study-is-elsewhere' };
  expect(await reasonOf(inStudy, elsewhere)).toMatch(/My Drive, where .* can own nothing.*lab\.to_drive/);
  expect(await used.to.tree(inStudy)).toEqual({});
});

test('the study folder is not written to either where it lies in the folder that is exported to', async () => {
  const study = await used.to.folder('recordings', used.here);
  await used.put('recordings/a.txt', 'one');
  const run = await used.export({ studyFolder: study });
  expect(run).toMatchObject({ state: 'failed', reason: expect.stringContaining('study folder') });
  expect(await used.tree()).toEqual({ recordings: {} });
});

test('a folder that goes, or is not shared any more, in the middle of an export ends it', async () => {
  for (const name of ['a/1', 'a/2', 'b']) await used.put(name, name);
  const messages = await listed();
  await exportToDrive(messages[0] as ExportRequested, used.to.instance());
  await used.to.drive.files.delete({ fileId: used.here, supportsAllDrives: true });
  await used.to.deliver(messages);
  expect(await used.to.report((messages[0] as ExportRequested).export)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('Drive finds no folder'),
  });
});

test('a folder below it that goes in the middle is made anew, also in an instance that remembers it', async () => {
  for (const name of ['a/1', 'a/2']) await used.put(name, name);
  const [first, second] = (await listed()) as [ExportRequested, ExportRequested];
  const instance = used.to.instance();
  await exportToDrive(first, instance);
  const [folder] = await used.to.children(used.here);
  await used.to.drive.files.delete({ fileId: String(folder?.id), supportsAllDrives: true });
  await expect(exportToDrive(second, instance)).rejects.toThrow(NotYet);
  await exportToDrive(second, instance);
  expect(await used.tree()).toEqual({ a: { 2: 'a/2' } });
});
