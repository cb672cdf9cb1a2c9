import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { Interrupted } from './stop.ts';

/** A program that we started said no. Its own words are in `output`. */
export class Failed extends Error {
  override name = 'Failed';
  readonly command: string;
  readonly output: string;

  constructor(command: string, output: string) {
    super(`${command} failed`);
    this.command = command;
    // Some colour their complaints whoever reads them.
    this.output = stripVTControlCharacters(output);
  }
}

export type Options = {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Called with each line of its standard output. */
  onLine?: (line: string) => void;
};

/**
 * Runs a program to its end and gives what it printed. Ctrl-C reaches it from the terminal, as it reaches us; so we wait
 * for it: Terraform then still writes down what it has made.
 * @throws Failed, Interrupted
 */
export async function run(program: string, args: string[], options: Options = {}): Promise<string> {
  const { env = {}, cwd, onLine } = options;
  const command = [program, ...args].join(' ');
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd ? { cwd } : {}),
  });
  let wasInterrupted = false;
  const wait = () => {
    wasInterrupted = true;
  };
  process.on('SIGINT', wait);
  try {
    let printed = '';
    let complained = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complained += text;
    });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      printed += `${line}\n`;
      onLine?.(line);
    });
    const linesEnded = new Promise((done) => lines.once('close', done));
    const code = await new Promise<number | null>((done, refuse) => {
      child.once('error', refuse);
      child.once('close', done);
    });
    await linesEnded;
    if (wasInterrupted) throw new Interrupted();
    if (code !== 0) throw new Failed(command, complained || printed);
    return printed;
  } finally {
    process.off('SIGINT', wait);
  }
}
