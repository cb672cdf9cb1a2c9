import { readFile } from 'node:fs/promises';

/** Where it is from this file, and from the chunks of the bundle, which are flat. */
const places = ['../../deploy/google/machine/start.sh', './machine/start.sh', '../machine/start.sh'];

/** What a machine runs first. */
export async function startupScript(): Promise<string> {
  for (const place of places) {
    try {
      return await readFile(new URL(place, import.meta.url), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('the start-up script of machines is not there; was it built by npm run build?');
}
