import { createInterface } from 'node:readline/promises';
import { Refusal } from '../shared/refusal.ts';

/**
 * Asks a person for a yes; anything else is a no.
 * @throws Refusal with `nobody` if there is no terminal to ask at
 */
export async function agrees(question: string, nobody: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Refusal(nobody);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  terminal.once('SIGINT', () => {
    console.error('\nNothing was done.');
    process.exit(130);
  });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch (error) {
    // Ctrl-D.
    if ((error as Error).name !== 'AbortError') throw error;
    console.error();
    return false;
  } finally {
    terminal.close();
  }
}
