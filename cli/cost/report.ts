import { CostRecord, costRecordName } from '../../shared/budget/costRecord.ts';
import { type Credit, creditOf } from '../../shared/budget/credit.ts';
import { GuardRecord, guardRecordName } from '../../shared/budget/guardRecord.ts';
import type { Level } from '../../shared/budget/levels.ts';
import { type Saving, savingsOf } from '../../shared/budget/savings.ts';
import { type Spending, spendingOf } from '../../shared/budget/spending.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { recordsIn } from '../../shared/storage/records.ts';

export type Report = {
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
export async function reportOf(): Promise<Report | undefined> {
  const { stateBucket, budgets, budgetAmount, budgetCurrency, localCloud, ...settings } = config();
  const records = recordsIn(await clients.storage(), stateBucket);
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
): NonNullable<Report['budget']> {
  const left = Math.max(0, amount - estimate);
  return { amount, left, ...(perHour > 0 ? { days: left / (24 * perHour) } : {}), level };
}
