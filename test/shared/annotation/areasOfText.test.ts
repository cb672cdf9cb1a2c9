import { expect, test } from '@jest/globals';
import { areasOfText } from '../../../shared/annotation/areasOfText.ts';

const content = '🙂 Anna sails.';

test('words and mentions have their place in UTF-16 code units, and punctuation is no word', () => {
  const areas = areasOfText({
    tokens: [
      { text: { content: 'Anna', beginOffset: 3 }, partOfSpeech: { tag: 'NOUN' }, lemma: 'Anna' },
      { text: { content: 'sails', beginOffset: 8 }, partOfSpeech: { tag: 'VERB' }, lemma: 'sail' },
      { text: { content: '.', beginOffset: 13 }, partOfSpeech: { tag: 'PUNCT' }, lemma: '.' },
    ],
    entities: [{ name: 'Anna', type: 'PERSON', mentions: [{ text: { content: 'Anna', beginOffset: 3 } }] }],
  });
  expect(areas).toEqual([
    {
      kind: 'word',
      label: 'Anna',
      confidence: null,
      span: { begin: 3, end: 7 },
      about: { partOfSpeech: 'NOUN', lemma: 'Anna' },
    },
    {
      kind: 'word',
      label: 'sails',
      confidence: null,
      span: { begin: 8, end: 13 },
      about: { partOfSpeech: 'VERB', lemma: 'sail' },
    },
    {
      kind: 'entity',
      label: 'Anna',
      confidence: null,
      span: { begin: 3, end: 7 },
      about: { type: 'PERSON', entity: 'Anna' },
    },
  ]);
  for (const { label, span } of areas) expect(content.slice(span?.begin, span?.end)).toBe(label);
});

test('an offset that is left out is the beginning; an offset of -1 is no place', () => {
  const [first, second] = areasOfText({
    tokens: [{ text: { content: 'Sea' } }, { text: { content: 'sea', beginOffset: -1 } }],
  });
  expect(first?.span).toEqual({ begin: 0, end: 3 });
  expect(second).not.toHaveProperty('span');
});

test('every mention of an entity is an area of its own, and what is empty is none', () => {
  const mentions = [
    { text: { content: 'she', beginOffset: 20 } },
    { text: { content: 'Anna', beginOffset: 0 } },
  ];
  expect(areasOfText({ entities: [{ name: 'Anna', mentions }, { name: 'sea' }] })).toHaveLength(2);
  expect(areasOfText({})).toEqual([]);
  expect(areasOfText({ tokens: null, entities: [{ mentions: null }] })).toEqual([]);
});
