const minute = 60_000;
/** SkyPilot waits a minute at first, and gives up after four hours. */
const first = minute;
const most = 15 * minute;
export const capacityDeadline = 24 * 60 * minute;

/**
 * How long a job waits before it looks for a machine again: longer each time, and not all jobs at the same moment.
 * @param tries rounds through all candidates so far, from 1
 * @param random from 0 to 1
 * @returns milliseconds
 */
export function backOff(tries: number, random: number): number {
  const whole = Math.min(most, first * 1.5 ** Math.min(Math.max(tries, 1) - 1, 50));
  return Math.round(whole * (0.5 + random / 2));
}

/** @returns when to look again; undefined if it has waited long enough, and nothing will come */
export function nextLook(
  { since, tries, deadline = capacityDeadline }: { since: number; tries: number; deadline?: number },
  now: number,
  random: number,
): number | undefined {
  const end = since + deadline;
  if (now >= end) return undefined;
  // One last look at the end.
  return Math.min(now + backOff(tries, random), end);
}
