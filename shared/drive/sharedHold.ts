import * as z from 'zod';
import type { Records } from '../storage/records.ts';

/** Until when no process may send anything to Drive; milliseconds since 1970. */
export type SharedHold = {
  /** What a process said, or 0. It is looked up at most every five seconds. */
  read(): Promise<number>;
  /** Tells the other processes, at most once a second. */
  raise(until: number): void;
};

const name = 'drive/pace.json';
const Hold = z.object({ until: z.iso.datetime() });

const lookEvery = 5_000;
const writeEvery = 1_000;
const lookFor = 1_000;

/** Longer than this nobody is held: a clock that went back would stop the sync for good. */
export const longestHold = 300_000;

/**
 * All processes are the same user for Drive, so when one is told to slow down all have to. It is a courtesy: a state
 * bucket that does not answer holds nobody.
 */
export function sharedHold(
  records: Records,
  { now, wait }: { now: () => number; wait: (ms: number, signal?: AbortSignal) => Promise<void> },
): SharedHold {
  let looked = Number.NEGATIVE_INFINITY;
  let looking = Promise.resolve(0);
  let wanted = 0;
  let lastWrite = 0;
  let writing = false;

  const plausible = (hold: z.infer<typeof Hold> | undefined) => {
    const until = hold ? Date.parse(hold.until) : 0;
    return until > now() + longestHold ? 0 : until;
  };

  const look = async () => {
    const answered = new AbortController();
    const longEnough = wait(lookFor, answered.signal).then(() => undefined);
    try {
      const hold = await Promise.race([records.read(name, Hold), longEnough]);
      return plausible(hold?.value);
    } finally {
      answered.abort();
    }
  };

  const write = async () => {
    writing = true;
    try {
      for (let written = 0; wanted > written; ) {
        await wait(Math.min(writeEvery, Math.max(0, lastWrite + writeEvery - now())));
        lastWrite = now();
        written = wanted;
        const until = new Date(written).toISOString();
        await records.update(name, Hold, (before) => (plausible(before) >= written ? undefined : { until }));
      }
    } finally {
      writing = false;
    }
  };

  return {
    read() {
      const time = now();
      if (time - looked >= lookEvery || time < looked) {
        looked = time;
        looking = look().catch(() => 0);
      }
      return looking;
    },
    raise(until) {
      wanted = Math.max(until, wanted > now() + longestHold ? 0 : wanted);
      if (!writing) write().catch(() => {});
    },
  };
}
