import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { endChildren } from './sync/children.ts';

export type Measuring = {
  /** A folder that is removed at the end. */
  dir: string;
  /** What is done at the end as well, the last first. */
  closing: (() => Promise<void>)[];
  /** A line for who waits, with the seconds since the beginning. */
  progress(text: string): void;
};

/** Begins to count the seconds that each line of progress has. */
export function startProgress(): Measuring['progress'] {
  const begin = performance.now();
  return (text) =>
    console.error(`${pc.dim(`${((performance.now() - begin) / 1000).toFixed(0).padStart(4)} s`)} ${text}`);
}

/** Measures, and leaves nothing behind: no file and no process, also when it fails or is interrupted. */
export async function measuring(measure: (measuring: Measuring) => Promise<void>): Promise<never> {
  const dir = await mkdtemp(join(tmpdir(), 'gazeline-bench-'));
  const closing: Measuring['closing'] = [
    () => rm(dir, { recursive: true, force: true, maxRetries: 5 }),
    endChildren,
  ];
  const progress = startProgress();
  const interrupted = new Promise<'interrupted'>((done) => {
    process.once('SIGINT', () => done('interrupted'));
    process.once('SIGTERM', () => done('interrupted'));
  });
  try {
    const ended = await Promise.race([measure({ dir, closing, progress }), interrupted]);
    if (ended === 'interrupted') process.exitCode = 130;
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  for (const close of closing.toReversed()) await close();
  // Of what was interrupted, something may still wait.
  process.exit();
}

/** @throws if there is no room for so many bytes */
export async function refuseFullDisk(bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize >= bytes) return;
  throw new Error(`${tmpdir()} has no room for ${bytes} bytes. Set TMPDIR, or measure with less.`);
}

/** For an option of the command line. */
export function whole(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}
