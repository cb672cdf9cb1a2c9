import type { CostRecord } from './costRecord.ts';
import { dayAt } from './period.ts';
import { costOfUnits } from './unitPrices.ts';

/** Of a free trial or another credit. */
export type CreditSettings = {
  creditLeft?: number | undefined;
  /** The day at whose beginning that was left. */
  creditLeftOn?: string | undefined;
  /** Its last day. */
  creditEnds?: string | undefined;
};

export type Credit = {
  /** US dollars. */
  left: number;
  /** At the present rate. */
  days?: number;
  /** Which of both is first. */
  endsBy?: 'being spent' | 'its date';
  /** Nobody counted at the beginning, so that less may be left. */
  isPartlyKnown: boolean;
};

/** What is left of a credit, and for how many days at the present rate. */
export function creditOf(
  { days, units, since, asOf }: CostRecord,
  { creditLeft, creditLeftOn, creditEnds }: CreditSettings,
  perHour: number,
): Credit | undefined {
  if (creditLeft === undefined) return undefined;
  const now = Date.parse(asOf);
  const first = creditLeftOn ?? dayAt(Date.parse(since)).name;
  const spent = sumFrom(first, days) + sumFrom(first, costsOf(units));
  const left = Math.max(0, creditLeft - spent);
  const bySpending = perHour > 0 ? left / (24 * perHour) : Number.POSITIVE_INFINITY;
  const byDate = creditEnds === undefined ? Number.POSITIVE_INFINITY : daysUntilEndOf(creditEnds, now);
  const least = Math.min(bySpending, byDate);
  const isPartlyKnown = first < dayAt(Date.parse(since)).name;
  if (!Number.isFinite(least)) return { left, isPartlyKnown };
  return { left, days: least, endsBy: bySpending <= byDate ? 'being spent' : 'its date', isPartlyKnown };
}

const costsOf = (units: CostRecord['units']): Record<string, number> =>
  Object.fromEntries(Object.entries(units).map(([day, used]) => [day, costOfUnits(used)]));

const sumFrom = (first: string, sums: Record<string, number>): number =>
  Object.entries(sums)
    .filter(([day]) => day >= first)
    .reduce((sum, [, cost]) => sum + cost, 0);

/** By noon of it in Greenwich, a day has begun on the Pacific coast, and no other has. */
const daysUntilEndOf = (day: string, now: number): number =>
  Math.max(0, dayAt(Date.parse(`${day}T12:00:00Z`)).end - now) / (24 * 3_600_000);
