import type { JobRecord } from '../../shared/jobs/jobRecord.ts';
import { costOf } from '../../shared/jobs/spent.ts';
import { dollars } from '../../shared/machines/prices.ts';

/** What a job has cost until now. What is not known is never shown as zero. */
export function costWords(record: Pick<JobRecord, 'attempts'>, now: number): string {
  if (record.attempts.every(({ insertedAt }) => !insertedAt)) return 'nothing';
  const cost = costOf(record as JobRecord, now);
  if (!cost.complete) return cost.dollars > 0 ? `at least ${dollars(cost.dollars)}` : 'unknown';
  return cost.dollars < least ? `under ${dollars(least)}` : dollars(cost.dollars);
}

/** Less would be shown as zero. */
const least = 0.0001;
