import * as z from 'zod';
import type { Records } from './storage/records.ts';

/** How much of each kind was taken. */
const Taken = z.record(z.string(), z.number());

/**
 * A ceiling that holds for all instances together: what is taken is written down before it is used, so that the ceiling
 * holds even if whoever took it never comes back.
 */
export type Allowance<Kind extends string> = {
  /** @returns false if it would go over the ceiling; nothing is taken then */
  take(kind: Kind, count: number): Promise<boolean>;
  /** For what was not used after all. */
  giveBack(kind: Kind, count: number): Promise<void>;
};

type Wish<Kind> = {
  kind: Kind;
  count: number;
  granted: (granted: boolean) => void;
  failed: (error: unknown) => void;
};

/** @param recordName where it is kept now: a name for each day makes it a ceiling of the day */
export function allowance<Kind extends string>(
  records: Records,
  recordName: () => string,
  ceiling: Record<Kind, number>,
): Allowance<Kind> {
  let wishes: Wish<Kind>[] = [];
  let writing = false;

  // One write carries all wishes that came during the one before: a record may be written only about once a second.
  const write = async () => {
    writing = true;
    while (wishes.length > 0) {
      const batch = wishes;
      wishes = [];
      try {
        let answers: boolean[] = [];
        await records.update(recordName(), Taken, (before = {}) => {
          const after = { ...before };
          answers = batch.map(({ kind, count }) => {
            const sum = (after[kind] ?? 0) + count;
            if (count > 0 && sum > ceiling[kind]) return false;
            after[kind] = Math.max(0, sum);
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

  const ask = (kind: Kind, count: number) =>
    new Promise<boolean>((granted, failed) => {
      wishes.push({ kind, count, granted, failed });
      if (!writing) void write();
    });

  return {
    take: ask,
    async giveBack(kind, count) {
      await ask(kind, -count);
    },
  };
}

/** `2026-11-23` */
export const dayOf = (time: Date) => time.toISOString().slice(0, 10);
