import pThrottle from 'p-throttle';
import { NotYet } from '../once.ts';
import { mostUnits } from './quotaUnits.ts';
import { longestHold, type SharedHold } from './sharedHold.ts';

/** When a request to Drive may leave; one for each process. */
export type Pace = {
  /**
   * Resolves when a request of so many quota units may leave.
   * @throws NotYet if Drive wants us to wait for longer than a request has patience
   */
  take(units: number): Promise<void>;
  /** Drive said that we are too fast: nothing leaves before that time; milliseconds since 1970. */
  holdUntil(time: number): void;
};

export type PaceOptions = {
  unitsPerMinute: number;
  /** How long a request waits because Drive wants it to; for its share of the budget it always does. Milliseconds. */
  patience: number;
  /** The hold of the other processes. */
  shared?: SharedHold | undefined;
  /** The first back-off is at most so long; milliseconds. */
  backOff: number;
  now: () => number;
  /** @throws if `signal` is aborted meanwhile */
  wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 to 1, as `Math.random`. */
  random: () => number;
};

export function createPace({
  unitsPerMinute,
  patience,
  shared,
  backOff,
  now,
  wait,
  random,
}: PaceOptions): Pace {
  const draw = slidingMinute(unitsPerMinute, now);
  let until = 0;
  const heldFor = () => {
    const left = until - now();
    return left > longestHold ? 0 : left;
  };
  const raise = (time: number) => {
    const plausible = Math.min(time, now() + longestHold);
    if (heldFor() <= 0 || plausible > until) until = plausible;
  };

  return {
    async take(units) {
      let patient = patience;
      for (;;) {
        if (shared) raise(await shared.read());
        const held = heldFor();
        if (held > 0) {
          patient -= held;
          if (patient < 0) throw new NotYet(`Drive wants us to wait until ${new Date(until).toISOString()}`);
          // Those that were held come back one after the other.
          await wait(held + random() * backOff);
          continue;
        }
        await draw(units);
        if (heldFor() <= 0) return;
      }
    },
    holdUntil(time) {
      raise(time);
      shared?.raise(until);
    },
  };
}

/**
 * Never more than `limit` units in any minute, first come, first served.
 *
 * The units come in portions, which are counted. Weighing each request by itself (`weight` of p-throttle) goes through
 * the requests of the last minute at each one: a minute of computing for 10,000 downloads that queue. What is left of a
 * portion is lost after `lifetime`, and a portion comes back that much later than a minute: so all units of a portion are
 * spent within the span that it counts for.
 */
function slidingMinute(limit: number, now: () => number): (units: number) => Promise<void> {
  const lifetime = 3_000;
  const portions = Math.min(100, Math.floor(limit / mostUnits));
  const nextPortion = pThrottle({ limit: portions, interval: 60_000 + lifetime, strict: true })(now);
  let left = 0;
  let expires = 0;
  let turn = Promise.resolve();
  return (units) => {
    turn = turn.then(async () => {
      if (units > left || now() >= expires) {
        expires = (await nextPortion()) + lifetime;
        left = Math.floor(limit / portions);
      }
      left -= units;
    });
    return turn;
  };
}
