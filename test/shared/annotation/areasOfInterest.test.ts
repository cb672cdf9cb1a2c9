import { expect, test } from '@jest/globals';
import { AreaOfInterest, areasOfImage } from '../../../shared/annotation/areasOfInterest.ts';

const size = { width: 800, height: 600 };

test('a coordinate that Vision left out is zero, in pixels', () => {
  const vertices = [{}, { x: 100 }, { x: 100, y: 50 }, { y: 50 }];
  expect(
    areasOfImage({ faceAnnotations: [{ boundingPoly: { vertices }, detectionConfidence: 0.9 }] }, size),
  ).toEqual([
    {
      kind: 'face',
      label: '',
      confidence: 0.9,
      box: { x: 0, y: 0, width: 100, height: 50 },
      polygon: [
        [0, 0],
        [100, 0],
        [100, 50],
        [0, 50],
      ],
    },
  ]);
});

test('normalized coordinates become pixels, and their missing ones are zero as well', () => {
  const normalizedVertices = [{ y: 0.25 }, { x: 0.5, y: 0.25 }, { x: 0.5, y: 1 }, { y: 1 }];
  const [area] = areasOfImage(
    {
      localizedObjectAnnotations: [
        { name: 'Dog', score: 0.75, boundingPoly: { vertices: [], normalizedVertices } },
      ],
    },
    size,
  );
  expect(area).toMatchObject({
    kind: 'object',
    label: 'Dog',
    confidence: 0.75,
    box: { x: 0, y: 150, width: 400, height: 450 },
  });
});

test('turned text keeps the order of its corners and has an upright box', () => {
  const vertices = [
    { x: 50, y: 10 },
    { x: 90, y: 50 },
    { x: 80, y: 60 },
    { x: 40, y: 20 },
  ];
  const word = { boundingBox: { vertices }, symbols: [{ text: 'a' }, { text: 'b' }], confidence: 0.5 };
  const [area] = areasOfImage(
    { fullTextAnnotation: { pages: [{ blocks: [{ paragraphs: [{ words: [word] }] }] }] } },
    size,
  );
  expect(area).toEqual({
    kind: 'word',
    label: 'ab',
    confidence: 0.5,
    box: { x: 40, y: 10, width: 50, height: 50 },
    polygon: [
      [50, 10],
      [90, 50],
      [80, 60],
      [40, 20],
    ],
  });
});

test('words are read from every page, block and paragraph, and joined from their symbols', () => {
  const boundingBox = {
    vertices: [
      { x: 1, y: 1 },
      { x: 2, y: 2 },
    ],
  };
  const word = (text: string) => ({ boundingBox, symbols: [...text].map((symbol) => ({ text: symbol })) });
  const paragraph = (...words: string[]) => ({ words: words.map(word) });
  const pages = [
    {
      blocks: [
        { paragraphs: [paragraph('the', 'sea'), paragraph('is')] },
        { paragraphs: [paragraph('naïve')] },
      ],
    },
    { blocks: [{ paragraphs: [paragraph('🙂👍')] }, {}] },
    {},
  ];
  const areas = areasOfImage({ fullTextAnnotation: { pages } }, size);
  expect(areas.map(({ label }) => label)).toEqual(['the', 'sea', 'is', 'naïve', '🙂👍']);
});

test('what has no place is no area: labels, colours, a polygon without corners', () => {
  expect(areasOfImage({}, size)).toEqual([]);
  expect(
    areasOfImage(
      {
        labelAnnotations: [{ description: 'Beach', score: 0.9 }],
        imagePropertiesAnnotation: { dominantColors: { colors: [{ score: 1 }] } },
        landmarkAnnotations: [{ description: 'Tower', boundingPoly: { vertices: [] } }],
        logoAnnotations: [{ description: 'Maker' }],
        faceAnnotations: null,
      },
      size,
    ),
  ).toEqual([]);
});

test('a confidence that is not given is unknown, not zero', () => {
  const boundingPoly = {
    vertices: [
      { x: 1, y: 1 },
      { x: 2, y: 2 },
    ],
  };
  const areas = areasOfImage(
    {
      logoAnnotations: [{ description: 'Maker', boundingPoly }],
      landmarkAnnotations: [{ boundingPoly, score: 0 }],
    },
    size,
  );
  expect(areas.map(({ kind, label, confidence }) => [kind, label, confidence])).toEqual([
    ['logo', 'Maker', null],
    ['landmark', '', null],
  ]);
  for (const area of areas) expect(AreaOfInterest.parse(area)).toEqual(area);
});
