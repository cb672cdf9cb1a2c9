import { readFile } from 'node:fs/promises';

/** Where they are from this file, and from the chunks of the bundle, which are flat. */
const places = ['../../deploy/google/', './', '../'];

/** What the machine of a job runs first, or that of a session last. */
export async function startupScript(of: 'machine' | 'session' = 'machine'): Promise<string> {
  for (const place of places) {
    try {
      return await readFile(new URL(`${place}${of}/start.sh`, import.meta.url), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`the start-up script of a ${of} is not there; was it built by npm run build?`);
}
