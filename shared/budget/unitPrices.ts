import * as z from 'zod';
import { dayOf } from '../allowance.ts';
import type { Records } from '../storage/records.ts';
import type { CostRecord } from './costRecord.ts';
import type { Period } from './period.ts';

/**
 * US dollars of one unit. What was asked for is not written down with the units, so it is the dearest of the features that
 * run by themselves, and those that are free each month are not taken off: it is less, and never more.
 * https://cloud.google.com/vision/pricing (objects), https://cloud.google.com/natural-language/pricing (entities)
 */
export const unitPrices = { vision: 0.00225, language: 0.001 };

const Taken = z.object({ vision: z.number().default(0), language: z.number().default(0) });

/** With the units of all days of the period; of days that are over, only those that are not known yet are read. */
export async function readUnits(
  records: Records,
  known: CostRecord['units'],
  period: Period,
  now: number,
): Promise<CostRecord['units']> {
  const units = { ...known };
  const yesterday = dayOf(new Date(now - day));
  for (const name of daysOf(period, now)) {
    if (name < yesterday && units[name]) continue;
    const taken = (await records.read(`units/${name}.json`, Taken))?.value;
    units[name] = taken ?? units[name] ?? { vision: 0, language: 0 };
  }
  return units;
}

/** Dollars of units in a period. */
export function unitsIn(units: CostRecord['units'], period: Period, now: number) {
  const sum = { vision: 0, language: 0 };
  for (const name of daysOf(period, now)) {
    sum.vision += units[name]?.vision ?? 0;
    sum.language += units[name]?.language ?? 0;
  }
  return sum;
}

export const costOfUnits = ({ vision, language }: { vision: number; language: number }): number =>
  vision * unitPrices.vision + language * unitPrices.language;

/** UTC days, whose noon is in the period: they are counted by other days than those of budgets. */
function daysOf({ start, end }: Period, now: number): string[] {
  const names: string[] = [];
  const last = Math.min(Date.parse(end), now + day / 2);
  for (let noon = Date.parse(`${start.slice(0, 10)}T12:00:00Z`); noon < last; noon += day)
    names.push(dayOf(new Date(noon)));
  return names;
}
const day = 24 * 3_600_000;
