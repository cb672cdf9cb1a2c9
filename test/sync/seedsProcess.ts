import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud } from '../../deploy/local/cloud/cloud.ts';
import { useEnvironmentOf } from '../environment.ts';
import { runSeed, strike } from './runSeed.ts';

/* A process of `seeds.ts`: runs the seeds of its arguments over a local cloud of its own, and says of each how it went. */
export type Told = { seed: number; seconds: number; problem?: string };

const dir = await mkdtemp(join(tmpdir(), 'gazeline-seeds-'));
const cloud = await startCloud({ dir, random: strike });
useEnvironmentOf(cloud);
try {
  for (const seed of process.argv.slice(2).map(Number)) {
    const begin = performance.now();
    const problem = await runSeed(cloud, seed).then(
      () => undefined,
      (error: Error) => error.stack ?? String(error),
    );
    const told: Told = { seed, seconds: (performance.now() - begin) / 1000, ...(problem ? { problem } : {}) };
    console.log(JSON.stringify(told));
  }
} finally {
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
}
// What a killed life was waiting for, it waits for still.
process.exit();
