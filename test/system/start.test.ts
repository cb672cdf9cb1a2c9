import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-start-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const main = join(import.meta.dirname, '../../deploy/local/main.ts');

/** Runs what `npm start -- …` runs. `interruptAt`: Ctrl-C when this has been printed. */
async function start(args: string[], interruptAt?: string) {
  // Continuous integration counts as a terminal with colours: https://github.com/alexeyraspopov/picocolors#readme
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env });
  let output = '';
  let interrupted = false;
  const read = (chunk: Buffer) => {
    output += chunk;
    if (interrupted || !interruptAt || !output.includes(interruptAt)) return;
    interrupted = true;
    child.kill('SIGINT');
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  return { code, output };
}

test('npm start -- --once brings and annotates the example study, prints what was made, and ends with 0', async () => {
  const lab = join(dir, 'once');
  const { code, output } = await start(['--once', '--port', '0', '--dir', lab]);
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/✓ synced +stimuli\/\S+\.png/);
  expect(output).toMatch(/✓ annotated +stimuli\/\S+\.png .*\d+ words/);
  expect(output).toMatch(/known content, not paid again/);
  expect(output).toMatch(/│ stimuli\/\S+\.txt .*│ local models +│/);
  expect(output).not.toMatch(/[!✗] /);

  // What a person opens in the folder of the buckets is what lies in the folder of the Drive.
  const names = (await readdir(join(lab, 'drive'), { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  );
  expect(names.length).toBeGreaterThan(5);
  for (const { parentPath, name } of names) {
    const file = join(parentPath, name);
    const object = file.replace(join(lab, 'drive'), join(lab, 'buckets', 'raw'));
    expect((await readFile(object)).equals(await readFile(file))).toBe(true);
  }
}, 60_000);

test('Ctrl-C ends it cleanly, and the next start goes on where it was', async () => {
  const lab = join(dir, 'again');
  await mkdir(join(lab, 'drive'), { recursive: true });
  await writeFile(join(lab, 'drive', 'one.txt'), 'The first text came in the morning.');
  const first = await start(['--port', '0', '--dir', lab], 'annotated');
  expect(first).toMatchObject({ code: 0, output: expect.stringContaining('one.txt') });
  // By this, npx gazeline would think that it still runs.
  expect(existsSync(join(lab, '.cloud', 'environment.json'))).toBe(false);

  await writeFile(join(lab, 'drive', 'two.txt'), 'The second text came while nobody looked.');
  const second = await start(['--once', '--port', '0', '--dir', lab]);
  expect(second.code).toBe(0);
  expect(second.output).toMatch(/synced +two\.txt/);
  expect(second.output).not.toMatch(/synced +one\.txt/);
  expect(second.output).toMatch(/│ one\.txt/);
}, 60_000);

test('--fresh forgets the buckets and keeps the files', async () => {
  const lab = join(dir, 'fresh');
  await mkdir(join(lab, 'drive'), { recursive: true });
  await writeFile(join(lab, 'drive', 'kept.txt'), 'This file stays where it is.');
  await start(['--once', '--port', '0', '--dir', lab]);
  await writeFile(join(lab, 'buckets', 'raw', 'left over'), '');
  const { code, output } = await start(['--once', '--fresh', '--port', '0', '--dir', lab]);
  expect(code).toBe(0);
  expect(output).toMatch(/synced +kept\.txt/);
  expect(existsSync(join(lab, 'buckets', 'raw', 'left over'))).toBe(false);
}, 60_000);

test('a port in use, a file for a folder, a folder of something else and a bad option are refused in one line', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const taken = await start(['--once', '--port', String(port), '--dir', join(dir, 'port')]);
  server.close();
  expect(taken).toMatchObject({ code: 1, output: expect.stringMatching(/^Port \d+ is in use\. .*\n$/) });

  await writeFile(join(dir, 'a file'), '');
  const file = await start(['--once', '--dir', join(dir, 'a file')]);
  expect(file).toMatchObject({ code: 1, output: expect.stringMatching(/^.*is not a folder\.\n$/) });

  const thesis = join(dir, 'other');
  await mkdir(thesis);
  await writeFile(join(thesis, 'thesis.tex'), '');
  const other = await start(['--once', '--dir', thesis]);
  expect(other).toMatchObject({ code: 1, output: expect.stringMatching(/^.*holds other things\. .*\n$/) });

  const option = await start(['--port', 'http']);
  expect(option).toMatchObject({ code: 1, output: expect.stringMatching(/^error: option '--port.*\n$/) });
});
