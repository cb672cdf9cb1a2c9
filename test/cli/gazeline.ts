import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

const project = join(import.meta.dirname, '../..');
export const bin = join(project, 'cli/gazeline.ts');

export type Ran = { code: number | null; out: string; err: string };

export type RunOptions = {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Ctrl-C when this has been printed. */
  interruptAt?: string;
  /** What comes on standard input. */
  input?: string;
  /** Is given standard output as far as it has come. */
  onOutput?: (out: string) => void;
};

/** Runs the file that `npx gazeline` runs, by its first line, with the PATH that npx makes. */
export async function gazeline(
  args: string[],
  { env = {}, cwd, interruptAt, input, onOutput }: RunOptions = {},
): Promise<Ran> {
  const PATH = `${join(project, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
  const child = spawn(bin, args, {
    // Continuous integration counts as a terminal with colours.
    env: { ...process.env, NO_COLOR: '1', PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd ? { cwd } : {}),
  });
  child.stdin.on('error', () => {}).end(input ?? '');
  const ran: Ran = { code: null, out: '', err: '' };
  let interrupted = false;
  const read = (stream: 'out' | 'err') => (chunk: Buffer) => {
    ran[stream] += chunk;
    if (stream === 'out') onOutput?.(ran.out);
    if (interrupted || !interruptAt || !ran[stream].includes(interruptAt)) return;
    interrupted = true;
    child.kill('SIGINT');
  };
  child.stdout.on('data', read('out'));
  child.stderr.on('data', read('err'));
  ran.code = await new Promise((resolve) => child.once('close', resolve));
  return ran;
}

/** Without what a lab or a test has set. */
export const noLab = Object.fromEntries(
  ['PROJECT', 'LOCAL_CLOUD', 'STUDY_FOLDER', 'RAW_BUCKET', 'DERIVED_BUCKET', 'STATE_BUCKET'].map((name) => [
    `GAZELINE_${name}`,
    undefined,
  ]),
);

export const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
