import { createInterface } from 'node:readline/promises';
import { Refusal } from '../shared/refusal.ts';

/**
 * Asks a person for a yes; anything else is a no.
 * @throws Refusal with `nobody` if there is no terminal to ask at
 */
export async function agrees(question: string, nobody: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Refusal(nobody);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
