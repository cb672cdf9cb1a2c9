import type { Context } from '../service.ts';
import type { Clock } from './clock.ts';
import type { Notifier } from './notifier.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** What the routes of Billing share. */
export type Parts = {
  context: Context;
  tables: Tables;
  settings: Settings;
  clock: Clock;
  notifier: Notifier;
  random: () => number;
};
