import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settled } from '../../deploy/local/settled.ts';
import { gazeline, noLab } from '../cli/gazeline.ts';

/** What a person does who has read the first lines that `npm start` prints. */
let dir: string;
let lab: ChildProcess;
let output = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline job '));
  const main = join(import.meta.dirname, '../../deploy/local/main.ts');
  lab = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, '--port', '0', '--dir', dir],
    {
      env: { ...process.env, NO_COLOR: '1' },
    },
  );
  for (const stream of [lab.stdout, lab.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
});
afterAll(async () => {
  const ended = new Promise((resolve) => lab.once('exit', resolve));
  lab.kill('SIGINT');
  await ended;
  await rm(dir, { recursive: true, force: true });
});

async function printed(pattern: RegExp): Promise<string> {
  for (let tries = 0; tries < 2000; tries++) {
    const found = pattern.exec(output);
    if (found) return found[1] ?? found[0];
    await sleep(50);
  }
  throw new Error(`The lab did not print ${pattern}: ${output}`);
}

const job = (...args: string[]) => gazeline(['job', ...args, '--dir', dir], { env: { ...noLab, TZ: 'UTC' } });

test('the example job, dropped into the Drive folder, trains on the annotations; its results and history are there', async () => {
  const origin = await printed(/local cloud: +(http:\S+)/);
  await printed(/To run a job, .*cp '.*train\.job\.yaml' '.*drive'\//);
  await printed(/synced/);
  await settled(origin);

  await copyFile(join(dir, 'train.job.yaml'), join(dir, 'drive', 'train.job.yaml'));
  const id = await printed(/✓ job +(train-[0-9a-f]{8}) from train\.job\.yaml/);
  const log = await job('logs', 'train', '-f');
  expect(log).toMatchObject({ code: 0 });
  expect(log.out).toMatch(/\nepoch 300\/300 {2}loss 0\.\d+ {2}accuracy on held-out words 0\.\d+\n/);
  expect(log.err).toMatch(
    /… queued\n(.*\n)*.*▸ starting e2-standard-2 in .*\n(.*\n)*✓ succeeded {2}cost: .*\n$/,
  );
  await printed(new RegExp(`✓ succeeded +${id}`));

  const results = join(dir, 'buckets', 'derived', 'jobs', id, 'results');
  const { heldOut, annotatedBy, pages } = JSON.parse(await readFile(join(results, 'model.json'), 'utf8'));
  expect(heldOut.accuracy).toBeGreaterThan(heldOut.baseline + 0.1);
  expect(annotatedBy).toEqual(['language.googleapis.com (local models)']);
  expect(pages['stimuli/pages/page-1.png'].length).toBeGreaterThan(20);
  expect(await readFile(join(results, 'report.md'), 'utf8')).toMatch(/^# Which words carry content\?\n/);

  const { out } = await job('show', id);
  expect(out).toMatch(/^train-\w+ {2}✓ succeeded\n/);
  expect(out).toMatch(/ by study folder\n {2}runs +script train\.py\n {2}parameters +epochs=300 rate=1\n/);
  expect(out).toMatch(/ at HEAD \([0-9a-f]{12}\)\n {2}inputs +derived\/annotations\/\n/);
  expect(out).toMatch(`\n  results     2 files, `);
  expect(out).toMatch(/\nAttempt 1 {2}succeeded\n {2}machine +e2-standard-2 \(cpu:2\) in \S+, spot\n/);
  expect(out).toMatch(
    /\nLast report {2}finished, number \d+ of attempt 1, at .*\n {2}use +CPU \d+ %; .* of the disk free\n/,
  );
  expect(out).toMatch(/\nHistory\n.* … queued\n.* … placing +attempt 1\n/);

  const { items } = (await (
    await fetch(`${origin}/compute/v1/projects/gazeline-local/aggregated/instances`)
  ).json()) as { items: Record<string, { instances?: unknown[] }> };
  expect(Object.values(items).flatMap(({ instances = [] }) => instances)).toEqual([]);
}, 180_000);

test('what is wrong with a job file is told where the person looks, and the file may be put right', async () => {
  const file = join(dir, 'drive', 'second.job.yaml');
  await writeFile(file, 'name: Second\ncomand: echo hello\n');
  await printed(/✗ refused +.*there is no field “comand”; did you mean “command”\?/);
  const written = await readFile(join(dir, 'train.job.yaml'), 'utf8');
  const [, repository] = /^repository: (.*)$/m.exec(written) ?? [];
  await writeFile(
    file,
    `name: Second\nrepository: ${repository}\ncommand: echo hello\naccelerators: cpu:2\n`,
  );
  await printed(/✓ succeeded +second-[0-9a-f]{8}/);
  expect((await job('logs', 'second')).out).toMatch(/\nhello\n/);
}, 120_000);
