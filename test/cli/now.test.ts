import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openLab, type RunningLab } from '../system/lab.ts';
import { gazeline, noLab, type RunOptions } from './gazeline.ts';

let lab: RunningLab;
beforeAll(async () => {
  lab = await openLab({ env: { GAZELINE_REMOVALS_PER_RUN: '1' } });
});
afterAll(() => lab?.close());

/** As a person types it beside `npm start -- --dir …`. */
const sync = (args: string[], options: RunOptions = {}) =>
  gazeline(['sync', ...args, '--dir', lab.dir], { env: noLab, ...options });
const status = async () => JSON.parse((await sync(['status', '--json'])).out);
const names = async () => [...(await lab.objects('raw')).keys()].sort();

test('now brings what is in the folder, and says when it is done', async () => {
  await mkdir(join(lab.drive, 'study'));
  for (const name of ['a.bin', 'b.bin', 'c.bin', 'd.bin'])
    await writeFile(join(lab.drive, 'study', name), `content of ${name}`);
  await writeFile(join(lab.drive, 'kept.bin'), 'kept');
  await fetch(`${lab.origin}/_local/drive/scan`, { method: 'POST' });
  const { code, out, err } = await sync(['now']);
  expect({ code, err }).toEqual({ code: 0, err: 'It is asked for. Ctrl-C ends the watching only.\n' });
  expect(out).toMatch(/^✓ Done: 5 files compared, .*\n$/);
  expect(await names()).toEqual(['kept.bin', 'study/a.bin', 'study/b.bin', 'study/c.bin', 'study/d.bin']);
  expect((await stat(join(lab.dir, '.cloud', 'environment.json'))).mode & 0o777).toBe(0o600);

  const { code: healthy, out: words } = await sync(['status']);
  expect(healthy).toBe(0);
  expect(words).toMatch(/^✓ The sync works\.\n\n {2}changes +read from Drive .*\n {2}push +Drive tells us/);
  expect(words).toMatch(
    /comparison +\d+ synced; \d+ B; \d+ quota units|changes +\d+ synced; \d+ B; \d+ quota units/,
  );
  expect(await status()).toMatchObject({
    healthy: true,
    held: [],
    skipped: [],
    comparison: { state: 'ended' },
  });
});

test('removals above the cap wait until somebody approves them', async () => {
  await lab.settled();
  await rm(join(lab.drive, 'study'), { recursive: true });
  await lab.settled();
  const { held } = await status();
  expect(held.length).toBeGreaterThan(1);
  const words = (await sync(['status'])).out;
  expect(words).toContain(`${held.length} removals wait for an answer\n  study/`);
  expect(words).toContain('npx gazeline sync now --approve-removals');

  const before = await names();
  const refused = await sync(['now', '--approve-removals']);
  expect(refused).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/There is nobody to ask.* --yes/),
  });
  expect(await names()).toEqual(before);

  const agreed = await sync(['now', '--approve-removals', '--yes', '--timeout', '0.2']);
  expect(agreed).toMatchObject({ code: 0, out: expect.stringContaining(`${held.length} removals approved`) });
  expect(await names()).toEqual(['kept.bin']);
  expect(await status()).toMatchObject({ held: [] });
  expect((await sync(['now', '--approve-removals'])).err).toContain('No removal waits for an answer.');
});

test('now --no-wait only asks; after Ctrl-C the work goes on', async () => {
  const asked = await sync(['now', '--no-wait']);
  expect(asked).toMatchObject({ code: 0, out: expect.stringMatching(/^It is asked for\./), err: '' });
  await lab.settled();

  await lab.fault({ service: 'drive', kind: 'latency', ms: 700 });
  await writeFile(join(lab.drive, 'later.bin'), 'later');
  const { code, err } = await sync(['now'], { interruptAt: 'Ctrl-C' });
  expect({ code, err }).toEqual({ code: 130, err: expect.stringContaining('the work goes on') });
  await lab.fault();
  await lab.settled();
  expect(await names()).toEqual(['kept.bin', 'later.bin']);
});

test('every verb has help with examples, and a misspelled one is understood', async () => {
  const verbs = ['status', 'plan', 'verify', 'now'];
  for (const { code, out } of await Promise.all(verbs.map((verb) => gazeline(['sync', verb, '--help'])))) {
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/Exit code: [\s\S]*Examples:\n {2}npx gazeline/),
    });
  }
  const { code, err } = await gazeline(['sync', 'verfy']);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('Did you mean verify?') });
  const { bin } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(bin).toEqual({ gazeline: 'cli/gazeline.ts' });
});

test('nobody who takes the work, a lab that was killed, and none at all are told in one line', async () => {
  await lab.fault({ service: 'pubsub', kind: 'lostPush' });
  const nobody = await sync(['now', '--timeout', '0.01']);
  expect(nobody).toMatchObject({ code: 2, err: expect.stringMatching(/\nNobody takes the work: .*\n$/) });

  await lab.kill();
  for (const dir of [lab.dir, join(lab.dir, 'nothing')]) {
    const { code, out, err } = await gazeline(['sync', 'status', '--dir', dir], { env: noLab });
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(/^No lab runs in .*npm start.*\n$/),
    });
  }
  // In a folder without a lab, and without GAZELINE_*.
  const { code, err } = await gazeline(['sync', 'status'], { env: noLab, cwd: lab.dir });
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining(`No lab runs in ${join(lab.dir, 'lab')}`),
  });
});
