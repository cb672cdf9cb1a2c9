import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Annotation } from '../../shared/annotation/annotation.ts';
import { openLab, type RunningLab } from '../system/lab.ts';

const photographs = join(import.meta.dirname, '../../../shared/data/osie');

let lab: RunningLab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab?.close());

test('photographs dropped into the folder have people, objects and faces where a person would point at', async () => {
  const names = (await readdir(photographs)).filter((name) => name.endsWith('.jpg'));
  for (const name of names) await copyFile(join(photographs, name), join(lab.drive, name));
  await lab.settled();

  const labels = new Map<string, string[]>();
  for (const name of names) {
    const annotation = Annotation.parse(await lab.json('derived', `annotations/${name}.json`));
    expect(annotation.image).toEqual({ width: 800, height: 600 });
    for (const { box } of annotation.areasOfInterest) {
      expect(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= 800 && box.y + box.height <= 600).toBe(
        true,
      );
    }
    labels.set(
      name,
      annotation.areasOfInterest.map(({ kind, label }) => (kind === 'face' ? 'face' : label)),
    );
  }
  expect(labels.get('1051.jpg')).toEqual(expect.arrayContaining(['Person', 'face', 'Dining table']));
  expect(labels.get('1037.jpg')).toEqual(expect.arrayContaining(['Bird', 'Bird']));
  expect(labels.get('1029.jpg')).toContain('Car');
}, 60_000);
