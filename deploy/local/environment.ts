import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const Environment = z.record(z.string(), z.string());

const fileIn = (dir: string) => join(dir, '.cloud', 'environment.json');

const isOurs = (variable: string) =>
  variable.startsWith('GAZELINE_') || variable === 'GOOGLE_APPLICATION_CREDENTIALS';

/** While a lab runs, what its functions are told lies in a file, so that `npx gazeline` is told the same. */
export function leaveEnvironment(dir: string): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => isOurs(variable)));
  const file = fileIn(dir);
  // It names the key and holds the secret of the push channels.
  writeFileSync(`${file}.new`, JSON.stringify(env, undefined, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Makes the environment of this process that of the functions, with nothing left of another lab's. */
export function takeEnvironment(env: Record<string, string>): void {
  for (const variable of Object.keys(process.env).filter(isOurs)) delete process.env[variable];
  Object.assign(process.env, env);
}

export function forgetEnvironment(dir: string): void {
  rmSync(fileIn(dir), { force: true });
}

/** @returns undefined if no lab runs there; one that was killed may have left it behind. */
export function readEnvironment(dir: string): Record<string, string> | undefined {
  try {
    return Environment.parse(JSON.parse(readFileSync(fileIn(dir), 'utf8')));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR'].includes(code)) return undefined;
    throw error;
  }
}
