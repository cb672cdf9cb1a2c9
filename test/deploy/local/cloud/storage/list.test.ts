import type { Bucket } from '@google-cloud/storage';
import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from './raw.ts';

const cloud = useLocalCloud();
let bucket: Bucket;
const names = [
  'a/1.txt',
  'a/2.txt',
  'a/b/3.txt',
  'a/b/4.csv',
  'b',
  'b/',
  'b/5',
  'ba',
  'z\u{10000}',
  'z\uffff',
  'é',
];
beforeAll(async () => {
  [bucket] = await (await clients.storage()).createBucket('listed');
  await Promise.all(names.map((name) => bucket.file(name).save('x', { resumable: false })));
});

async function list(query: Record<string, string>) {
  const search = new URLSearchParams(query);
  const { status, body } = await call('GET', `${cloud.origin}/storage/v1/b/listed/o?${search}`);
  expect(status).toBe(200);
  return {
    items: (body.items ?? []).map(({ name }: { name: string }) => name) as string[],
    prefixes: (body.prefixes ?? []) as string[],
    next: body.nextPageToken as string | undefined,
  };
}

test('names come in the order of their UTF-8 bytes', async () => {
  const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect((await list({})).items).toEqual(byBytes);
  expect((await bucket.getFiles())[0].map(({ name }) => name)).toEqual(byBytes);
});

test('a delimiter makes folders of what lies deeper', async () => {
  expect(await list({ delimiter: '/' })).toMatchObject({
    items: ['b', 'ba', 'é', 'z\uffff', 'z\u{10000}'].toSorted((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    ),
    prefixes: ['a/', 'b/'],
  });
  expect(await list({ delimiter: '/', prefix: 'a/' })).toMatchObject({
    items: ['a/1.txt', 'a/2.txt'],
    prefixes: ['a/b/'],
  });
  expect(await list({ delimiter: '/', prefix: 'b/' })).toMatchObject({ items: ['b/', 'b/5'], prefixes: [] });
  expect(await list({ delimiter: '/', prefix: 'b', includeTrailingDelimiter: 'true' })).toMatchObject({
    items: ['b', 'b/', 'ba'],
    prefixes: ['b/'],
  });
  expect(await list({ delimiter: '.t' })).toMatchObject({ prefixes: ['a/1.t', 'a/2.t', 'a/b/3.t'] });
});

test('offsets bound the names, the first one included, the last one not', async () => {
  expect((await list({ startOffset: 'a/2.txt', endOffset: 'b/' })).items).toEqual([
    'a/2.txt',
    'a/b/3.txt',
    'a/b/4.csv',
    'b',
  ]);
  expect((await list({ prefix: 'a/', startOffset: 'a/b/', endOffset: 'zzz' })).items).toEqual([
    'a/b/3.txt',
    'a/b/4.csv',
  ]);
});

test.each([
  ['a/*.txt', ['a/1.txt', 'a/2.txt']],
  ['a/**.txt', ['a/1.txt', 'a/2.txt', 'a/b/3.txt']],
  ['**/[3-4].{txt,csv}', ['a/b/3.txt', 'a/b/4.csv']],
  ['?', ['b', 'é']],
  ['b[!/]', ['ba']],
  ['*****a*a*a*a*a*a*a*a*a*a*a*a*b', []],
])('the glob %s matches %j', async (matchGlob, expected) => {
  expect((await list({ matchGlob })).items).toEqual(expected);
});

test.each([{}, { delimiter: '/' }, { delimiter: '/', prefix: 'a/' }, { versions: 'true' }])(
  'pages of any size, put together, are the list %j',
  async (query) => {
    const whole = await list(query);
    expect(whole.next).toBeUndefined();
    for (const size of [1, 2, 3, 5, whole.items.length + whole.prefixes.length]) {
      const items: string[] = [];
      const prefixes: string[] = [];
      for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
        const page: Awaited<ReturnType<typeof list>> = await list({
          ...query,
          maxResults: String(size),
          pageToken,
        });
        expect(page.items.length + page.prefixes.length).toBeLessThanOrEqual(size);
        items.push(...page.items);
        prefixes.push(...page.prefixes);
        pageToken = page.next;
      }
      expect({ items, prefixes }).toEqual({ items: whole.items, prefixes: whole.prefixes });
    }
  },
);

test('what is no page token, number or truth is refused', async () => {
  for (const query of [
    'pageToken=x',
    'pageToken=eyJ9',
    'maxResults=many',
    'versions=perhaps',
    'prefix=a&prefix=b',
  ]) {
    const { status } = await call('GET', `${cloud.origin}/storage/v1/b/listed/o?${query}`);
    expect([query, status]).toEqual([query, 400]);
  }
});
