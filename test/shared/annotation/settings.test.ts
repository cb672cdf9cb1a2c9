import { expect, test } from '@jest/globals';
import { defaultSettings, parseSettings } from '../../../shared/annotation/settings.ts';

const parse = (text: string) => parseSettings(Buffer.from(text));
const settings = (images: string[], texts: string[]) => ({
  success: true,
  data: { annotate: { images, texts } },
});
const images = ['colours', 'faces', 'objects', 'text'];
const texts = ['entities', 'sentiment', 'syntax'];

test.each(['', '# only a comment\n', '{}', 'annotate: {}', 'annotate:\n'])(
  '%j is the default',
  async (text) => {
    expect(defaultSettings).toEqual({ annotate: { images, texts } });
    expect(await parse(text)).toMatchObject(settings(images, texts));
  },
);

test('what is named is annotated, in an order and a number that do not matter', async () => {
  expect(await parse('annotate: { images: [text, faces, text] }')).toMatchObject(
    settings(['faces', 'text'], texts),
  );
  expect(await parse('annotate: { texts: [syntax, entities] }')).toMatchObject(
    settings(images, ['entities', 'syntax']),
  );
});

test('an empty list switches a kind off', async () => {
  expect(await parse('annotate:\n  images: []\n')).toMatchObject(settings([], texts));
});

test.each([
  ['an unknown feature', 'annotate: { images: [text, smells] }', /smells[\s\S]*annotate\.images\[1\]/],
  ['an unknown key', 'annotate: { pictures: [text] }', /pictures/],
  ['an unknown key above', 'anotate: { images: [text] }', /anotate/],
  ['a feature of the other kind', 'annotate: { texts: [faces] }', /faces[\s\S]*annotate\.texts/],
  ['a word for a list', 'annotate: { images: text }', /annotate\.images/],
  ['what is not YAML', 'annotate: [unclosed', /./],
  ['a text', 'please annotate everything', /./],
  ['two documents', 'annotate: {}\n---\nannotate: {}\n', /./],
  ['a key of every object', 'annotate: { __proto__: { images: [] } }', /__proto__/],
  ['an image', '\u0089PNG\r\n\u001a\n', /./],
])('%s is refused with a reason that a person understands', async (_what, text, reason) => {
  expect(await parse(text)).toEqual({ success: false, reason: expect.stringMatching(reason) });
});

test('a file of more than 64 KB is not even parsed', async () => {
  const text = `annotate: {}\n#${'x'.repeat(64 * 1024)}`;
  expect(await parse(text)).toEqual({ success: false, reason: 'larger than 65536 bytes' });
});

test('aliases that multiply and brackets without end are refused', async () => {
  const bomb = Array.from({ length: 30 }, (_, i) =>
    i === 0 ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]' : `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`,
  ).join('\n');
  expect((await parse(bomb)).success).toBe(false);
  expect((await parse('['.repeat(60_000))).success).toBe(false);
});
