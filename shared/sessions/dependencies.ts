import type { Bucket } from '@google-cloud/storage';
import type { PeriodKind } from '../budget/period.ts';
import type { Limits } from '../jobs/limits.ts';
import type { Log } from '../log.ts';
import type { PriceTable } from '../machines/priceTable.ts';
import type { Records } from '../storage/records.ts';
import type { SessionSettings } from './instanceBody.ts';
import type { Instances } from './instances.ts';

export type SessionDependencies = {
  records: Records;
  derived: Bucket;
  instances: Instances;
  settings: SessionSettings;
  /** `deploy/google/session/start.sh`. */
  script: () => Promise<string>;
  prices: PriceTable;
  /** The only regions where machines may be; undefined for all. */
  regions: string[] | undefined;
  limits?: Limits & { periodKind: PeriodKind };
  log: Log;
  now: () => number;
};

/** `again`: there is more to do at once. `later`: it waits for Workbench. `done`: nothing is under way. */
export type Step = 'again' | 'later' | 'done';
