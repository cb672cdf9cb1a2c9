import type { Machines } from '../compute/machines.ts';
import type { Context } from '../service.ts';
import type { StorageService } from '../storage/storage.ts';
import type { Clock } from './clock.ts';
import type { Descriptor } from './descriptors.ts';
import type { Tables } from './series/tables.ts';
import type { Settings } from './settings.ts';

/** What the parts of Monitoring share. */
export type Parts = {
  context: Context;
  settings: Settings;
  clock: Clock;
  tables: Tables;
  machines: Machines;
  /** What the buckets hold now. */
  stored: StorageService['stored'];
  /** Google's own, and what users have written. */
  descriptorOf(type: string): Descriptor | undefined;
};
