import { type Period, type PeriodKind, periodAt } from '../../../../shared/budget/period.ts';
import { accountId, currency } from './account.ts';
import type { Budget } from './budget.ts';
import type { Cost, Letter } from './tables.ts';

/**
 * What Google says of a budget at this moment, by the costs that it knows.
 * https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification_format
 */
export function notificationOf(budget: Budget, costs: Cost[], now: number): Letter {
  const kind = (budget.budgetFilter?.calendarPeriod ?? 'MONTH').toLowerCase() as PeriodKind;
  const period = periodAt(now, kind);
  const known = costs.filter((cost) => cost.knownAt <= now && counts(budget, cost));
  const costAmount = sumOf(known, period);
  const { specifiedAmount } = budget.amount;
  const budgetAmount = specifiedAmount
    ? Number(specifiedAmount.units ?? 0) + (specifiedAmount.nanos ?? 0) / 1e9
    : sumOf(known, periodAt(Date.parse(period.start) - 1, kind));
  const elapsed = (now - Date.parse(period.start)) / (Date.parse(period.end) - Date.parse(period.start));
  const passed = (basis: 'CURRENT_SPEND' | 'FORECASTED_SPEND', cost: number) => {
    const rules = (budget.thresholdRules ?? []).filter(
      ({ spendBasis }) => (spendBasis === 'FORECASTED_SPEND' ? spendBasis : 'CURRENT_SPEND') === basis,
    );
    const those = rules.filter(({ thresholdPercent }) => cost >= thresholdPercent * budgetAmount);
    return those.length > 0 ? Math.max(...those.map(({ thresholdPercent }) => thresholdPercent)) : undefined;
  };
  const alert = passed('CURRENT_SPEND', costAmount);
  const forecast = passed('FORECASTED_SPEND', elapsed > 0 ? costAmount / elapsed : 0);
  const data = {
    budgetDisplayName: budget.displayName ?? '',
    // Both are missing until something is passed, and then they come again and again.
    ...(alert === undefined ? {} : { alertThresholdExceeded: alert }),
    ...(forecast === undefined ? {} : { forecastThresholdExceeded: forecast }),
    costAmount,
    costIntervalStart: period.start.replace('.000Z', 'Z'),
    budgetAmount,
    budgetAmountType: specifiedAmount ? 'SPECIFIED_AMOUNT' : 'LAST_PERIODS_COST',
    currencyCode: currency,
  };
  return {
    topic: budget.notificationsRule?.pubsubTopic ?? '',
    data: JSON.stringify(data),
    attributes: {
      billingAccountId: accountId,
      budgetId: budget.name.split('/').at(-1) ?? '',
      schemaVersion: '1.0',
    },
  };
}

/** An empty list stands for all. */
function counts({ budgetFilter }: Budget, { project, service }: Cost): boolean {
  const { projects = [], services = [] } = budgetFilter ?? {};
  const isIn = (list: string[], name: string) => list.length === 0 || list.includes(name);
  return isIn(projects, `projects/${project}`) && isIn(services, `services/${service}`);
}

function sumOf(costs: Cost[], { start, end }: Period): number {
  const inside = costs.filter(({ at }) => at >= Date.parse(start) && at < Date.parse(end));
  return Number(inside.reduce((sum, { amount }) => sum + amount, 0).toFixed(6));
}
