/** The time of a simulation, in milliseconds since 1970: nothing passes but what is said to. */
export type Clock = { now(): number; pass(ms: number): void; until(time: number): void };

export function createClock(start: number): Clock {
  let time = start;
  return {
    now: () => time,
    pass(ms) {
      time += ms;
    },
    until(moment) {
      time = Math.max(time, moment);
    },
  };
}
