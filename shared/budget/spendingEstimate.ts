import * as z from 'zod';
import { Unprocessable } from '../unprocessable.ts';
import { skew } from './budgetNotification.ts';
import { type Estimated, largest } from './figures.ts';
import { type PeriodKind, periodBeginning } from './period.ts';

const money = z.number().nonnegative().max(largest);

/** What `cost-tick` publishes to `budget-notified` as `{ estimate: … }`. */
export const SpendingEstimate = z.strictObject({
  /** The beginning of the period that it is of, as `periodAt` says. */
  periodStart: z.iso.datetime(),
  /** All that has been spent in this period so far, in the currency of the budget. */
  cost: money,
  currency: z.string().max(10),
  /** What runs now costs an hour. */
  perHour: money.optional(),
  /** What it comes to by the end of the period if it goes on like this. */
  forecastCost: money.optional(),
  /** What of that no stop ends, as disks: from now to the end of the period. */
  boundCost: money.optional(),
  /** The moment that it is reckoned for. */
  asOf: z.iso.datetime(),
});
export type SpendingEstimate = z.infer<typeof SpendingEstimate>;

/** @throws Unprocessable with what is wrong */
export function spendingEstimate(
  given: unknown,
  { currency, periodKind }: { currency: string; periodKind: PeriodKind },
  now: number,
): Estimated {
  const parsed = SpendingEstimate.safeParse(given);
  if (!parsed.success)
    throw new Unprocessable(`not an estimate of spending: ${z.prettifyError(parsed.error)}`);
  const { periodStart, ...rest } = parsed.data;
  if (rest.currency !== currency)
    throw new Unprocessable(`the currency of an estimate is not ${currency}, which the budget has`);
  const period = periodBeginning(Date.parse(periodStart), periodKind);
  if (!period || Date.parse(period.start) > now + skew || Date.parse(rest.asOf) > now + skew)
    throw new Unprocessable(`an estimate is of ${rest.asOf}, in a period from ${periodStart}`);
  const { perHour, forecastCost, boundCost, ...known } = rest;
  return {
    kind: 'estimated',
    period,
    ...known,
    ...(perHour === undefined ? {} : { perHour }),
    ...(forecastCost === undefined ? {} : { forecastCost }),
    ...(boundCost === undefined ? {} : { boundCost }),
  };
}
