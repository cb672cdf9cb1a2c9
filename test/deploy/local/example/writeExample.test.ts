import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PNG } from 'pngjs';
import { parse } from 'yaml';
import { writeExample } from '../../../../deploy/local/example/writeExample.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'example-'));
});
afterEach(() => rm(folder, { recursive: true }));

const expected = [
  'READ ME FIRST.txt',
  'gazeline.yaml',
  'stimuli/pages/page-1.png',
  'stimuli/pages/page-2.png',
  'stimuli/pages/page-3.png',
  'stimuli/pictures/poster.png',
  'stimuli/pictures/still life.png',
  'stimuli/pictures/street.png',
  'stimuli/second session/poster again.png',
  'stimuli/texts/story.txt',
];

async function hashes(drive: string): Promise<Record<string, string>> {
  const entries = await readdir(drive, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files.map(async (file) => {
    const hash = createHash('sha256').update(await readFile(file));
    return [file.slice(drive.length + 1), hash.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

test('two runs give the same files with the same bytes, and leave nothing else behind', async () => {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  expect(await writeExample(one)).toEqual(expected);
  await writeExample(two);
  const written = await hashes(one);
  expect(Object.keys(written).sort()).toEqual(expected);
  expect(await hashes(two)).toEqual(written);

  const copy = 'stimuli/second session/poster again.png';
  const { [copy]: again, ...others } = written;
  expect(again).toBe(written['stimuli/pictures/poster.png']);
  expect(new Set(Object.values(others)).size).toBe(expected.length - 1);
});

test('the study is small, and every picture is an image of full size', async () => {
  let bytes = 0;
  for (const path of await writeExample(folder)) {
    const content = await readFile(join(folder, path));
    bytes += content.length;
    if (!path.endsWith('.png')) continue;
    const { width, height } = PNG.sync.read(content);
    expect([path, width, height]).toEqual([path, 1024, 768]);
  }
  expect(bytes).toBeLessThan(1_000_000);
});

test('what is there already is left alone, and only what is missing is written', async () => {
  await mkdir(join(folder, 'stimuli/texts'), { recursive: true });
  await writeFile(join(folder, 'stimuli/texts/story.txt'), 'my own story');
  expect(await writeExample(folder)).toEqual(expected.filter((path) => path !== 'stimuli/texts/story.txt'));
  expect(await readFile(join(folder, 'stimuli/texts/story.txt'), 'utf8')).toBe('my own story');
  expect(await writeExample(folder)).toEqual([]);
});

test('gazeline.yaml asks for features that its own comments explain', async () => {
  await writeExample(folder);
  const text = await readFile(join(folder, 'gazeline.yaml'), 'utf8');
  const { annotate } = parse(text);
  expect(annotate).toEqual({
    images: ['text', 'objects', 'faces', 'colours', 'labels'],
    texts: ['syntax', 'entities', 'sentiment'],
  });
  for (const feature of [...annotate.images, ...annotate.texts]) {
    expect(text).toMatch(new RegExp(`^ +# +${feature} +\\w`, 'm'));
  }
});
