import { join, resolve } from 'node:path';
import { readEnvironment, takeEnvironment } from '../deploy/local/environment.ts';
import { config } from '../shared/config.ts';
import { Refusal } from '../shared/refusal.ts';

export type Where = { dir?: string };

/**
 * Makes the clients of this process speak to a lab: to the local one in `dir`; if none is named, to the one that the
 * GAZELINE_* environment describes, as it does for a function; else to the local one in `lab`.
 * @throws Refusal if there is none
 */
export async function connect({ dir }: Where): Promise<void> {
  if (dir !== undefined || !process.env.GAZELINE_PROJECT) {
    const folder = resolve(dir ?? 'lab');
    const env = readEnvironment(folder);
    if (!env) throw notRunning(folder);
    if (!(await answers(env.GAZELINE_LOCAL_CLOUD))) throw notRunning(folder);
    takeEnvironment(env);
  }
  let localCloud: string | undefined;
  try {
    ({ localCloud } = config());
  } catch (error) {
    throw new Refusal((error as Error).message, { cause: error });
  }
  // Google's clients would try for a minute.
  if (localCloud && !(await answers(localCloud)))
    throw new Refusal(`No local cloud answers at ${localCloud}. Start it with npm start.`);
}

const notRunning = (folder: string) =>
  new Refusal(
    `No lab runs in ${join(folder)}. Start one with npm start in another terminal, name its folder with --dir, ` +
      'or set the GAZELINE_* variables of a real one.',
  );

async function answers(origin: string | undefined): Promise<boolean> {
  try {
    const answer = await fetch(`${origin}/`, { signal: AbortSignal.timeout(5000) });
    return ((await answer.json()) as { name?: string }).name === 'Gazeline local cloud';
  } catch {
    return false;
  }
}
