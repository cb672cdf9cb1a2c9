import type { Context } from '../service.ts';
import type { Buckets } from './buckets.ts';
import type { Followers } from './followers.ts';
import type { Generations } from './generations.ts';
import type { Sessions } from './sessions.ts';

/** What the methods of Cloud Storage are made of; each file with a method takes what it needs. */
export type Parts = {
  context: Context;
  buckets: Buckets;
  generations: Generations;
  sessions: Sessions;
  followers: Followers;
};
