import * as z from 'zod';
import { GoogleError } from '../googleError.ts';
import { currency } from './account.ts';

const int64 = z.union([z.string().regex(/^-?\d{1,18}$/), z.int()]).transform(String);
const Money = z.strictObject({
  currencyCode: z.string().optional(),
  units: int64.optional(),
  nanos: z.int().min(0).max(999_999_999).optional(),
});

/**
 * What a client may say of a budget. What has no effect here is kept and shown again.
 * https://cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets
 */
const BudgetRequest = z.strictObject({
  name: z.string().optional(),
  displayName: z.string().max(60).optional(),
  amount: z
    .strictObject({ specifiedAmount: Money.optional(), lastPeriodAmount: z.strictObject({}).optional() })
    .refine(
      ({ specifiedAmount, lastPeriodAmount }) => Boolean(specifiedAmount) !== Boolean(lastPeriodAmount),
      'expected specifiedAmount or lastPeriodAmount',
    )
    .optional(),
  thresholdRules: z
    .array(
      z.strictObject({
        thresholdPercent: z.number().nonnegative(),
        spendBasis: z.enum(['CURRENT_SPEND', 'FORECASTED_SPEND', 'BASIS_UNSPECIFIED']).optional(),
      }),
    )
    .optional(),
  budgetFilter: z
    .strictObject({
      calendarPeriod: z.enum(['MONTH', 'QUARTER', 'YEAR', 'CALENDAR_PERIOD_UNSPECIFIED']).optional(),
      projects: z.array(z.string().regex(/^projects\/[^/]+$/)).optional(),
      services: z.array(z.string().regex(/^services\/[^/]+$/)).optional(),
      creditTypesTreatment: z.string().optional(),
      creditTypes: z.array(z.string()).optional(),
      labels: z.record(z.string(), z.unknown()).optional(),
      resourceAncestors: z.array(z.string()).optional(),
      subaccounts: z.array(z.string()).optional(),
    })
    .optional(),
  notificationsRule: z
    .strictObject({
      pubsubTopic: z
        .string()
        .regex(/^projects\/[^/]+\/topics\/[^/]+$/, 'expected projects/P/topics/T')
        .optional(),
      schemaVersion: z.string().optional(),
      monitoringNotificationChannels: z.array(z.string()).max(5).optional(),
      disableDefaultIamRecipients: z.boolean().optional(),
      enableProjectLevelRecipients: z.boolean().optional(),
    })
    .refine(({ pubsubTopic, schemaVersion }) => !pubsubTopic || schemaVersion === '1.0', {
      error: 'schemaVersion: only "1.0" is accepted',
    })
    .optional(),
  ownershipScope: z.string().optional(),
  etag: z.string().optional(),
});
export type BudgetRequest = z.infer<typeof BudgetRequest>;

export type Budget = Omit<BudgetRequest, 'name' | 'amount' | 'etag'> & {
  name: string;
  amount: NonNullable<BudgetRequest['amount']>;
  etag: string;
  /** When the next notification is sent, by Billing's clock; none without a topic. */
  nextAt?: number;
};

const invalid = (message: string) => new GoogleError(400, 'badRequest', message);

/** @throws 400 that says what is wrong */
export function readBudget(body: unknown): BudgetRequest {
  const { budgetFilter, spendCap } = (body ?? {}) as { budgetFilter?: object; spendCap?: unknown };
  if (spendCap || (budgetFilter && 'customPeriod' in budgetFilter))
    throw new GoogleError(501, 'notImplemented', 'The local budgets have calendar periods and no spend caps');
  const budget = BudgetRequest.safeParse(body ?? {});
  if (!budget.success) throw invalid(z.prettifyError(budget.error));
  return budget.data;
}

/** @throws 400 if something needed is missing */
export function makeBudget(name: string, request: BudgetRequest, etag: string): Budget {
  const { amount, name: _, etag: __, ...rest } = request;
  if (!amount) throw invalid('Budget.amount is required.');
  const { specifiedAmount } = amount;
  if (specifiedAmount && (specifiedAmount.currencyCode ?? currency) !== currency)
    throw invalid(
      `Budget.amount.specified_amount.currency_code must be ${currency}, as the billing account's.`,
    );
  const filled = specifiedAmount
    ? { specifiedAmount: { ...specifiedAmount, currencyCode: currency } }
    : amount;
  const calendarPeriod = rest.budgetFilter?.calendarPeriod ?? 'MONTH';
  const budgetFilter = {
    creditTypesTreatment: 'INCLUDE_ALL_CREDITS',
    ...rest.budgetFilter,
    calendarPeriod: calendarPeriod === 'CALENDAR_PERIOD_UNSPECIFIED' ? ('MONTH' as const) : calendarPeriod,
  };
  return { ...rest, name, amount: filled, budgetFilter, etag };
}

/** As it is shown. */
export function shown({ nextAt: _, ...budget }: Budget): object {
  return budget;
}
