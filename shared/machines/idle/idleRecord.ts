import * as z from 'zod';
import { type Decision, reasons } from './decide.ts';
import { Evidence } from './evidence.ts';
import type { IdleMachine } from './idleMachine.ts';

const time = z.iso.datetime();

/** The record of a machine's idleness, `machines/idle/<id>.json` in the state bucket. It changes with the decision. */
export const IdleRecord = z.object({
  id: z.string(),
  zone: z.string(),
  name: z.string(),
  /** Whose it is, by its label `gazeline-owner`. */
  owner: z.string().optional(),
  do: z.enum(['keep', 'warn', 'stop']),
  reason: z.enum(reasons),
  /** For a person, as it was when it was decided. */
  why: z.string(),
  evidence: Evidence,
  decidedAt: time,
  /** Nothing was done: it was only said what would have been. */
  isRehearsal: z.boolean(),
  /** When it is stopped if nothing happens. */
  stopAt: time.optional(),
  /** Somebody is stopping it; if they die, somebody else may from `until` on. */
  busyUntil: time.optional(),
  outcome: z
    .object({
      /** When it was asked for. */
      at: time,
      what: z.enum(['stopped', 'stopping', 'failed', 'deleted']),
      words: z.string().optional(),
    })
    .optional(),
  history: z.array(z.object({ at: time, do: z.string(), why: z.string() })),
});
export type IdleRecord = z.infer<typeof IdleRecord>;

export const idleFolder = 'machines/idle/';
export const idleRecordName = (id: string) => `${idleFolder}${id}.json`;

const mostHistory = 50;

/** @returns the record with this decision; the same one if it says nothing new */
export function decided(
  before: IdleRecord | undefined,
  { id, zone, name, labels }: Pick<IdleMachine, 'id' | 'zone' | 'name' | 'labels'>,
  decision: Decision,
  { isRehearsal, now }: { isRehearsal: boolean; now: number },
): IdleRecord {
  const { do: act, reason, why, stopAt, evidence } = decision;
  if (
    before?.do === act &&
    before.reason === reason &&
    before.stopAt === stopAt &&
    before.isRehearsal === isRehearsal
  )
    return before;
  const at = new Date(now).toISOString();
  const line = { at, do: act, why };
  const owner = labels['gazeline-owner'];
  // What came of the last stop is known for as long as the machine is off.
  const outcome = reason === 'not-running' || act === 'stop' ? before?.outcome : undefined;
  return {
    ...{ id, zone, name, do: act, reason, why, evidence, decidedAt: at, isRehearsal },
    ...(owner ? { owner } : {}),
    ...(stopAt ? { stopAt } : {}),
    ...(outcome ? { outcome } : {}),
    history: [...(before?.history ?? []), line].slice(-mostHistory),
  };
}
