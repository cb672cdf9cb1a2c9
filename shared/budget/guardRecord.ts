import * as z from 'zod';
import { Level } from './levels.ts';
import type { Period } from './period.ts';

export const guardRecordName = 'budget/guard.json';

const time = z.iso.datetime();

/** What became of one machine, or of the project. */
export const Result = z.object({
  what: z.string(),
  /** `left`: not touched, for the reason in the words. */
  outcome: z.enum(['stopped', 'stopping', 'left', 'failed', 'rehearsed', 'detached']),
  words: z.string().optional(),
});
export type Result = z.infer<typeof Result>;

/** What a level does when it is reached. Each is written down before it is begun, and again when it is done. */
export const Step = z.object({
  level: Level.exclude(['open']),
  reason: z.string(),
  raisedAt: time,
  startedAt: time.optional(),
  doneAt: time.optional(),
  /** When people were told. */
  announcedAt: time.optional(),
  /** `detached` only: when it was done as a rehearsal, that changed nothing. */
  rehearsedAt: time.optional(),
  /** Whether everything could be seen and nothing failed; if not, it is done again. */
  complete: z.boolean().optional(),
  results: z.array(Result),
});
export type Step = z.infer<typeof Step>;

/** A person has let the level down. It keeps down until spending has gone on a little. */
export const Release = z.object({
  at: time,
  by: z.string(),
  why: z.string(),
  from: Level,
  to: Level,
  /** The largest share of the budget that was known then; levels up to it come back only from `until` on. */
  ratio: z.number(),
  until: z.number(),
});
export type Release = z.infer<typeof Release>;

export const GuardRecord = z.object({
  period: z.object({ start: time, end: time }),
  level: Level,
  /** Why it is at this level, in words. */
  reason: z.string().optional(),
  since: time,
  /** By id. The amounts outlive the period. */
  budgets: z.record(
    z.string(),
    z.object({
      name: z.string(),
      amount: z.number(),
      currency: z.string(),
      billed: z.object({ cost: z.number(), heardAt: time }).optional(),
    }),
  ),
  /** The latest. */
  estimate: z
    .object({
      cost: z.number(),
      currency: z.string(),
      perHour: z.number().optional(),
      forecastCost: z.number().optional(),
      boundCost: z.number().optional(),
      asOf: time,
    })
    .optional(),
  /** The largest share of a budget that this period has known: billed, or estimated with what is bound. */
  ratio: z.number(),
  released: Release.optional(),
  /** Of the levels that were reached, in their order. */
  steps: z.array(Step),
  /** Somebody is at the steps; if they die, somebody else may be from then on. */
  busy: z.object({ by: z.string(), until: time }).optional(),
  history: z.array(
    z.object({
      at: time,
      level: Level,
      reason: z.string(),
      /** If it was a person. */
      by: z.string().optional(),
    }),
  ),
});
export type GuardRecord = z.infer<typeof GuardRecord>;

const mostHistory = 200;

/** A new period: nothing is spent, so everything is open. What the budgets are worth is still known. */
export function openPeriod(before: GuardRecord | undefined, period: Period, at: string): GuardRecord {
  const budgets = Object.entries(before?.budgets ?? {}).map(([id, { billed: _, ...known }]) => [id, known]);
  const reason = 'a new period';
  return {
    period,
    level: 'open',
    since: at,
    budgets: Object.fromEntries(budgets),
    ratio: 0,
    steps: [],
    history: [...(before?.history ?? []), { at, level: 'open' as const, reason }].slice(-mostHistory),
  };
}

/** With a line in the history. */
export function atLevel(
  record: GuardRecord,
  level: Level,
  { at, reason, by }: { at: string; reason: string; by?: string },
): GuardRecord {
  const line = { at, level, reason, ...(by === undefined ? {} : { by }) };
  const history = [...record.history, line].slice(-mostHistory);
  return { ...record, level, reason, since: at, history };
}
