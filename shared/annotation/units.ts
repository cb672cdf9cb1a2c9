import { type Allowance, allowance, dayOf } from '../allowance.ts';
import type { Records } from '../storage/records.ts';

export type Service = 'vision' | 'language';

/** The day's (UTC) ceiling on paid units of each service. Google's own budget notices are up to a day late. */
export type Units = Allowance<Service>;

export const unitsPerDay = (
  records: Records,
  ceiling: Record<Service, number>,
  { now }: { now: () => Date },
): Units => allowance(records, () => `units/${dayOf(now())}.json`, ceiling);

/** Not an error of the stimulus: it waits for a day that has units. */
export class OutOfUnits extends Error {
  override name = 'OutOfUnits';
  constructor(service: Service, count: number) {
    super(`${count} more units of ${service} would go over the ceiling of the day`);
  }
}
