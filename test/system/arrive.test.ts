import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderPage } from '../../deploy/local/example/renderPage.ts';
import { Annotation } from '../../shared/annotation/annotation.ts';
import { openLab, type RunningLab } from './lab.ts';

let lab: RunningLab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab?.close());

const annotationOf = async (name: string) =>
  Annotation.parse(await lab.json('derived', `annotations/${name}.json`));

test('a page dropped into the folder is in the bucket, and its words are known with their places', async () => {
  const { png, words } = await renderPage('The lamp was lit at dusk. Nobody came up the stairs that night.');
  await mkdir(join(lab.drive, 'pages'));
  await writeFile(join(lab.drive, 'pages', 'page 1.png'), png);
  await lab.settled();

  expect((await lab.objects('raw')).get('pages/page 1.png')).toEqual(png);
  const { areasOfInterest, annotator, image } = await annotationOf('pages/page 1.png');
  expect(annotator).toMatchObject({ service: 'vision.googleapis.com', local: true });
  expect(image).toMatchObject({ width: 1024, height: 768 });
  const read = areasOfInterest.filter(({ kind }) => kind === 'word');
  // Google counts a full stop as a word of its own, and so it is put back for the comparison.
  for (const { text, x, y, width, height } of words) {
    const [middleX, middleY] = [x + width / 2, y + height / 2];
    const found = read.find(
      ({ box }) =>
        box &&
        box.x < middleX &&
        middleX < box.x + box.width &&
        box.y < middleY &&
        middleY < box.y + box.height,
    );
    expect({ text, read: found?.label }).toEqual({
      text,
      read: expect.stringContaining(text.replace('.', '')),
    });
    // A cell of the page is as wide as its letters, give or take the white around them.
    expect(Math.abs((found?.box?.width ?? 0) - width)).toBeLessThan(width / 4 + 10);
  }
});

test('a text has its words with exact offsets, its entities and its sentiment', async () => {
  const text = 'Marie Curie loved 🗼 Paris. She was wonderfully happy in Paris.';
  await writeFile(join(lab.drive, 'curie.txt'), text);
  await lab.settled();

  const { areasOfInterest, response } = await annotationOf('curie.txt');
  for (const { label, span } of areasOfInterest) {
    expect(text.slice(span?.begin, span?.end)).toBe(label);
  }
  expect(areasOfInterest).toContainEqual(
    expect.objectContaining({ kind: 'word', label: 'loved', about: { partOfSpeech: 'VERB', lemma: 'love' } }),
  );
  const entities = areasOfInterest
    .filter(({ kind }) => kind === 'entity')
    .map(({ label, about }) => [label, about?.type]);
  expect(entities).toContainEqual(['Marie Curie', 'PERSON']);
  expect(entities).toContainEqual(['Paris', 'LOCATION']);
  expect((response as { documentSentiment: { score: number } }).documentSentiment.score).toBeGreaterThan(0.3);
});

test('the same bytes under a second name are annotated without a second call to Vision', async () => {
  const { png } = await renderPage('Once is enough.');
  await writeFile(join(lab.drive, 'first.png'), png);
  await lab.settled();
  const before = (await lab.requests('vision')).length;

  await mkdir(join(lab.drive, 'copies'), { recursive: true });
  await copyFile(join(lab.drive, 'first.png'), join(lab.drive, 'copies', 'second.png'));
  await lab.settled();

  expect((await lab.requests('vision')).length).toBe(before);
  const [first, second] = [await annotationOf('first.png'), await annotationOf('copies/second.png')];
  expect(second.areasOfInterest).toEqual(first.areasOfInterest);
  expect(second.stimulus.name).toBe('copies/second.png');
});
