import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

export const keys = { enter: '\r', down: '\u001b[B', ctrlC: '\u0003' };

/** Python makes a pseudo-terminal without anything to compile. */
export const isPythonThere = (() => {
  try {
    execFileSync('python3', ['-c', 'import pty']);
    return true;
  } catch {
    return false;
  }
})();

const bridge = `
import os, pty, sys
status = pty.spawn(['sh', '-c', 'stty cols 140 rows 50 -echo; exec "$@"', 'sh'] + sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** A program on a terminal, and somebody who reads and types. */
export class Terminal {
  #child: ChildProcess;
  #seen = '';
  #from = 0;
  #changed: (() => void)[] = [];
  readonly ended: Promise<number>;

  constructor(command: string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn('python3', ['-c', bridge, ...command], { env: { ...env, TERM: 'xterm' } });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.ended = new Promise((done) =>
      this.#child.once('close', (code) => {
        this.#hear('');
        done(code ?? -1);
      }),
    );
  }

  /** All that was shown, without colours. Lines that were wrapped are whole again. */
  get text(): string {
    return stripVTControlCharacters(this.#seen)
      .replace(/\r/g, '')
      .replace(/[ \t]+/g, ' ');
  }

  /** Waits until it is shown, after what was waited for before. */
  async sees(what: string | RegExp, patience = 20_000): Promise<void> {
    const end = Date.now() + patience;
    for (;;) {
      const rest = this.text.slice(this.#from);
      const at = typeof what === 'string' ? rest.indexOf(what) : rest.search(what);
      if (at >= 0) {
        this.#from += at + (typeof what === 'string' ? what.length : 1);
        return;
      }
      if (Date.now() > end || this.#child.exitCode !== null)
        throw new Error(`${what} is not shown, but:\n${this.text}`);
      await new Promise<void>((done) => {
        this.#changed.push(done);
        setTimeout(done, 200).unref();
      });
    }
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits for a question and answers it. */
  async answer(question: string | RegExp, text: string): Promise<void> {
    await this.sees(question);
    // The question is shown a moment before it is listened to.
    await new Promise((done) => setTimeout(done, 100));
    this.type(text);
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #hear(text: string): void {
    this.#seen += text;
    for (const done of this.#changed.splice(0)) done();
  }
}
