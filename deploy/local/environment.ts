import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const Environment = z.record(z.string(), z.string());

/** While a lab runs, its functions' environment lies here, so that `npx gazeline` speaks to the same cloud. */
const fileIn = (dir: string) => join(dir, '.cloud', 'environment.json');

export function leaveEnvironment(dir: string, env: Record<string, string>): void {
  const file = fileIn(dir);
  // It names the key and holds the secret of the push channels.
  writeFileSync(`${file}.new`, JSON.stringify(env, undefined, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
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
