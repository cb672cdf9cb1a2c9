import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { FileSyncDependencies } from '../../functions/file-sync.ts';
import { endAbandonedTransfers, Transfer } from '../../shared/drive/transfer.ts';
import { NotYet } from '../../shared/once.ts';
import { progressOf } from '../../shared/storage/session.ts';
import { requestsAt, setFaults } from '../kit.ts';
import { useStudy } from './useStudy.ts';

const used = useStudy();
const slice = 256 * 1024;
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('base64');
const large = (slices: number, more = 17) => randomBytes(slices * slice + more);

async function expectArrived(name: string, content: Buffer): Promise<void> {
  const [{ md5Hash, size, componentCount }] = await used.object(name).getMetadata();
  expect({ md5Hash, size: Number(size) }).toEqual({ md5Hash: md5(content), size: content.length });
  expect(componentCount).toBeUndefined();
  expect(await used.versionsOf(name)).toBe(1);
}
/** What was taken from Drive and what was sent to the bucket, in bytes of ranges. */
async function ranges() {
  const drive = (await requestsAt(used.cloud, 'drive')).filter(({ url }) => /alt=media/.test(url));
  const sessions = (await requestsAt(used.cloud, 'storage')).filter(({ url }) => /upload_id=/.test(url));
  return { downloads: drive.length, slices: sessions.length };
}
/** A clock that is over its deadline after so many looks. */
function invocation(looks: number): Partial<FileSyncDependencies> {
  const start = Date.now();
  let asked = 0;
  return { now: () => start + asked++, deadline: start + looks };
}

type Parameters = { alt?: string };
const isRead = ({ alt }: Parameters) => alt === 'media';
/** Drive, with something before each `files.get`. */
type Options = { headers?: { range?: string } };
function withGet(
  before: (parameters: Parameters, get: () => Promise<unknown>, options: Options) => Promise<unknown>,
) {
  const { drive } = used.study;
  const get = (parameters: Parameters, options: Options = {}) =>
    before(parameters, () => drive.files.get(parameters as never, options) as never, options);
  const files = new Proxy(drive.files, {
    get: (target, key) => (key === 'get' ? get : Reflect.get(target, key)),
  });
  return new Proxy(drive, { get: (target, key) => (key === 'files' ? files : Reflect.get(target, key)) });
}

test('a large file goes through one resumable session, in order, and is compared by its MD5', async () => {
  const content = large(9);
  const id = await used.study.file(used.here, 'a.edf', content);
  await used.study.sync(id);
  await expectArrived('a.edf', content);
  const sessions = (await requestsAt(used.cloud, 'storage')).filter(({ url }) =>
    url.includes('uploadType=resumable'),
  );
  const begun = sessions.filter(({ method }) => method === 'POST');
  expect(begun).toHaveLength(1);
  expect(begun[0]?.url).toMatch(/ifGenerationMatch=0/);
});

test('a file of exactly one slice, of two, and of one byte more arrive', async () => {
  for (const size of [slice, 2 * slice, 2 * slice + 1, slice + 1]) {
    const content = randomBytes(size);
    const id = await used.study.file(used.here, `${size}.bin`, content);
    await used.study.sync(id);
    await expectArrived(`${size}.bin`, content);
  }
});

test('a transfer passes through more than twenty invocations, each of which goes on where the last one was', async () => {
  const content = large(24);
  const id = await used.study.file(used.here, 'a.edf', content);
  let invocations = 0;
  for (;;) {
    used.study.publish.sent.length = 0;
    await used.study.sync(id, false, invocation(3));
    invocations++;
    if (used.study.publish.sent.length === 0) break;
    expect(used.study.publish.sent).toMatchObject([{ topic: 'file-changed', data: { fileId: id } }]);
    expect(await used.objects()).toEqual({});
    expect(invocations).toBeLessThan(60);
  }
  expect(invocations).toBeGreaterThan(20);
  await expectArrived('a.edf', content);
  const [left] = await used.study.raw.storage.bucket('state').getFiles({ prefix: `transfers/${id}` });
  expect(left).toEqual([]);
});

test('a transfer that was killed goes on, and loses at most what was under way', async () => {
  const content = large(20);
  const id = await used.study.file(used.here, 'a.edf', content);
  const { records } = used.study.dependencies;
  let [writes, reads] = [0, 0];
  const killed = () => {
    throw new Error('killed');
  };
  // The dead do not let go of what they had.
  const dying: Partial<FileSyncDependencies> = {
    records: {
      ...records,
      write: async (...args) =>
        args[0].startsWith('transfers/') && ++writes > 1 ? killed() : records.write(...args),
    },
    drive: withGet(async (parameters, get) => (isRead(parameters) && ++reads > 4 ? killed() : get())),
  };
  await expect(used.study.sync(id, false, dying)).rejects.toThrow('killed');
  // The dead one's claim holds a while, so that two never bring the same file.
  await expect(used.study.sync(id)).rejects.toThrow(NotYet);
  const asked: string[] = [];
  const drive = withGet(async (parameters, get, { headers }) => {
    if (isRead(parameters)) asked.push(headers?.range ?? '');
    return get();
  });
  await used.study.sync(id, false, { drive, now: () => Date.now() + 2000 });
  await expectArrived('a.edf', content);
  // One slice, one and two had been sent; four more were asked for.
  const [, from = 0] = /^bytes=(\d+)-/.exec(asked[0] ?? '') ?? [];
  expect(Number(from)).toBeGreaterThanOrEqual(2 * slice);
});

test('two deliveries of one large file: one brings it, and the other comes again', async () => {
  const content = large(12);
  const id = await used.study.file(used.here, 'a.edf', content);
  const outcomes = await Promise.allSettled([used.study.sync(id), used.study.sync(id)]);
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
  await used.study.converge(id);
  await expectArrived('a.edf', content);
});

test('a chunk of which the server keeps only a part is sent on from there', async () => {
  const content = large(12);
  const id = await used.study.file(used.here, 'a.edf', content);
  await setFaults(used.cloud, { service: 'storage', kind: 'shortAck', times: 4 });
  await used.study.sync(id, false, { sliceSize: 4 * slice });
  await setFaults(used.cloud);
  await expectArrived('a.edf', content);
});

test('lost answers, cut connections and 503s of the session are overcome within one delivery', async () => {
  const content = large(12);
  const id = await used.study.file(used.here, 'a.edf', content);
  const path = '/upload/storage/v1/b/raw/';
  await setFaults(
    used.cloud,
    { service: 'storage', kind: 'lostAnswer', method: 'PUT', path, times: 2 },
    { service: 'storage', kind: 'cut', method: 'PUT', path, times: 1 },
    { service: 'storage', kind: 'status', status: 503, method: 'PUT', path, times: 1 },
  );
  await used.study.sync(id);
  await setFaults(used.cloud);
  await expectArrived('a.edf', content);
});

test('a file that is edited while it is brought leaves nothing of its first revision to be seen', async () => {
  const [first, second] = [large(10), large(7)];
  const id = await used.study.file(used.here, 'a.edf', first);
  await used.study.sync(id, false, invocation(5));
  await used.study.edit(id, second);
  await used.study.converge(id);
  await expectArrived('a.edf', second);
});

test('an edit just before the last bytes abandons the session unseen', async () => {
  const [first, second] = [large(6), large(5)];
  const id = await used.study.file(used.here, 'a.edf', first);
  let looks = 0;
  const drive = withGet(async (parameters, get) => {
    // The first look is the plan's, the second comes before the last bytes.
    if (!isRead(parameters) && ++looks === 2) await used.study.edit(id, second);
    return get();
  });
  await used.study.sync(id, false, { drive });
  await expectArrived('a.edf', second);
});

test('a transfer that is renamed half-way ends under the new name', async () => {
  const content = large(10);
  const id = await used.study.file(used.here, 'a.edf', content);
  await used.study.sync(id, false, invocation(5));
  await used.study.change(id, { name: 'b.edf' });
  await used.study.converge(id);
  await expectArrived('b.edf', content);
  expect(Object.keys(await used.objects())).toEqual(['b.edf']);
});

test('a file that goes into the trash half-way leaves nothing', async () => {
  const id = await used.study.file(used.here, 'a.edf', large(10));
  await used.study.sync(id, false, invocation(5));
  await used.study.change(id, { trashed: true });
  await used.study.converge(id);
  expect(await used.objects()).toEqual({});
});

test('a transfer that nobody goes on with is given up by a comparison a day later', async () => {
  const id = await used.study.file(used.here, 'a.edf', large(10));
  await used.study.sync(id, false, invocation(5));
  const { records } = used.study.dependencies;
  const there = () => records.read(`transfers/${id}.json`, Transfer);
  await endAbandonedTransfers(records, used.study.raw, Date.now() + 23 * 3_600_000);
  const session = (await there())?.value.session ?? '';
  expect(session).not.toBe('');
  await endAbandonedTransfers(records, used.study.raw, Date.now() + 25 * 3_600_000);
  expect(await there()).toBeUndefined();
  expect(await progressOf(used.study.raw.storage, session)).toEqual({ state: 'gone' });
});

test('a session that the server does not know any more makes the upload begin anew', async () => {
  const content = large(10);
  const id = await used.study.file(used.here, 'a.edf', content);
  await used.study.sync(id, false, invocation(5));
  await setFaults(used.cloud, {
    service: 'storage',
    kind: 'status',
    status: 410,
    reason: 'gone',
    method: 'PUT',
    path: '/upload/storage/v1/b/raw/',
    times: 1,
  });
  await used.study.converge(id);
  await setFaults(used.cloud);
  await expectArrived('a.edf', content);
});

test('a large file that replaces another one names its generation, and is one more version', async () => {
  const id = await used.study.file(used.here, 'a.edf', large(3));
  await used.study.sync(id);
  const content = large(4);
  await used.study.edit(id, content);
  await used.study.sync(id);
  const [{ md5Hash }] = await used.object('a.edf').getMetadata();
  expect(md5Hash).toBe(md5(content));
  expect(await used.versionsOf('a.edf')).toBe(2);
});

test('requests of a fast transfer grow, and each byte is still asked for once', async () => {
  const content = large(60);
  const id = await used.study.file(used.here, 'a.edf', content);
  await used.study.sync(id, false, { lease: 60_000 });
  await expectArrived('a.edf', content);
  // 1, 1, 2, 4, 8, 16, 16 and 12 slices, and the rest; and no question where it stands.
  expect(await ranges()).toEqual({ downloads: 9, slices: 9 });
});

test('a connection of Drive that breaks in the middle of a range is made again for the rest of it', async () => {
  const content = large(8);
  const id = await used.study.file(used.here, 'a.edf', content);
  await setFaults(used.cloud, { service: 'drive', kind: 'truncate', times: 3 });
  await used.study.sync(id);
  await setFaults(used.cloud);
  await expectArrived('a.edf', content);
  const begun = (await requestsAt(used.cloud, 'storage')).filter(
    ({ method, url }) => method === 'POST' && url.includes('uploadType=resumable'),
  );
  expect(begun).toHaveLength(1);
});

test('wrong bytes are refused by the server at the end, nothing of them is seen, and all come again', async () => {
  const content = large(5);
  const id = await used.study.file(used.here, 'a.edf', content);
  await setFaults(used.cloud, { service: 'drive', kind: 'flipByte', times: 1 });
  await expect(used.study.sync(id)).rejects.toThrow(/are not those of the MD5/);
  await setFaults(used.cloud);
  expect(await used.objects()).toEqual({});
  await used.study.sync(id);
  await expectArrived('a.edf', content);
});

test('a bucket that does not compare the MD5 keeps no wrong bytes all the same', async () => {
  const content = large(5);
  const id = await used.study.file(used.here, 'a.edf', content);
  const { raw } = used.study;
  // What the session is told of the MD5 is left out on its way.
  const forgetful = new Proxy(raw, {
    get: (target, key) =>
      key !== 'file'
        ? Reflect.get(target, key)
        : (name: string) => {
            const file = target.file(name);
            const open = file.createResumableUpload.bind(file);
            file.createResumableUpload = ((options: { metadata: object }) =>
              open({ ...options, metadata: { ...options.metadata, md5Hash: undefined } } as never)) as never;
            return file;
          },
  });
  await setFaults(used.cloud, { service: 'drive', kind: 'flipByte', times: 1 });
  await expect(used.study.sync(id, false, { raw: forgetful })).rejects.toThrow(/the object has the MD5/);
  await setFaults(used.cloud);
  expect(await used.objects()).toEqual({});
  await used.study.sync(id);
  const [{ md5Hash }] = await used.object('a.edf').getMetadata();
  expect(md5Hash).toBe(md5(content));
});
