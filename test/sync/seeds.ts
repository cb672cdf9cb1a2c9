import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError } from 'commander';
import pLimit from 'p-limit';
import pc from 'picocolors';
import type { Told } from './seedsProcess.ts';

type Options = { processes: number };

/** Of a client's stream, the killed lives of a storm wait for ever: each is one listener more. */
const quiet = ['ExperimentalWarning', 'MaxListenersExceededWarning'].map(
  (name) => `--disable-warning=${name}`,
);

/** Seeds that a process runs before another one takes over, so that none grows for ever. */
const batch = 20;

const program = new Command('npm run test:model --')
  .description(
    'People edit a Drive at random while everything fails at random; then it is quiet, and the bucket must be what\n' +
      'the folder is. The same seed does the same again, but for what runs side by side.',
  )
  .argument('[seeds]', 'one (`7`) or many (`1-5000`); 1-200 if nothing is said', seedsIn)
  .option('--processes <number>', 'how many at a time', whole, availableParallelism())
  .parse();
const { processes } = program.opts<Options>();
const [seeds = seedsIn('1-200')] = program.processedArgs as [number[] | undefined];

const begin = performance.now();
const limit = pLimit(processes);
// Their folders lie in it, so that nothing is left of a process that is killed.
const folder = await mkdtemp(join(tmpdir(), 'gazeline-seeds-'));
const children = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    limit.clearQueue();
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
const failed: Told[] = [];
let passed = 0;
const batches = Array.from({ length: Math.ceil(seeds.length / batch) }, (_, index) =>
  seeds.slice(index * batch, (index + 1) * batch),
);
await Promise.all(batches.map((some) => limit(run, some)));
await rm(folder, { recursive: true, force: true });
if (process.stderr.isTTY) process.stderr.write('\n');
const minutes = (performance.now() - begin) / 60_000;
console.log(
  `${passed} of ${seeds.length} seeds passed in ${minutes.toFixed(1)} minutes` +
    (failed.length > 0 ? `; these did not: ${failed.map(({ seed }) => seed).sort((a, b) => a - b)}` : ''),
);
process.exitCode = failed.length > 0 ? 1 : 0;

async function run(some: number[]): Promise<void> {
  const args = [...quiet, join(import.meta.dirname, 'seedsProcess.ts')];
  const child = spawn(process.execPath, [...args, ...some.map(String)], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.once('close', () => children.delete(child));
  let errors = '';
  child.stderr.on('data', (text) => {
    errors = (errors + text).slice(-4000);
  });
  const left = new Set(some);
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as Told;
    left.delete(told.seed);
    if (told.problem === undefined) passed++;
    else failed.push(told);
    progress(told);
  }
  for (const seed of left) {
    const told = { seed, seconds: 0, problem: `its process ended:\n${errors}` };
    failed.push(told);
    progress(told);
  }
}

/** A line that is written over again for a person; a line each minute or so for a log. */
function progress({ seed, problem }: Told): void {
  const done = passed + failed.length;
  const minutes = (performance.now() - begin) / 60_000;
  const rest = ((seeds.length - done) * minutes) / done;
  const text = `${done} of ${seeds.length} seeds, ${failed.length} failed, about ${rest.toFixed(0)} minutes left`;
  if (process.stderr.isTTY) process.stderr.write(`\r${text} `);
  else if (done % 50 === 0) console.error(text);
  if (problem !== undefined) console.error(`\n${pc.red(`seed ${seed}`)}\n${problem}`);
}

function seedsIn(text: string): number[] {
  const [, from, to = from] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (first >= 0 && last >= first && last - first < 1_000_000)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  throw new InvalidArgumentError('Expected a number, or two like 1-5000.');
}

function whole(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number <= 64) return number;
  throw new InvalidArgumentError('Expected a whole number from 1 to 64.');
}
