import language from '@google-cloud/language';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';

const cloud = useLocalCloud();

const document = (content: string) => ({ content, type: 'PLAIN_TEXT' as const });

async function post(path: string, body: unknown) {
  const response = await fetch(`${cloud.origin}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function tokensOf(content: string, encodingType: 'UTF8' | 'UTF16' | 'UTF32' | 'NONE' = 'UTF16') {
  const client = await clients.language();
  const [{ tokens }] = await client.analyzeSyntax({ document: document(content), encodingType });
  return (tokens ?? []).map(({ text, partOfSpeech, lemma }) => ({
    content: text?.content ?? '',
    begin: text?.beginOffset ?? 0,
    tag: partOfSpeech?.tag,
    lemma,
  }));
}

test('words have their part of speech and lemma', async () => {
  const tokens = await tokensOf('She quickly wrote two letters to Berlin.');
  expect(tokens.map(({ content, tag, lemma }) => [content, tag, lemma])).toEqual([
    ['She', 'PRON', 'she'],
    ['quickly', 'ADV', 'quickly'],
    ['wrote', 'VERB', 'write'],
    ['two', 'NUM', 'two'],
    ['letters', 'NOUN', 'letter'],
    ['to', 'ADP', 'to'],
    ['Berlin', 'NOUN', 'Berlin'],
    ['.', 'PUNCT', '.'],
  ]);
});

test('enums are names, or numbers for clients that ask for numbers', async () => {
  const asked = { document: document('boats') };
  const noun = (tag: unknown) => ({ tokens: [{ partOfSpeech: { tag } }] });
  expect((await post('/v1/documents:analyzeSyntax', asked)).body).toMatchObject(noun('NOUN'));
  const numbers = await post('/v1/documents:analyzeSyntax?$alt=json%3Benum-encoding=int', asked);
  expect(numbers.body).toMatchObject(noun(6));
});

// An emoji is two UTF-16 units and four bytes; é is one or, with a combining accent, two.
const mixed = 'Tea 😀 in the cafe\u0301, or the café.';

test.each([
  ['UTF16', [0, 4, 7, 10, 14, 19, 21, 24, 28, 32]],
  ['UTF8', [0, 4, 9, 12, 16, 22, 24, 27, 31, 36]],
  ['UTF32', [0, 4, 6, 9, 13, 18, 20, 23, 27, 31]],
  ['NONE', Array(10).fill(-1)],
] as const)('offsets count in %s', async (encodingType, offsets) => {
  const tokens = await tokensOf(mixed, encodingType);
  expect(tokens.map(({ begin }) => begin)).toEqual(offsets);
});

test('tokens of any text stand where they say, in order, and only white space is between them', async () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      'don’t ',
      "can't",
      ' e.g. ',
      '\t\n',
      '👩‍🔬',
      'a\u0300',
      '\u200b',
      '$5.50',
      '…',
      '¼',
      'ﬁ',
      '\u00a0',
      '10%',
    ),
  );
  const texts = fc.array(pieces, { maxLength: 8 }).map((parts) => `The ${parts.join('')}`);
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const { status, body } = await post('/v1/documents:analyzeSyntax', {
        document: { ...document(text), language: 'en' },
        encodingType: 'UTF16',
      });
      expect(status).toBe(200);
      let end = 0;
      for (const token of body.tokens as { text: { content: string; beginOffset?: number } }[]) {
        const { content, beginOffset = 0 } = token.text;
        expect(text.slice(beginOffset, beginOffset + content.length)).toBe(content);
        expect(text.slice(end, beginOffset)).toMatch(/^\s*$/);
        end = beginOffset + content.length;
      }
      expect(text.slice(end)).toMatch(/^\s*$/);
    }),
    { numRuns: 150 },
  );
});

test('people, places, organisations and values are entities, merged by name', async () => {
  const content =
    'Marie Curie moved to Paris in 1891. Siemens sold a lamp to Marie Curie for $5.50, and Paris cheered.';
  const client = await clients.language();
  const [{ entities }] = await client.analyzeEntities({ document: document(content), encodingType: 'UTF16' });
  const found = entities?.map(({ name, type, mentions }) => [
    name,
    type,
    ...(mentions?.map(({ text }) => text?.beginOffset) ?? []),
  ]);
  expect(found).toEqual([
    ['Marie Curie', 'PERSON', 0, content.lastIndexOf('Marie')],
    ['Paris', 'LOCATION', content.indexOf('Paris'), content.lastIndexOf('Paris')],
    ['1891', 'DATE', content.indexOf('1891')],
    ['Siemens', 'ORGANIZATION', content.indexOf('Siemens')],
    ['$5.50', 'PRICE', content.indexOf('$')],
  ]);
  expect(entities?.[0]?.mentions?.map(({ text, type }) => [text?.content, type])).toEqual([
    ['Marie Curie', 'PROPER'],
    ['Marie Curie', 'PROPER'],
  ]);
});

test('the sentiment of sentences has their sign, and that of a text is their mean and sum', async () => {
  const content = 'She loved the happy little boat. The storm was terrible and killed them. It is a table.';
  const client = await clients.language();
  const [{ sentences, documentSentiment }] = await client.analyzeSentiment({
    document: document(content),
    encodingType: 'UTF16',
  });
  const scores = sentences?.map(({ sentiment }) => sentiment?.score ?? 0) ?? [];
  expect(scores.map(Math.sign)).toEqual([1, -1, 0]);
  expect(sentences?.map(({ text }) => text?.beginOffset)).toEqual([0, 33, 73]);
  expect(documentSentiment?.score).toBeCloseTo(scores.reduce((sum, score) => sum + score, 0) / 3, 5);
  expect(documentSentiment?.magnitude).toBeCloseTo(
    scores.reduce((sum, score) => sum + Math.abs(score), 0),
    5,
  );
});

test('one request gives all features, and is counted', async () => {
  await fetch(`${cloud.origin}/_local/requests`, { method: 'DELETE' });
  const client = await clients.language();
  const [answer] = await client.annotateText({
    document: document('Anna is happy.'),
    features: { extractSyntax: true, extractEntities: true, extractDocumentSentiment: true },
    encodingType: 'UTF16',
  });
  expect(answer).toMatchObject({ language: 'en', entities: [{ name: 'Anna', type: 'PERSON' }] });
  expect(answer.tokens).toHaveLength(4);
  expect(answer.documentSentiment?.score).toBeGreaterThan(0.3);
  const seen = await (await fetch(`${cloud.origin}/_local/requests?service=language`)).json();
  const features = { syntax: true, entities: true, sentiment: true, entitySentiment: false };
  expect(seen).toMatchObject({
    total: 1,
    requests: [{ detail: { op: 'documents.annotateText', version: 'v1', characters: 14, features } }],
  });
});

test('a text is read from its bucket', async () => {
  const [bucket] = await (await clients.storage()).createBucket('texts');
  const save = (name: string, bytes: string | Buffer) =>
    bucket.file(name).save(bytes, { preconditionOpts: { ifGenerationMatch: 0 } });
  await Promise.all([save('anna.txt', 'Anna is happy.'), save('latin1.txt', Buffer.from([0x63, 0xe9]))]);
  const of = (name: string) => ({ document: { type: 'PLAIN_TEXT', gcsContentUri: `gs://texts/${name}` } });
  const { body } = await post('/v1/documents:analyzeEntities', of('anna.txt'));
  expect(body).toMatchObject({ entities: [{ name: 'Anna' }] });
  expect((await post('/v1/documents:analyzeEntities', of('latin1.txt'))).status).toBe(400);
});

test('version 2 has its own shape', async () => {
  const { hostname, port } = new URL(cloud.origin);
  const client = new language.v2.LanguageServiceClient({
    ...{ fallback: true, protocol: 'http', servicePath: hostname, port: Number(port) },
    auth: (await clients.language()).auth as never,
  });
  const [answer] = await client.annotateText({
    document: document('Anna is happy.'),
    features: { extractEntities: true, extractDocumentSentiment: true },
    encodingType: 'UTF16',
  });
  expect(answer).toMatchObject({ languageCode: 'en', languageSupported: true, entities: [{ name: 'Anna' }] });
  expect(answer.documentSentiment?.score).toBeGreaterThan(0.3);
  const body = { document: document('Anna'), features: { extractSyntax: true } };
  expect((await post('/v2/documents:annotateText', body)).status).toBe(400);
  expect((await post('/v2/documents:analyzeSyntax', { document: document('Anna') })).status).toBe(404);
});

test.each([
  [
    'another language',
    'analyzeSyntax',
    { document: { ...document('Hallo'), language: 'de' } },
    400,
    'language de',
  ],
  [
    'another script',
    'analyzeSentiment',
    { document: document('Маяк стоит на скале.') },
    400,
    'document_sentiment',
  ],
  ['HTML', 'analyzeSyntax', { document: { content: '<p>Hi</p>', type: 'HTML' } }, 400, 'PLAIN_TEXT'],
  ['a misspelled field', 'analyzeSyntax', { document: document('Hi'), encoding: 'UTF16' }, 400, '"encoding"'],
  [
    'UTF-16 with a hyphen',
    'analyzeSyntax',
    { document: document('Hi'), encodingType: 'UTF-16' },
    400,
    'UTF-16',
  ],
  [
    'two sources',
    'analyzeSyntax',
    { document: { ...document('Hi'), gcsContentUri: 'gs://raw/a' } },
    400,
    'oneof',
  ],
  [
    'an object that is not there',
    'analyzeSyntax',
    { document: { type: 1, gcsContentUri: 'gs://raw/a' } },
    404,
    '',
  ],
  ['more than a megabyte', 'analyzeSyntax', { document: document('a'.repeat(1_000_001)) }, 400, '1000001'],
  ['classification', 'classifyText', { document: document('Hi') }, 501, 'classifyText'],
  [
    'moderation',
    'annotateText',
    { document: document('Hi'), features: { moderateText: true } },
    501,
    'moderate',
  ],
])('%s is refused in the shape of a Google error', async (_, method, asked, code, words) => {
  const { status, body } = await post(`/v1/documents:${method}`, asked);
  expect(status).toBe(code);
  expect(body).toMatchObject({ error: { code, message: expect.stringContaining(words) } });
});
