import { test } from '@jest/globals';
import { useLocalCloud } from '../localCloud.ts';
import { runSeed, strike } from './runSeed.ts';

/* A few seeds; `npm run test:model -- 1-5000` runs as many as that, and `-- 7` one of them. */
const cloud = useLocalCloud({ random: strike });
/** Seeds that found something once. */
const kept: number[] = [];

test.each([...kept, 1, 2, 3, 4])(
  'seed %i: whatever people did and whatever failed, in the end the bucket is what the folder is',
  (seed) => runSeed(cloud, seed),
  120_000,
);
