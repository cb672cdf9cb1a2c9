import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { type Cloud, type CloudOptions, startCloud } from '../deploy/local/cloud/cloud.ts';
import { useEnvironmentOf } from './environment.ts';

/**
 * A local cloud over a new folder for the tests of one file; read `cloud.origin` and the like inside a test. The
 * environment is set as on a deployed function, so that `shared/clients.ts` gives Google's clients for this cloud.
 */
export function useLocalCloud(options: Partial<CloudOptions> = {}): Cloud & { dir: string } {
  const used = {} as Cloud & { dir: string };
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
    Object.assign(used, await startCloud({ dir, ...options }), { dir });
    useEnvironmentOf(used);
  });
  afterAll(async () => {
    await used.close();
    await rm(used.dir, { recursive: true });
  });
  return used;
}
