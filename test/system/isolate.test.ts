import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openLab } from './lab.ts';

const sentence = (index: number) => `Sentence ${index} was written while functions died.`;

test('functions in processes of their own that are killed with -9 while they work are started again, and all arrives', async () => {
  const lab = await openLab({ isolate: true, maximumBackoff: 1 });
  try {
    expect(new Set(Object.values(lab.pids)).size).toBe(Object.keys(lab.pids).length);
    for (let index = 0; index < 30; index++)
      await writeFile(join(lab.drive, `${index}.bin`), sentence(index));
    while (!lab.log.some(({ message }) => message === 'synced'))
      await new Promise((done) => setTimeout(done, 5));
    for (const name of ['file-sync', 'drive-feed', 'object-arrived'])
      process.kill(lab.pids[name] ?? 0, 'SIGKILL');
    await lab.settled();
    const raw = await lab.objects('raw');
    expect(raw.size).toBe(30);
    for (let index = 0; index < 30; index++)
      expect(raw.get(`${index}.bin`)?.toString()).toBe(sentence(index));
    expect(lab.log.filter(({ message }) => /ended and is started again/.test(message))).toHaveLength(3);
  } finally {
    await lab.close();
  }
}, 60_000);
