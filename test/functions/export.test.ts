import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { forgetRequests, requestsAt } from '../kit.ts';
import { useExport } from './exportKit.ts';

const used = useExport();

test('everything below a prefix is in the folder, with its folders, times and types', async () => {
  const mtime = '2025-03-04T05:06:07.089Z';
  await used.put('a.csv', 'x,y', { metadata: { contentType: 'text/csv', metadata: { mtime } } });
  await used.put('fits/p01/model.bin', Buffer.from([0, 255, 13, 10]));
  await used.put('fits/p02/model.bin', 'two');
  await used.put('fits/empty.txt', '');
  await used.put('figures/', '');
  const run = await used.export();
  expect(run).toMatchObject({ state: 'done', objects: 5, pages: 2, bytes: 10 });
  expect(Object.values(run.over).map(({ counts }) => counts)).toEqual([
    { exported: 2, folder: 1 },
    { exported: 2 },
  ]);
  expect(await used.tree()).toEqual({
    'a.csv': 'x,y',
    fits: { p01: { 'model.bin': '\0ÿ\r\n' }, p02: { 'model.bin': 'two' }, 'empty.txt': '' },
    figures: {},
  });
  const files = await used.to.children(used.here);
  const [{ generation }] = await used.to.derived.file(`${used.prefix}a.csv`).getMetadata();
  expect(files.find(({ name }) => name === 'a.csv')).toMatchObject({
    mimeType: 'text/csv',
    modifiedTime: mtime,
    appProperties: {
      gazelineGeneration: String(generation),
      gazelineMd5: createHash('md5').update('x,y').digest('hex'),
    },
  });
});

test('what is there unchanged stays, and what has changed is replaced in the same file', async () => {
  await used.put('a.txt', 'one');
  await used.put('b.txt', 'two');
  await used.export();
  const before = await used.to.children(used.here);
  await used.put('b.txt', 'three');
  await forgetRequests(used.cloud);
  const run = await used.export();
  expect(run.outcomes).toMatchObject({
    [`${used.prefix}a.txt`]: { did: 'unchanged', bytes: 0 },
    [`${used.prefix}b.txt`]: { did: 'exported', bytes: 5 },
  });
  expect((await uploads()).map(({ method, url }) => [method, url?.split('?')[0]])).toEqual([
    ['PATCH', `/upload/drive/v3/files/${before.find(({ name }) => name === 'b.txt')?.id}`],
  ]);
  expect(await used.tree()).toEqual({ 'a.txt': 'one', 'b.txt': 'three' });
  expect((await used.to.children(used.here)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
});

test('one object that is called just so is exported alone, and without a last slash its folder is kept', async () => {
  await used.put('fit', 'one');
  await used.put('fit.bak', 'two');
  await used.put('fit/more', 'three');
  const one = await used.to.export(`${used.prefix}fit`, used.here);
  expect(Object.keys(one.outcomes)).toEqual([`${used.prefix}fit`]);
  const folder = await used.to.folder('again', used.here);
  await used.to.export(used.prefix.slice(0, -1), folder);
  expect(await used.to.tree(folder)).toEqual({
    [used.prefix.slice(0, -1)]: { fit: 'one', 'fit.bak': 'two', 'fit#2': { more: 'three' } },
  });
});

test('an export of nothing says so', async () => {
  expect(await used.export()).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('begins with'),
  });
});

test('annotations get the names back that their stimuli have in Drive', async () => {
  const prefix = `annotations/${used.prefix}`;
  for (const name of ['100%25 sure%2Fnot/st%2For%u0085y.txt.json', 'story~1AbCdEf.txt.json', 'a%empty.json'])
    await used.to.put(prefix + name, name);
  await used.put('50%25.csv', 'as it is');
  await used.to.export(prefix, used.here);
  await used.export();
  expect(Object.keys(await used.tree()).sort()).toEqual(
    ['100% sure/not', '50%25.csv', 'a.json', 'story~1AbCdEf.txt.json'].sort(),
  );
});

test('hostile names and types arrive as they are, each in its own file', async () => {
  const names = [
    "it's \\ a 'test'.txt",
    '..',
    '.',
    'a//b',
    'é.txt',
    'e\u0301.txt',
    '‮gnp.exe',
    '🙂'.repeat(60),
    'A.TXT',
    'a.txt',
  ];
  for (const name of names)
    await used.put(name, name, { metadata: { contentType: 'application/vnd.google-apps.document' } });
  const run = await used.export();
  expect(run.outcomes).toEqual(
    Object.fromEntries(
      names.map((name) => [used.prefix + name, { did: 'exported', bytes: Buffer.byteLength(name) }]),
    ),
  );
  const tree = Object.fromEntries(names.map((name) => [name, Buffer.from(name).toString('latin1')]));
  delete tree['a//b'];
  expect(await used.tree()).toEqual({ ...tree, a: { '%empty': { b: 'a//b' } } });
  expect((await used.export()).over).toMatchObject({ 0: { counts: { unchanged: 3 } } });
});

test('a file that Gazeline did not write is left alone, and the object goes beside it, from then on', async () => {
  const theirs = await used.to.file(used.here, 'a.tar.gz', 'theirs');
  await used.put('a.tar.gz', 'ours');
  const name = `${used.prefix}a.tar.gz`;
  const beside = { as: 'a (gazeline).tar.gz', because: 'a file that is not its export has its name' };
  expect((await used.export()).outcomes[name]).toEqual({ did: 'conflict', bytes: 4, ...beside });
  expect((await used.export()).outcomes[name]).toEqual({ did: 'unchanged', bytes: 0, ...beside });
  await used.put('a.tar.gz', 'ours, newer');
  expect((await used.export()).outcomes[name]).toEqual({ did: 'conflict', bytes: 11, ...beside });
  expect(await used.tree()).toEqual({ 'a.tar.gz': 'theirs', 'a (gazeline).tar.gz': 'ours, newer' });
  expect((await used.to.children(used.here))[0]?.id).toBe(theirs);
});

test('a file with the same bytes is taken for unchanged, whoever put it there', async () => {
  await used.to.file(used.here, 'a.txt', 'same');
  await used.put('a.txt', 'same');
  expect((await used.export()).outcomes).toEqual({ [`${used.prefix}a.txt`]: { did: 'unchanged', bytes: 0 } });
});

test('a file that was changed by hand is never written to, and each of several keeps its own', async () => {
  await used.put('a.csv', 'one');
  await used.export();
  const [file] = await used.to.children(used.here);
  await used.to.edit(String(file?.id), 'by hand');
  const first = await used.export();
  expect(Object.values(first.outcomes)).toEqual([
    {
      did: 'conflict',
      bytes: 3,
      as: 'a (gazeline).csv',
      because: 'it was changed by hand since it was exported',
    },
  ]);
  const [, second] = await used.to.children(used.here);
  await used.to.edit(String(second?.id), 'by hand as well');
  await used.put('a.csv', 'two');
  await used.export();
  expect(await used.tree()).toEqual({
    'a.csv': 'by hand',
    'a (gazeline).csv': 'by hand as well',
    'a (gazeline 2).csv': 'two',
  });
});

test('what was renamed, moved or put into the trash stays so, and comes anew', async () => {
  for (const name of ['a', 'b', 'c']) await used.put(name, name);
  await used.export();
  const [a, b, c] = (await used.to.children(used.here)).map(({ id }) => String(id));
  await used.to.change(a as string, { name: 'mine' });
  await used.to.change(b as string, { trashed: true });
  await used.to.drive.files.delete({ fileId: c as string, supportsAllDrives: true });
  const run = await used.export();
  expect(run.over).toMatchObject({ 0: { counts: { exported: 3 } } });
  expect(await used.tree()).toEqual({ mine: 'a', a: 'a', b: 'b', c: 'c' });
});

test('without its records, an export finds its own files again and makes no second ones', async () => {
  await used.put('a/b.txt', 'one');
  await used.export();
  const before = await used.tree();
  for await (const name of used.to.records.list('exported/')) await used.to.records.remove(name);
  expect((await used.export()).over).toMatchObject({ 0: { counts: { unchanged: 1 } } });
  await used.put('a/b.txt', 'two');
  for await (const name of used.to.records.list('exported/')) await used.to.records.remove(name);
  expect((await used.export()).over).toMatchObject({ 0: { counts: { exported: 1 } } });
  expect(before).toEqual({ a: { 'b.txt': 'one' } });
  expect(await used.tree()).toEqual({ a: { 'b.txt': 'two' } });
});

test('an object that was composed of others has no MD5, and is exported and compared all the same', async () => {
  await used.put('one', 'first ');
  await used.put('two', 'second');
  await used.to.derived.combine([`${used.prefix}one`, `${used.prefix}two`], `${used.prefix}sum`);
  await used.export();
  expect(await used.tree()).toMatchObject({ sum: 'first second' });
  expect((await used.export()).over).toMatchObject({ 0: { counts: { unchanged: 3 } } });
  const sum = (await used.to.children(used.here)).find(({ name }) => name === 'sum');
  await used.to.edit(String(sum?.id), 'by hand');
  expect((await used.export()).outcomes[`${used.prefix}sum`]).toMatchObject({ did: 'conflict' });
});

async function uploads() {
  return (await requestsAt(used.cloud, 'drive')).filter(({ url }) => /^\/upload\//.test(url));
}
