/** The time as Monitoring has it: a test may set it, stop it, or let it run faster. In ms since 1970. */
export type Clock = {
  now(): number;
  /** How many of its seconds go by in a real one; 0 is a clock that stands still. */
  speed(): number;
  set(to: { at?: number | undefined; speed: number }): void;
};

export function createClock(): Clock {
  let since = performance.now();
  let began = Date.now();
  let speed = 1;
  let isReal = true;
  const now = () => (isReal ? Date.now() : began + (performance.now() - since) * speed);
  return {
    now,
    speed: () => speed,
    set(to) {
      began = to.at ?? now();
      since = performance.now();
      speed = to.speed;
      // A clock that nobody has touched is the computer's, which may be set, and which a laptop's sleep does not stop.
      isReal = to.at === undefined && speed === 1 && isReal;
    },
  };
}
