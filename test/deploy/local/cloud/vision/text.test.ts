import type { protos } from '@google-cloud/vision';
import { beforeAll, expect, test } from '@jest/globals';
import { PNG } from 'pngjs';
import { pages, title } from '../../../../../deploy/local/example/lighthouse.ts';
import { renderPage, type Word } from '../../../../../deploy/local/example/renderPage.ts';
import { renderSvg } from '../../../../../deploy/local/example/renderSvg.ts';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { inkIn, overlap, rectangleOf } from './ink.ts';

const cloud = useLocalCloud();

async function read(content: Buffer): Promise<protos.google.cloud.vision.v1.IAnnotateImageResponse> {
  const vision = await clients.vision();
  const features = [{ type: 'DOCUMENT_TEXT_DETECTION' as const }];
  const [{ responses }] = await vision.batchAnnotateImages({ requests: [{ image: { content }, features }] });
  return responses?.[0] ?? {};
}

let page: { png: Buffer; words: Word[] };
let response: Awaited<ReturnType<typeof read>>;
beforeAll(async () => {
  page = await renderPage(pages[0] ?? '', { title });
  response = await read(page.png);
});

test('every word of a page is read, in order, and where it is', () => {
  const [, ...words] = response.textAnnotations ?? [];
  expect(words.map(({ description }) => description)).toEqual(page.words.map(({ text }) => text));
  const picture = PNG.sync.read(page.png);
  const overlaps = words.map(({ boundingPoly }, index) =>
    overlap(rectangleOf(boundingPoly?.vertices ?? []), inkIn(picture, page.words[index] as Word)),
  );
  expect(Math.min(...overlaps)).toBeGreaterThan(0.5);
});

test('the symbols and their breaks spell the whole text', () => {
  const { fullTextAnnotation, textAnnotations } = response;
  const symbols = (fullTextAnnotation?.pages ?? [])
    .flatMap(({ blocks }) => blocks ?? [])
    .flatMap(({ paragraphs }) => paragraphs ?? [])
    .flatMap(({ words }) => words ?? [])
    .flatMap(({ symbols }) => symbols ?? []);
  const breaks: Record<string, string> = { SPACE: ' ', EOL_SURE_SPACE: '\n', LINE_BREAK: '\n' };
  const spelled = symbols.map(
    ({ text, property }) => text + (breaks[`${property?.detectedBreak?.type}`] ?? ''),
  );
  expect(spelled.join('')).toBe(fullTextAnnotation?.text);
  expect(fullTextAnnotation?.text?.split(/\s+/).filter(Boolean)).toEqual(page.words.map(({ text }) => text));
  expect(textAnnotations?.[0]?.description).toBe(fullTextAnnotation?.text);
  expect(fullTextAnnotation?.pages?.[0]).toMatchObject({ width: 1024, height: 768 });
});

test('text on a transparent page is read', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="500" height="120"><text x="40" y="70" font-size="40" font-family="DejaVu Serif">Clear water</text></svg>';
  expect((await read(await renderSvg(svg))).fullTextAnnotation?.text).toBe('Clear water\n');
});

test('a blank page has no text', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><rect width="400" height="300" fill="#fff"/></svg>';
  const blank = await read(await renderSvg(svg));
  expect(blank).toMatchObject({ textAnnotations: [], fullTextAnnotation: null, error: null });
});

test('a coordinate that is zero is not sent, as at Google', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="90"><rect width="200" height="90" fill="#fff"/><rect width="200" height="45" fill="#e00"/></svg>';
  const content = (await renderSvg(svg)).toString('base64');
  const features = [{ type: 'IMAGE_PROPERTIES' }];
  const answer = await fetch(`${cloud.origin}/v1/images:annotate`, {
    method: 'POST',
    body: JSON.stringify({ requests: [{ image: { content }, features }] }),
  });
  const { responses } = (await answer.json()) as { responses: { imagePropertiesAnnotation: unknown }[] };
  expect(responses[0]?.imagePropertiesAnnotation).toEqual({
    dominantColors: {
      colors: expect.arrayContaining([
        { color: { red: 238 }, score: 0.5, pixelFraction: 0.5 },
        { color: { red: 255, green: 255, blue: 255 }, score: 0.5, pixelFraction: 0.5 },
      ]),
    },
  });
});

test('enums are names, or numbers for clients that ask for numbers', async () => {
  const { png } = await renderPage('A few words', { width: 400, height: 150, margin: 40 });
  const image = { content: png.toString('base64') };
  const body = JSON.stringify({ requests: [{ image, features: [{ type: 'TEXT_DETECTION' }] }] });
  const blockType = async (query: string) => {
    const answer = await fetch(`${cloud.origin}/v1/images:annotate${query}`, { method: 'POST', body });
    return /"blockType":([^,}]+)/.exec(await answer.text())?.[1];
  };
  expect(await blockType('')).toBe('"TEXT"');
  expect(await blockType('?$alt=json%3Benum-encoding=int')).toBe('1');
});
