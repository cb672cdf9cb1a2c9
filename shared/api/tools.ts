import type { Bucket } from '@google-cloud/storage';
import type { Config } from '../config.ts';
import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';

/** What routes work with. Clients that only some of them need are made when they are asked for. */
export type Tools = {
  config: Config;
  raw: Bucket;
  derived: Bucket;
  records: Records;
  publish: Publish;
  now: () => number;
};
