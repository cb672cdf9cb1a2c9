import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
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
