import * as z from 'zod';
import type { Records } from '../storage/records.ts';

/** Paid units of one day (UTC). */
const Day = z.object({ vision: z.number(), language: z.number() });
export type Service = keyof z.infer<typeof Day>;

/**
 * The day's ceiling on paid calls, kept by all instances together: units are taken before a call, so that the ceiling
 * holds even if the answer never comes. Google's own budget notices are up to a day late.
 */
export type Units = {
  /** @returns false if they would go over the day's ceiling; nothing is taken then */
  take(service: Service, count: number): Promise<boolean>;
  /** For a call that failed and was not charged. */
  giveBack(service: Service, count: number): Promise<void>;
};

type Wish = {
  service: Service;
  count: number;
  granted: (granted: boolean) => void;
  failed: (error: unknown) => void;
};

export function unitsPerDay(
  records: Records,
  ceiling: Record<Service, number>,
  { now }: { now: () => Date },
): Units {
  let wishes: Wish[] = [];
  let writing = false;

  // One write carries all wishes that came during the one before: a record may be written only about once a second.
  const write = async () => {
    writing = true;
    while (wishes.length > 0) {
      const batch = wishes;
      wishes = [];
      try {
        let answers: boolean[] = [];
        await records.update(dayRecord(now()), Day, (before = { vision: 0, language: 0 }) => {
          const after = { ...before };
          answers = batch.map(({ service, count }) => {
            if (count > 0 && after[service] + count > ceiling[service]) return false;
            after[service] = Math.max(0, after[service] + count);
            return true;
          });
          return after;
        });
        batch.forEach(({ granted }, index) => {
          granted(answers[index] ?? false);
        });
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    writing = false;
  };

  const ask = (service: Service, count: number) =>
    new Promise<boolean>((granted, failed) => {
      wishes.push({ service, count, granted, failed });
      if (!writing) void write();
    });

  return {
    take: ask,
    async giveBack(service, count) {
      await ask(service, -count);
    },
  };
}

/** `2026-11-23` */
export const dayOf = (time: Date) => time.toISOString().slice(0, 10);
const dayRecord = (time: Date) => `units/${dayOf(time)}.json`;

/** Not an error of the stimulus: it waits for a day that has units. */
export class OutOfUnits extends Error {
  override name = 'OutOfUnits';
  constructor(service: Service, count: number) {
    super(`${count} more units of ${service} would go over the ceiling of the day`);
  }
}
