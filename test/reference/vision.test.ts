import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { useLocalCloud } from '../localCloud.ts';

useLocalCloud();
const folder = new URL('../../../shared/data/osie/', import.meta.url);

/** What a person sees in the photographs of OSIE and the models see, too; nobody's face but those in the last. */
const photographs: [name: string, objects: string[], faces: number][] = [
  ['1001.jpg', ['Keyboard', 'Cell phone', 'Apple'], 0],
  ['1005.jpg', ['Couch'], 0],
  // A puppy on a barrel, which the models do not see.
  ['1009.jpg', [], 0],
  ['1015.jpg', ['Cup'], 0],
  ['1021.jpg', ['Cup', 'Fork'], 0],
  ['1029.jpg', ['Airplane', 'Car'], 0],
  ['1037.jpg', ['Bird'], 0],
  ['1051.jpg', ['Person', 'Wine glass'], 2],
];

test.each(photographs)('%s shows what a person sees in it, and no text', async (name, objects, faces) => {
  const vision = await clients.vision();
  const [{ responses }] = await vision.batchAnnotateImages({
    requests: [
      {
        image: { content: await readFile(new URL(name, folder)) },
        features: [
          { type: 'OBJECT_LOCALIZATION' },
          { type: 'FACE_DETECTION' },
          { type: 'DOCUMENT_TEXT_DETECTION' },
        ],
      },
    ],
  });
  const found = responses?.[0];
  expect(found?.error).toBeNull();
  const names = found?.localizedObjectAnnotations?.map((object) => object.name);
  expect(names).toEqual(expect.arrayContaining(objects));
  expect(found?.faceAnnotations).toHaveLength(faces);
  expect(found?.textAnnotations).toEqual([]);
});

test('the two men at the table are where they are, and look at each other', async () => {
  const vision = await clients.vision();
  const image = { content: await readFile(new URL('1051.jpg', folder)) };
  const features = [{ type: 'FACE_DETECTION' as const }];
  const [{ responses }] = await vision.batchAnnotateImages({ requests: [{ image, features }] });
  const [left, right] = (responses?.[0]?.faceAnnotations ?? []).sort(
    (a, b) => (a.boundingPoly?.vertices?.[0]?.x ?? 0) - (b.boundingPoly?.vertices?.[0]?.x ?? 0),
  );
  const inside = [
    [left, { x: 130, y: 250 }],
    [right, { x: 650, y: 260 }],
  ] as const;
  for (const [face, { x, y }] of inside) {
    const [topLeft, , bottomRight] = face?.fdBoundingPoly?.vertices ?? [];
    expect(topLeft?.x).toBeLessThan(x);
    expect(topLeft?.y).toBeLessThan(y);
    expect(bottomRight?.x).toBeGreaterThan(x);
    expect(bottomRight?.y).toBeGreaterThan(y);
    const at = (type: string) => face?.landmarks?.find((one) => one.type === type)?.position;
    expect(at('LEFT_EYE')?.x).toBeLessThan(at('RIGHT_EYE')?.x ?? 0);
    expect(at('LEFT_EYE')?.y).toBeLessThan(at('NOSE_TIP')?.y ?? 0);
    expect(at('NOSE_TIP')?.y).toBeLessThan(at('MOUTH_CENTER')?.y ?? 0);
  }
  expect(left?.panAngle).toBeGreaterThan(15);
  expect(right?.panAngle).toBeLessThan(-15);
});
