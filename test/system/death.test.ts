import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openLab } from './lab.ts';

const sentence = (index: number) => `Sentence ${index} was written while everything died.`;

test('after a kill -9 of the cloud and all functions in the middle of the work, the next start finishes it', async () => {
  const first = await openLab();
  for (let index = 0; index < 40; index++)
    await writeFile(join(first.drive, `${index}.txt`), sentence(index));
  // Dies when some of it is done and some is not.
  while (!first.log.some(({ message }) => message === 'synced'))
    await new Promise((done) => setTimeout(done, 5));
  await first.kill();

  const second = await openLab({ dir: first.dir });
  try {
    await second.settled();
    const raw = await second.objects('raw');
    expect(raw.size).toBe(40);
    for (let index = 0; index < 40; index++)
      expect(raw.get(`${index}.txt`)?.toString()).toBe(sentence(index));
    const annotated = [...(await second.objects('derived')).keys()].filter((name) =>
      name.startsWith('annotations/'),
    );
    expect(annotated.length).toBe(40);
  } finally {
    await second.close();
  }
}, 60_000);
