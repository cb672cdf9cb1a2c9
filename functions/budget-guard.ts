import * as z from 'zod';
import { budgetNotification, type NotificationSettings } from '../shared/budget/budgetNotification.ts';
import type { Figure } from '../shared/budget/figures.ts';
import { type GuardSettings, hear } from '../shared/budget/guard.ts';
import { GuardRecord, guardRecordName } from '../shared/budget/guardRecord.ts';
import { type PerformDependencies, performSteps } from '../shared/budget/performSteps.ts';
import { spendingEstimate } from '../shared/budget/spendingEstimate.ts';

/**
 * What Google says of a budget, `{ estimate }` of `cost-tick`, or `{ check: {} }` of whoever has changed the level by hand.
 * What is in it is looked at here, where its attributes are known.
 */
export const BudgetNotified = z.looseObject({});
export type BudgetNotified = z.infer<typeof BudgetNotified>;

export type BudgetGuardDependencies = PerformDependencies & NotificationSettings & GuardSettings;

/** Of a Pub/Sub message, besides its data. */
type About = { attributes: Record<string, string>; publishedAt: string | undefined };

/**
 * Raises the level of spending, and does what it asks for. A message that comes twice, late or in another order changes
 * nothing: the level of a period only rises, and each step is written down before the next.
 */
export async function budgetGuard(
  message: BudgetNotified,
  { attributes, publishedAt }: About,
  dependencies: BudgetGuardDependencies,
): Promise<void> {
  const { records, log, now } = dependencies;
  if ('check' in message) return performSteps({ holds: true, isFresh: false }, dependencies);
  const figure: Figure =
    'estimate' in message
      ? spendingEstimate(message.estimate, dependencies, now())
      : budgetNotification({ attributes, data: message }, dependencies, now());
  let before: GuardRecord | undefined;
  const record = await records.update(
    guardRecordName,
    GuardRecord,
    (current: GuardRecord | undefined): GuardRecord | undefined => {
      before = current;
      const after = hear(current, figure, dependencies, now());
      return after === current ? undefined : after;
    },
  );
  if (!record || figure.period.start !== record.period.start) {
    log.info('of a period that is over', { period: figure.period.start, kind: figure.kind });
    return;
  }
  if (record.level !== (before?.level ?? 'open'))
    log.warning('the budget guard is at another level', { level: record.level, reason: record.reason });
  const occasion = {
    holds: figure.kind === 'estimated' && now() - Date.parse(figure.asOf) < latestEstimate,
    isFresh: isFresh(figure, publishedAt, dependencies),
  };
  return performSteps(occasion, dependencies);
}

/** An estimate that is older does not say what runs now. */
const latestEstimate = 15 * 60_000;
const latestNotification = 60 * 60_000;

/** Whether Google says now that the project is to be detached, and did not say it some time ago. */
function isFresh(
  figure: Figure,
  publishedAt: string | undefined,
  { thresholds: { detached }, now }: BudgetGuardDependencies,
): boolean {
  if (figure.kind !== 'billed' || detached === undefined || publishedAt === undefined) return false;
  return now() - Date.parse(publishedAt) < latestNotification && figure.cost / figure.amount >= detached;
}
