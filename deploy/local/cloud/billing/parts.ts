import type { Context } from '../service.ts';
import type { Clock } from './clock.ts';
import type { Meter } from './meter.ts';
import type { Notifier } from './notifier.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** What the routes of Billing share. */
export type Parts = {
  context: Context;
  tables: Tables;
  settings: Settings;
  clock: Clock;
  meter: Meter;
  notifier: Notifier;
  /** A number from a range of seconds, in milliseconds. */
  draw: (range: [number, number]) => number;
};
