import type { Attempt, JobRecord } from './jobRecord.ts';

/** Seconds that the machine of an attempt has been there, or may have been. */
export function secondsOf({ insertedAt, releasedAt }: Attempt, now: number): number {
  if (!insertedAt) return 0;
  const until = releasedAt ? Date.parse(releasedAt) : now;
  return Math.max(0, until - Date.parse(insertedAt)) / 1000;
}

/** Dollars by list price. `complete` is false if the price of a machine is not known: then it is at least this. */
export function costOf(record: JobRecord, now: number): { dollars: number; complete: boolean } {
  let dollars = 0;
  let complete = true;
  for (const attempt of record.attempts) {
    const hours = secondsOf(attempt, now) / 3600;
    const price = attempt.candidate?.price;
    if (price) dollars += hours * price.perHour;
    else if (hours > 0) complete = false;
  }
  return { dollars, complete };
}

/**
 * How long the next machine may run: what is left of the hours and, at its price, of the money.
 * @returns whole seconds; undefined if the money has a limit and cannot be counted, since a price is not known
 */
export function secondsLeft(record: JobRecord, perHour: number | undefined, now: number): number | undefined {
  const { hours, money } = record.job.limits;
  const used = record.attempts.reduce((sum, attempt) => sum + secondsOf(attempt, now), 0);
  const byHours = hours * 3600 - used;
  if (money === undefined) return Math.max(0, Math.floor(byHours));
  const cost = costOf(record, now);
  if (perHour === undefined || !cost.complete) return undefined;
  return Math.max(0, Math.floor(Math.min(byHours, ((money - cost.dollars) / perHour) * 3600)));
}
