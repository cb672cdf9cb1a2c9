import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { FileRecord, fileRecordName } from '../../shared/drive/fileRecord.ts';
import { pathOfObject } from '../../shared/drive/objectName.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { withMethod } from './syncKit.ts';
import { useSync } from './useSync.ts';

// Behaviours 12, 13, 16, 17, 18, 20 and 21 of a good sync.
const used = useSync();
const { objects, object, downloads, versions } = used;
const md5 = (bytes: Buffer | string) => createHash('md5').update(bytes).digest('base64');
const slice = 256 * 1024;

/** A client that does something before bytes are given for the `nth` time. */
const beforeBytes = (nth: number, work: () => Promise<unknown>) => {
  let count = 0;
  return withMethod(used.sync.drive, 'files', 'get', async (original, { alt }) => {
    if (alt === 'media' && ++count === nth) await work();
    return original();
  });
};

test.each([
  ['small', 100],
  ['of many slices', 6 * slice + 3],
])('12. an edit during the transfer of a file that is %s never makes a mixed object', async (_what, size) => {
  const [first, second] = [randomBytes(size), randomBytes(size)];
  const id = await used.sync.file(used.here, 'a.bin', first);
  used.sync.dependencies.drive = beforeBytes(size > slice ? 4 : 1, () => used.sync.edit(id, second));
  await used.sync.settle();
  await used.sync.settle();
  const found = await versions();
  // One finalized object for each revision at the most, and the live one is the last revision.
  for (const { metadata } of found) expect([md5(first), md5(second)]).toContain(metadata.md5Hash);
  expect(new Set(found.map(({ metadata }) => metadata.md5Hash)).size).toBe(found.length);
  expect((await object('a.bin').getMetadata())[0].md5Hash).toBe(md5(second));
});

test('13. many saves in a burst become the latest one, and no object is written twice in a second', async () => {
  const id = await used.sync.file(used.here, 'a.txt', '0');
  await used.sync.settle();
  const { now } = used.sync.defaults;
  const written: number[] = [];
  let clock = 0;
  Object.assign(used.sync.dependencies, {
    now: () => now() + clock,
    wait: async (ms: number) => {
      clock += ms;
    },
  });
  for (let save = 1; save <= 20; save++) {
    await used.sync.edit(id, String(save));
    if (save % 4 === 0) {
      await used.sync.settle();
      const record = await used.sync.dependencies.records.read(fileRecordName(id), FileRecord);
      written.push(Date.parse(record?.value.syncedAt ?? ''));
    }
  }
  expect(await objects()).toEqual({ 'a.txt': '20' });
  expect(await versions()).toHaveLength(6);
  // Looked at after the write, a few milliseconds later here and there.
  for (const [index, time] of written.entries())
    if (index > 0) expect(time - (written[index - 1] ?? 0)).toBeGreaterThanOrEqual(1000);
});

test('16. an empty file is an empty object, and no range is asked for', async () => {
  await used.sync.file(used.here, 'empty.txt', '');
  const ranges: unknown[] = [];
  const { drive } = used.sync;
  used.sync.dependencies.drive = withMethod(drive, 'files', 'get', (original, parameters) => {
    ranges.push(parameters.headers?.range);
    return original();
  });
  await used.sync.settle();
  const [{ md5Hash, size }] = await object('empty.txt').getMetadata();
  expect([Buffer.from(md5Hash ?? '', 'base64').toString('hex'), Number(size)]).toEqual([
    'd41d8cd98f00b204e9800998ecf8427e',
    0,
  ]);
  expect(ranges.filter(Boolean)).toEqual([]);
});

const awkwardNames = [
  'x/y.txt',
  'back\\slash.txt',
  'line\r\nbreak.txt',
  'null\0.txt',
  '.',
  '..',
  '#[1]*?.txt',
  'x?#.txt',
  'smile 🙂.txt',
  '\u202Eright to left',
  'é.txt',
  'e\u0301.txt',
  'half \ud83d character',
  '100 %25.txt',
  'a~1AbCdEfGhIjKlMnOp.txt',
  ' ',
];

test('17. names of every kind are told apart, read back exactly, and kept in the metadata', async () => {
  const ids = new Map<string, string>();
  for (const name of awkwardNames) ids.set(await used.sync.file(used.here, name, `in ${name}`), name);
  await used.sync.settle({ atATime: 4 });
  const found = await versions();
  expect(found).toHaveLength(awkwardNames.length);
  for (const { name, metadata } of found) {
    const custom = metadata.metadata as Record<string, string>;
    const original = ids.get(custom['drive-file-id'] ?? '');
    expect(pathOfObject(used.prefix + name)).toEqual({
      path: [used.prefix.slice(0, -1), original],
      cut: false,
    });
    expect(JSON.parse(custom['drive-path'] ?? '')).toEqual([used.prefix.slice(0, -1), original]);
    expect(name).not.toMatch(/[\r\n\0]/);
  }
  await used.sync.reconcile();
  expect(used.sync.queue).toEqual([]);
});

test('17. a path of more than 1,024 bytes arrives under a name that was cut, and is moved and removed like others', async () => {
  let folder = used.here;
  for (let level = 0; level < 6; level++)
    folder = await used.sync.folder(`${level} ${'ü'.repeat(100)}`, folder);
  const [a, b] = [
    await used.sync.file(folder, `${'long '.repeat(20)}a.txt`, 'a'),
    await used.sync.file(folder, `${'long '.repeat(20)}b.txt`, 'b'),
  ];
  await used.sync.settle();
  const found = await objects();
  expect(Object.values(found).sort()).toEqual(['a', 'b']);
  for (const name of Object.keys(found))
    expect(pathOfObject(used.prefix + name)).toMatchObject({ cut: true });
  await used.sync.reconcile();
  expect(used.sync.queue).toEqual([]);
  await used.sync.move(a, used.here);
  await used.sync.change(b, { trashed: true });
  await used.sync.settle();
  expect(Object.values(await objects())).toEqual(['a']);
});

const native = (kind: string) => `application/vnd.google-apps.${kind}`;

test('18. documents, sheets and slides are exported by the policy, and not again while they are unchanged', async () => {
  const text = 'gaze,fixation\n1,2\n';
  const doc = await used.sync.create(
    { name: 'doc', parents: [used.here], mimeType: native('document') },
    text,
  );
  await used.sync.create({ name: 'sheet', parents: [used.here], mimeType: native('spreadsheet') }, text);
  await used.sync.create({ name: 'slides', parents: [used.here], mimeType: native('presentation') }, text);
  await used.sync.settle();
  const found = await versions();
  const start = new Map<string, string>();
  for (const { name } of found) start.set(name, String((await object(name).download())[0].subarray(0, 4)));
  expect(Object.fromEntries(start)).toEqual({
    'doc.docx': 'PK\u0003\u0004',
    'doc.txt': 'gaze',
    'sheet.xlsx': 'PK\u0003\u0004',
    'sheet.csv': 'gaze',
    'slides.pdf': '%PDF',
  });
  for (const { metadata } of found)
    expect(metadata.metadata).toMatchObject({ 'drive-file-id': expect.any(String) });

  await forgetRequests(used.cloud);
  await used.sync.reconcile();
  await used.sync.pump();
  await used.sync.change(doc, { name: 'renamed' });
  await used.sync.settle();
  expect(await downloads()).toBe(0);
  expect(Object.keys(await objects())).toContain('renamed.docx');
});

test('18. a document that was edited when an older file takes its name is exported anew', async () => {
  const { sync, here } = used;
  const older = await sync.file(here, 'a.txt', 'of the file');
  const doc = await sync.create({ name: 'doc', parents: [here], mimeType: native('document') }, 'first');
  await sync.settle();
  const media = { mimeType: 'text/plain', body: Readable.from(['second']) };
  await sync.drive.files.update({ fileId: doc, media });
  await sync.change(older, { name: 'doc.txt' });
  await sync.drain();
  // The older file makes the document's object move, before the edit of that is looked at.
  sync.queue.sort(({ data }) => ((data as { fileId: string }).fileId === older ? -1 : 1));
  await sync.pump();
  expect(await objects()).toMatchObject({ 'doc.txt': 'of the file', [`doc~${doc}.txt`]: 'second' });
});

test('18. an export of more than 10 MB is taken from its link', async () => {
  const text = 'a line of some length\n'.repeat(600_000);
  const id = await used.sync.create(
    { name: 'long', parents: [used.here], mimeType: native('document') },
    text,
  );
  used.sync.dependencies.policy = {
    ...used.sync.dependencies.policy,
    exports: { [native('document')]: [{ extension: 'txt', mimeType: 'text/plain' }] },
  };
  await used.sync.settle();
  const [bytes] = await object('long.txt').download();
  expect(bytes.toString()).toBe(text);
  const asked = (await requestsAt(used.cloud, 'drive')).map(
    ({ url, status }) => `${status} ${url.split('?')[0]}`,
  );
  expect(asked.filter((one) => /xport/.test(one))).toEqual([
    expect.stringMatching(/^403 .*\/export$/),
    expect.stringMatching(/^200 \/feeds\/download/),
  ]);
  // Another test's comparison would make a .docx of it, which takes a minute.
  await used.sync.remove(id);
});

test('18. what cannot be exported is skipped with its reason', async () => {
  await used.sync.create({ name: 'form', parents: [used.here], mimeType: native('form') });
  await used.sync.settle();
  expect(await objects()).toEqual({});
  const path = `${used.prefix}form`;
  expect(await used.attention()).toEqual({ [path]: 'skipped: a form is not exported' });
});

test('20. a file of 5 TB is taken into the plan, and one above the limit is refused with a clear error', async () => {
  const sizeOf = async (name: string, size: number) => {
    const id = await used.sync.file(used.here, name);
    const drive = withMethod(used.sync.drive, 'files', 'get', async (original, { alt }) => {
      const answer = await original();
      if (!alt) answer.data.size = String(size);
      return answer;
    });
    const { planFile } = await import('../../shared/drive/planFile.ts');
    const change = { fileId: id, removed: false, verify: false, approved: false };
    return (await planFile(change, { ...used.sync.dependencies, drive })).plan;
  };
  expect(await sizeOf('5 TB.mp4', 5_497_558_138_880)).toMatchObject({
    do: 'bring',
    steps: [{ action: 'upload' }],
  });
  expect(await sizeOf('more.mp4', 5_497_558_138_881)).toMatchObject({
    do: 'skip',
    because: 'it has 5497558138881 bytes; an object may have 5497558138880',
  });
});

test.each([
  ['a flipped byte', { kind: 'flipByte' }],
  ['a stream that ends early', { kind: 'truncate' }],
  ['a range of other bytes', { kind: 'wrongRange' }],
  ['a 200 where 206 was asked for', { kind: 'ignoreRange' }],
  ['a connection that breaks', { kind: 'cutAfter', bytes: 100_000 }],
])('21. %s is noticed, nothing is finalized, and it is tried again', async (_what, fault) => {
  const [small, large] = [randomBytes(200_000), randomBytes(5 * slice + 7)];
  const ids = [
    await used.sync.file(used.here, 'small.bin', small),
    await used.sync.file(used.here, 'large.bin', large),
  ];
  await used.sync.drain();
  const faults = ids.map((id) => ({ service: 'drive', path: `files/${id}$`, times: 2, ...fault }));
  await setFaults(used.cloud, ...faults);
  await used.sync.pump({ mayFail: true });
  await setFaults(used.cloud);
  const found = await versions();
  expect(new Map(found.map(({ name, metadata }) => [name, metadata.md5Hash]))).toEqual(
    new Map([
      ['small.bin', md5(small)],
      ['large.bin', md5(large)],
    ]),
  );
  expect(found).toHaveLength(2);
});

test('21. bytes that are wrong time and again are put aside with the reason, and brought when they are right', async () => {
  await used.sync.file(used.here, 'large.bin', randomBytes(3 * slice + 7));
  await used.sync.file(used.here, 'small.bin', randomBytes(7));
  await used.sync.drain();
  await setFaults(used.cloud, { service: 'drive', kind: 'flipByte' });
  await used.sync.pump({ mayFail: true });
  expect(await versions()).toEqual([]);
  for (const reason of Object.values(await used.attention()))
    expect(reason).toMatch(/^skipped: Drive does not give it: .* MD5 .* that 3 times$/);
  await setFaults(used.cloud);
  await used.sync.reconcile();
  await used.sync.pump();
  expect(Object.keys(await objects())).toEqual(['large.bin', 'small.bin']);
  expect(await used.attention()).toEqual({});
});
