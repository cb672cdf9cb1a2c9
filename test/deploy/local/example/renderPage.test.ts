import { expect, test } from '@jest/globals';
import { PNG } from 'pngjs';
import { pages, title } from '../../../../deploy/local/example/lighthouse.ts';
import { renderPage, type Word } from '../../../../deploy/local/example/renderPage.ts';

/** How many pixels that differ from the paper lie in each box, by its index; outside of all boxes: -1. */
function inkPerBox(png: Buffer, words: Word[]): Map<number, number> {
  const { width, height, data } = PNG.sync.read(png);
  const ink = new Map<number, number>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((data[(y * width + x) * 4] ?? 255) > 250) continue;
      const box = words.findIndex(
        (word) => x >= word.x && x < word.x + word.width && y >= word.y && y < word.y + word.height,
      );
      ink.set(box, (ink.get(box) ?? 0) + 1);
    }
  }
  return ink;
}

const pagesToTry: [string, string, Parameters<typeof renderPage>[1]][] = [
  ['with a title', pages[0] ?? '', { title }],
  ['with accents, descenders and signs', 'Éäçßjpqy |_{}() WMw@ & <b> "it\'s" Ångström &amp; 25%', {}],
  [
    'with another size and font size',
    'Small pages are pages too.',
    { width: 400, height: 200, margin: 10, fontSize: 17 },
  ],
];

test.each(pagesToTry)('all ink of a page %s lies in the boxes of its words', async (_, text, options) => {
  const { png, words } = await renderPage(text, options);
  const ink = inkPerBox(png, words);
  expect(ink.get(-1)).toBeUndefined();
  expect([...ink.keys()].sort((a, b) => a - b)).toEqual(words.map((_word, i) => i));
  expect(words.map((word) => word.text)).toEqual(`${options?.title ?? ''} ${text}`.trim().split(/\s+/));
});

test('a box fits its word: ink touches the first and the last character’s cell', async () => {
  const { png, words } = await renderPage('Mast\nHHHHHHHH');
  const [, word] = words as [Word, Word];
  const cell = word.width / 8;
  const ends = [word.x, word.x + word.width - cell].map((x) => ({ ...word, x, width: cell }));
  const ink = inkPerBox(png, ends);
  expect(ink.get(0)).toBeGreaterThan(20);
  expect(ink.get(1)).toBe(ink.get(0));
});

test('lines are wrapped between words and broken where the text breaks them', async () => {
  const { words } = await renderPage('one two three\nfour\n\nfive', {
    width: 300,
    margin: 20,
    fontSize: 33.2,
  });
  const lines = Map.groupBy(words, (word) => word.y);
  expect([...lines.values()].map((line) => line.map((word) => word.text).join(' '))).toEqual([
    'one two three',
    'four',
    'five',
  ]);
  const narrow = await renderPage('one two three', { width: 299, margin: 20, fontSize: 33.2 });
  expect(new Set(narrow.words.map((word) => word.y)).size).toBe(2);
});

test('the page has the size that was asked for', async () => {
  const { png } = await renderPage('Hello', { width: 640, height: 480 });
  const { width, height } = PNG.sync.read(png);
  expect({ width, height }).toEqual({ width: 640, height: 480 });
});

test('a text that does not fit is refused', async () => {
  await expect(renderPage('word '.repeat(1000))).rejects.toThrow(RangeError);
  await expect(renderPage('long'.repeat(100))).rejects.toThrow(RangeError);
});
