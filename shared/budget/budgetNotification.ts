import * as z from 'zod';
import { clean } from '../clean.ts';
import { Unprocessable } from '../unprocessable.ts';
import { type Billed, largest, smallestBudget } from './figures.ts';
import { type PeriodKind, periodBeginning } from './period.ts';

export type NotificationSettings = {
  /** The ids of the budgets that count; notifications of any other may reach the topic as well. */
  budgets: string[];
  /** Of the budgets' billing account; undefined where it is not checked. */
  billingAccount: string | undefined;
  currency: string;
  periodKind: PeriodKind;
};

const Attributes = z.object({
  billingAccountId: z.string().min(1).max(100),
  budgetId: z.string().min(1).max(100),
  schemaVersion: z.string(),
});

const share = z.number().nonnegative().max(largest);

/** https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification_format */
const Data = z.object({
  budgetDisplayName: z.string().default(''),
  costAmount: z.number().min(-largest).max(largest),
  costIntervalStart: z.iso.datetime({ offset: true }),
  budgetAmount: z.number().max(largest),
  budgetAmountType: z.string().max(100).optional(),
  currencyCode: z.string().max(10),
  // Missing until a threshold is passed, which is normal: https://github.com/deep-rock-development/auto-stop-firebase-ext/issues/5
  alertThresholdExceeded: share.nullish(),
  forecastThresholdExceeded: share.nullish(),
});

/**
 * A notification of a budget, if it is one of ours and can be believed. Which threshold it says was passed does not
 * matter: it says so again and again, and leaves it out, so that only the cost counts.
 * @throws Unprocessable with what is wrong
 */
export function budgetNotification(
  { attributes, data }: { attributes: Record<string, string>; data: unknown },
  { budgets, billingAccount, currency, periodKind }: NotificationSettings,
  now: number,
): Billed {
  const about = parse(Attributes, attributes, 'the attributes of a budget notification');
  if (about.schemaVersion !== '1.0')
    throw refused(`its schemaVersion is ${shown(about.schemaVersion)}; expected 1.0`);
  if (budgets.length === 0) throw refused('no budget is on the list: GAZELINE_BUDGETS is not set');
  if (!budgets.includes(about.budgetId))
    throw refused(`the budget ${shown(about.budgetId)} is not on the list of GAZELINE_BUDGETS`);
  if (billingAccount !== undefined && about.billingAccountId !== billingAccount)
    throw refused(`the billing account is ${shown(about.billingAccountId)}; expected ${billingAccount}`);

  const said = parse(Data, data, 'a budget notification');
  if (said.currencyCode !== currency)
    throw refused(`its currency is ${shown(said.currencyCode)}; expected ${currency}`);
  if (said.budgetAmount < smallestBudget)
    throw refused(`the budget is ${said.budgetAmount} ${currency}; expected a positive amount`);
  const start = Date.parse(said.costIntervalStart);
  const period = periodBeginning(start, periodKind);
  if (!period)
    throw refused(
      `costIntervalStart is ${said.costIntervalStart}, which is not the beginning of a ${periodKind} in US Pacific time`,
    );
  // Believed, it would make all that is true now look older.
  if (Date.parse(period.start) > now + skew)
    throw refused(`costIntervalStart is ${said.costIntervalStart}, which is in the future`);
  const forecast = said.forecastThresholdExceeded;
  return {
    kind: 'billed',
    budgetId: about.budgetId,
    name: clean(said.budgetDisplayName).slice(0, 100),
    period,
    cost: said.costAmount,
    amount: said.budgetAmount,
    currency,
    ...(typeof forecast === 'number' ? { forecast } : {}),
  };
}

/** Our clock may be behind Google's. */
export const skew = 3_600_000;

const refused = (words: string) => new Unprocessable(`a budget notification is not believed: ${words}`);
const shown = (text: string) => `“${clean(text).slice(0, 100)}”`;

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Unprocessable(`not ${what}: ${z.prettifyError(parsed.error)}`);
}
