import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Records } from '../storage/records.ts';

/** What became of one change of one file. */
export type Outcome = {
  did:
    | 'synced'
    | 'renamed'
    | 'described'
    | 'removed'
    | 'nothing'
    | 'skipped'
    | 'held'
    | 'handed on'
    | 'failed';
  /** That were brought from Drive. */
  bytes?: number;
  /** Quota units of Drive that it cost. */
  units?: number;
  /** Milliseconds from the change to the object. */
  lag?: number;
  /** Why it was skipped, held, or failed. */
  reason?: string;
};

/** What one process did for a run. */
const Tally = z.object({
  counts: z.record(z.string(), z.number()),
  bytes: z.number(),
  units: z.number(),
  lag: z.object({ count: z.number(), sum: z.number(), longest: z.number() }),
  reasons: z.record(z.string(), z.number()),
  until: z.iso.datetime(),
});
type Tally = z.infer<typeof Tally>;

/** A drain of the change feed, or a reconcile: what it found, and asked `file-sync` for. */
export const Run = z.object({
  kind: z.enum(['drain', 'reconcile']),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  /** Changes, or files that were looked at. */
  looked: z.number(),
  /** Messages to `file-sync`. */
  asked: z.number(),
  /** Quota units of Drive, without those of `file-sync`. */
  units: z.number(),
});
export type Run = z.infer<typeof Run>;

/** A run with all that was done for it. */
export type RunReport = Run & Omit<Tally, 'until'> & { id: string };

/** In order of time. */
export const runId = (kind: Run['kind'], now: Date) =>
  `${now.toISOString()}-${kind}-${randomUUID().slice(0, 8)}`;

const recordOf = (id: string) => `runs/${id}/run.json`;

export async function noteRun(records: Records, id: string, run: Run): Promise<void> {
  await records.update(recordOf(id), Run, () => run);
}

export type Tallies = {
  /** To be called when work begins; what it returns, when it has ended. */
  begin(run: string | undefined): (outcome: Outcome) => Promise<void>;
};

/** Milliseconds; a record may be written about once a second. */
const pause = 1000;
const mostReasons = 50;

/**
 * Adds up what this process does for each run, in a record that only this process writes. It is written about once a
 * second, and before the last one that is at work returns: afterwards a process may get no time any more.
 */
export function tallies(records: Records, now: () => number = Date.now): Tallies {
  /** The record of each run: no other process knows its name. */
  const totals = new Map<string, { record: string; generation: string; tally: Tally; isDirty: boolean }>();
  let active = 0;
  let written = 0;
  let writing: Promise<void> | undefined;

  const write = async () => {
    written = now();
    for (const total of totals.values()) {
      if (!total.isDirty) continue;
      total.isDirty = false;
      const generation = await records.write(total.record, total.tally, total.generation);
      if (generation) total.generation = generation;
    }
    // A late delivery of a run that is forgotten here begins another record, which is added to the first.
    for (const run of [...totals.keys()].slice(0, -100)) totals.delete(run);
  };
  const flush = () => {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  };

  return {
    begin(run) {
      active++;
      return async (outcome) => {
        active--;
        if (run) {
          const total = totals.get(run);
          const tally = sum(total?.tally, outcome, new Date(now()));
          // The same object: a write that is under way puts its generation there.
          if (total) Object.assign(total, { tally, isDirty: true });
          else
            totals.set(run, {
              record: `runs/${run}/${randomUUID()}.json`,
              generation: '0',
              tally,
              isDirty: true,
            });
        }
        const isDirty = totals.values().some((total) => total.isDirty);
        // Statistics must not fail what they count.
        if (isDirty && active === 0) {
          await writing?.catch(() => {});
          await flush().catch(() => {});
        } else if (isDirty && now() - written >= pause) flush().catch(() => {});
      };
    },
  };
}

const nothing: Omit<Tally, 'until'> = {
  counts: {},
  bytes: 0,
  units: 0,
  lag: { count: 0, sum: 0, longest: 0 },
  reasons: {},
};

function sum(
  before: Tally | undefined,
  { did, bytes = 0, units = 0, lag, reason }: Outcome,
  now: Date,
): Tally {
  const total = before ?? { ...nothing, until: '' };
  const known =
    reason !== undefined && (reason in total.reasons || Object.keys(total.reasons).length < mostReasons);
  const key = known ? reason : 'other reasons';
  return {
    counts: { ...total.counts, [did]: (total.counts[did] ?? 0) + 1 },
    bytes: total.bytes + bytes,
    units: total.units + units,
    lag:
      lag === undefined
        ? total.lag
        : {
            count: total.lag.count + 1,
            sum: total.lag.sum + lag,
            longest: Math.max(total.lag.longest, lag),
          },
    reasons:
      reason === undefined ? total.reasons : { ...total.reasons, [key]: (total.reasons[key] ?? 0) + 1 },
    until: now.toISOString(),
  };
}

/** Days to look back, until there are enough: a lab has hundreds of runs a day, and years of them. */
const lookBack = [1, 7, 31];
const day = 24 * 60 * 60 * 1000;

/** The last runs, newest first, each with what all processes did for it. */
export async function listRuns(records: Records, most = 20, now = Date.now()): Promise<RunReport[]> {
  let parts = new Map<string, string[]>();
  for (const from of [...lookBack.map((days) => new Date(now - days * day).toISOString()), '']) {
    parts = await runsFrom(records, from);
    if (parts.size >= most) break;
  }
  const newest = [...parts.keys()].sort().slice(-most).reverse();
  return Promise.all(newest.map((id) => reportOf(records, id, parts.get(id) ?? [])));
}

/** The names of all records of each run since a time: their ids begin with theirs. */
async function runsFrom(records: Records, time: string): Promise<Map<string, string[]>> {
  const parts = new Map<string, string[]>();
  for await (const name of records.list('runs/', `runs/${time}`)) {
    const [, id = ''] = name.split('/');
    parts.set(id, [...(parts.get(id) ?? []), name]);
  }
  return parts;
}

async function reportOf(records: Records, id: string, names: string[]): Promise<RunReport> {
  const run = (await records.read(recordOf(id), Run))?.value;
  const report: RunReport = {
    id,
    ...(run ?? {
      kind: id.includes('reconcile') ? 'reconcile' : 'drain',
      startedAt: id.slice(0, 24),
      looked: 0,
      asked: 0,
    }),
    ...structuredClone(nothing),
    units: run?.units ?? 0,
  };
  for (const name of names) {
    if (name === recordOf(id)) continue;
    const tally = (await records.read(name, Tally))?.value;
    if (!tally) continue;
    add(report.counts, tally.counts);
    add(report.reasons, tally.reasons);
    report.bytes += tally.bytes;
    report.units += tally.units;
    report.lag.count += tally.lag.count;
    report.lag.sum += tally.lag.sum;
    report.lag.longest = Math.max(report.lag.longest, tally.lag.longest);
  }
  return report;
}

function add(to: Record<string, number>, more: Record<string, number>): void {
  for (const [key, count] of Object.entries(more)) to[key] = (to[key] ?? 0) + count;
}
