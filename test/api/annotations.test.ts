import { beforeAll, expect, test } from '@jest/globals';
import { setFaults } from '../kit.ts';
import { annotate, put, useApi } from './useApi.ts';

const api = useApi();
const long = `long/${'ä'.repeat(500)}.txt`;

beforeAll(async () => {
  await annotate('texts/a.txt', [
    {
      kind: 'word',
      label: '=HYPERLINK("http://evil.example")',
      confidence: null,
      span: { begin: 0, end: 4 },
    },
    { kind: 'word', label: '-1', confidence: null, span: { begin: 5, end: 7 } },
    { kind: 'entity', label: 'Tromsø, "the north"', confidence: 0.5, span: { begin: 8, end: 20 } },
  ]);
  await annotate('pictures/b.png', [
    { kind: 'object', label: 'lamp', confidence: 0.9, box: { x: -3, y: 0, width: 10.5, height: 20 } },
  ]);
  await annotate(long, [{ kind: 'word', label: 'long', confidence: null, span: { begin: 0, end: 4 } }]);
  await put('derived', 'annotations/broken.txt.json', '{"kind": "text"}');
});

const all = async (url: string) => {
  const items: Record<string, unknown>[] = [];
  let token = '';
  do {
    const { json } = await api.ask('reader', 'GET', `${url}${token && `&pageToken=${token}`}`);
    items.push(...json.items);
    token = json.nextPageToken ?? '';
  } while (token);
  return items;
};
const names = (items: Record<string, unknown>[]) =>
  items.map(({ stimulus }) =>
    typeof stimulus === 'string' ? stimulus : (stimulus as { name: string }).name,
  );

test('annotations are listed by prefix, page by page; one that cannot be read hides no other', async () => {
  expect(names(await all('/v1/annotations?pageSize=1'))).toEqual(['pictures/b.png', 'texts/a.txt', long]);
  expect(names(await all('/v1/annotations?pageSize=1&prefix=long/'))).toEqual([long]);
  expect(names(await all('/v1/annotations?prefix=texts/'))).toEqual(['texts/a.txt']);
  expect(names(await all('/v1/annotations?stimulus=texts/a.txt'))).toEqual(['texts/a.txt']);
  expect(await all('/v1/annotations?stimulus=texts/none.txt')).toEqual([]);
  expect((await all('/v1/annotations?prefix=texts/'))[0]).not.toHaveProperty('response');
  const broken = { id: 'annotations/broken.txt.json', reason: expect.stringContaining('as expected') };
  expect(api.log.entries).toContainEqual(expect.objectContaining(broken));
  for (const path of ['/v1/annotations', '/v1/areas-of-interest'])
    expect((await api.ask('reader', 'GET', path)).json.unreadable).toEqual([broken]);
});

test('one is given whole, also one with a very long name', async () => {
  for (const name of ['texts/a.txt', long]) {
    const { json } = await api.ask('reader', 'GET', `/v1/annotations/${encodeURIComponent(name)}`);
    expect(json).toMatchObject({ stimulus: { name }, response: { tokens: [] } });
  }
  expect((await api.ask('reader', 'GET', '/v1/annotations/none')).status).toBe(404);
  // That it cannot be read is not that there is none.
  expect(await api.ask('reader', 'GET', '/v1/annotations/broken.txt')).toMatchObject({
    status: 500,
    json: { detail: expect.stringContaining('not as expected') },
  });
});

test('areas of interest are one table, whose pages end anywhere', async () => {
  const rows = await all('/v1/areas-of-interest?pageSize=2');
  expect(rows.map(({ label }) => label)).toEqual([
    'lamp',
    '=HYPERLINK("http://evil.example")',
    '-1',
    'Tromsø, "the north"',
    'long',
  ]);
  expect(rows[0]).toEqual({
    ...{ stimulus: 'pictures/b.png', generation: '1', kind: 'object', label: 'lamp', confidence: 0.9 },
    ...{ x: -3, y: 0, width: 10.5, height: 20, start: null, end: null, isLocal: true },
  });
  expect((await all('/v1/areas-of-interest?kind=entity&pageSize=1')).map(({ kind }) => kind)).toEqual([
    'entity',
  ]);
  const bad = await api.ask('reader', 'GET', '/v1/areas-of-interest?pageToken=abc');
  expect(bad.status).toBe(400);
});

test('as CSV, no label is a formula of a spreadsheet', async () => {
  const ask = (url: string) => api.ask('reader', 'GET', url, { headers: { accept: 'text/csv' } });
  const { text, headers } = await ask('/v1/areas-of-interest');
  expect(headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
  expect(text.trimEnd().split('\r\n').slice(0, 5)).toEqual([
    'stimulus,generation,kind,label,confidence,x,y,width,height,start,end,isLocal',
    'pictures/b.png,1,object,lamp,0.9,-3,0,10.5,20,,,true',
    `texts/a.txt,1,word,"'=HYPERLINK(""http://evil.example"")",,,,,,0,4,true`,
    `texts/a.txt,1,word,'-1,,,,,,5,7,true`,
    'texts/a.txt,1,entity,"Tromsø, ""the north""",0.5,,,,,8,20,true',
  ]);
  const first = await ask('/v1/areas-of-interest?pageSize=2');
  const second = await ask(`/v1/areas-of-interest?pageSize=10&pageToken=${first.headers['next-page-token']}`);
  const rows = (csv: string) => csv.trimEnd().split('\r\n').slice(1);
  expect([...rows(first.text), ...rows(second.text)]).toEqual(rows(text));
  expect(second.headers).not.toHaveProperty('next-page-token');
});

test('when the storage does not answer for one, that is said, and it is not left out', async () => {
  const fault = { service: 'storage', kind: 'status', status: 403, path: 'o/annotations/texts/a.txt.json$' };
  await setFaults(api.cloud, fault);
  const { status } = await api.ask('reader', 'GET', '/v1/areas-of-interest');
  await setFaults(api.cloud);
  expect(status).toBe(500);
});
