import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderPage } from '../../deploy/local/example/renderPage.ts';
import { openLab, type RunningLab } from './lab.ts';

let lab: RunningLab;
beforeAll(async () => {
  // Ten seconds is the shortest ack deadline there is; a lost push is noticed only then.
  lab = await openLab({ ackDeadline: 10, maximumBackoff: 2 });
});
afterAll(() => lab?.close());

test('200 files at once, with pushes doubled, reordered and lost and storage failing, all arrive and are annotated once', async () => {
  const files = await twoHundredFiles();
  await lab.fault(
    { service: 'drive', kind: 'lostPush', probability: 0.2 },
    { service: 'drive', kind: 'doubledPush', probability: 0.3 },
    { service: 'drive', kind: 'latePush', probability: 0.5, ms: 300 },
    { service: 'pubsub', kind: 'lostPush', probability: 0.2 },
    { service: 'pubsub', kind: 'doubledPush', probability: 0.3 },
    { service: 'pubsub', kind: 'latePush', probability: 0.5, ms: 300 },
    { service: 'storage', kind: 'status', status: 503, probability: 0.1 },
  );
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(lab.drive, name)), { recursive: true });
    await writeFile(join(lab.drive, name), bytes);
  }
  // The storm lasts as long as most of the work does. Then it is quiet, and the clock finds what a lost push of Drive
  // left undone. (Until the last message got through a storm that goes on, it would take another minute of waiting.)
  await Promise.race([lab.settled(), sleep(25_000)]);
  await lab.fault();
  await lab.tick('drive-tick');
  await lab.settled();

  const raw = await lab.objects('raw');
  expect([...raw.keys()].sort()).toEqual([...files.keys()].sort());
  for (const [name, bytes] of files)
    expect({ name, same: raw.get(name)?.equals(bytes) }).toEqual({ name, same: true });

  const annotated = (await lab.objects('derived')).keys().filter((name) => name.startsWith('annotations/'));
  expect([...annotated].sort()).toEqual([...files.keys()].map((name) => `annotations/${name}.json`).sort());

  const distinct = (ending: string) => {
    const contents = [...files].filter(([name]) => name.endsWith(ending)).map(([, bytes]) => hash(bytes));
    return new Set(contents).size;
  };
  const vision = (await lab.requests('vision')).filter(({ status }) => status === 200);
  const images = vision.map(({ detail }) => (detail as { images: number }).images);
  expect(images.reduce((sum, count) => sum + count, 0)).toBe(distinct('.png'));
  const language = (await lab.requests('language')).filter(({ status }) => status === 200);
  expect(language.length).toBe(distinct('.txt'));
}, 120_000);

/** Mostly short texts, some small pictures, and every tenth a copy of another one. */
async function twoHundredFiles(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (let index = 0; index < 200; index++) {
    const folder = ['', 'a/', 'a/b/', 'ü 1/'][index % 4];
    if (index % 10 === 9) {
      files.set(
        `${folder}copy ${index}.txt`,
        files
          .values()
          .toArray()
          .find((bytes) => bytes.length < 1000) as Buffer,
      );
    } else if (index % 20 === 0) {
      const { png } = await renderPage(`Page ${index}`, { width: 320, height: 120, margin: 24 });
      files.set(`${folder}page ${index}.png`, png);
    } else {
      files.set(
        `${folder}text ${index}.txt`,
        Buffer.from(`This is text number ${index}. Anna lives in Berlin and is happy.`),
      );
    }
  }
  return files;
}

const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
