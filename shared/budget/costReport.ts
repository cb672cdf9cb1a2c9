import type { Config } from '../config.ts';
import type { Records } from '../storage/records.ts';
import { CostRecord, costRecordName } from './costRecord.ts';
import { type Credit, creditOf } from './credit.ts';
import { GuardRecord, guardRecordName } from './guardRecord.ts';
import type { Level } from './levels.ts';
import { type Saving, savingsOf } from './savings.ts';
import { type Spending, spendingOf } from './spending.ts';

export type CostReport = {
  spending: Spending;
  budget?: {
    /** US dollars. */
    amount: number;
    left: number;
    /** At the present rate; missing if nothing runs. */
    days?: number;
    level: Level;
  };
  credit?: Credit;
  savings: Saving[];
  isLocal: boolean;
};

/** @returns undefined if nothing was ever counted */
export async function costReport(records: Records, config: Config): Promise<CostReport | undefined> {
  const { budgets, budgetAmount, budgetCurrency, localCloud, ...settings } = config;
  const record = (await records.read(costRecordName, CostRecord))?.value;
  if (!record) return undefined;
  const guard = (await records.read(guardRecordName, GuardRecord))?.value;
  const spending = spendingOf(record);
  const rate = settings.dollarRate ?? (budgetCurrency === 'USD' ? 1 : undefined);
  const amount = guard?.budgets[budgets[0] ?? '']?.amount ?? budgetAmount;
  const credit = creditOf(record, settings, spending.perHour);
  const isGuarded = guard?.period.start === spending.period.start;
  return {
    spending,
    ...(amount !== undefined && rate !== undefined
      ? { budget: budgetOf(amount / rate, spending, isGuarded ? guard.level : 'open') }
      : {}),
    ...(credit ? { credit } : {}),
    savings: savingsOf(spending),
    isLocal: localCloud !== undefined,
  };
}

function budgetOf(
  amount: number,
  { estimate, perHour }: Spending,
  level: Level,
): NonNullable<CostReport['budget']> {
  const left = Math.max(0, amount - estimate);
  return { amount, left, ...(perHour > 0 ? { days: left / (24 * perHour) } : {}), level };
}
