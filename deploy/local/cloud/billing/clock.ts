/** The time of Billing, which may be another than ours, and pass faster: a month goes by in seconds. */
export type Clock = {
  now(): number;
  /** Milliseconds of ours until then; 0 if it is over. */
  until(time: number): number;
  /** The moment of ours at which it was, or will be, that time, if it was never set since. */
  ours(time: number): number;
  /** How many of its milliseconds pass in one of ours. */
  speed(): number;
  set(change: { now?: number | undefined; speed?: number | undefined }): void;
};

/** @param real replaced by tests */
export function createClock(real: () => number = Date.now): Clock {
  let base = real();
  let since = base;
  let speed = 1;
  const now = () => base + (real() - since) * speed;
  return {
    now,
    until: (time) => Math.max(0, (time - now()) / speed),
    ours: (time) => since + (time - base) / speed,
    speed: () => speed,
    set(change) {
      base = change.now ?? now();
      since = real();
      speed = change.speed ?? speed;
    },
  };
}
