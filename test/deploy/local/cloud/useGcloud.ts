import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, test } from '@jest/globals';
import type { Cloud } from '../../../../deploy/local/cloud/cloud.ts';

const run = promisify(execFile);

const missing = (() => {
  try {
    execFileSync('gcloud', ['--version'], { stdio: 'ignore', timeout: 20_000 });
    return false;
  } catch {
    console.warn('gcloud is not installed, or does not start: its tests are skipped.');
    return true;
  }
})();
export const testGcloud = missing ? test.skip : test;

/** The real gcloud, with a home of its own, for a local cloud; `dir` is there inside a test. */
export function useGcloud(cloud: Pick<Cloud, 'project'>) {
  const used = {
    dir: '',
    /** @returns what it prints; @throws with what it prints to stderr */
    async gcloud(args: string[], settings: Record<string, string>): Promise<string> {
      const env = {
        PATH: process.env.PATH,
        HOME: used.dir,
        CLOUDSDK_CONFIG: join(used.dir, 'config'),
        CLOUDSDK_CORE_PROJECT: cloud.project,
        CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
        CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
        CLOUDSDK_AUTH_ACCESS_TOKEN: 'fake',
        ...settings,
      };
      return (await run('gcloud', args, { env, timeout: 60_000 })).stdout;
    },
  };
  beforeAll(async () => {
    used.dir = await mkdtemp(join(tmpdir(), 'gazeline-gcloud-'));
  });
  // One that ran into its time limit may still be writing.
  afterAll(() => rm(used.dir, { recursive: true, maxRetries: 5 }));
  return used;
}
