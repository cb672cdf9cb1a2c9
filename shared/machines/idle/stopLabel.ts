/**
 * On a machine that is idle: when it is stopped unless something happens, as `2026-12-24t1815z`. Whoever sets it to a
 * later time has prolonged the countdown.
 */
export const stopLabel = 'gazeline-stop-at';

/** To the minute, the next one: a label may hold lower-case letters, digits, - and _ only. */
export const stopLabelValue = (at: number): string =>
  new Date(Math.ceil(at / 60_000) * 60_000)
    .toISOString()
    .replace(/:(\d\d):.*$/, '$1z')
    .toLowerCase();

/** @returns undefined for what is not a time */
export function readStopLabel(value: string | undefined): number | undefined {
  const [, day, hour, minute] = /^(\d{4}-\d{2}-\d{2})t(\d{2})(\d{2})z$/.exec(value ?? '') ?? [];
  // Of text that is no time, `Date.parse` makes one if it can.
  if (!day) return undefined;
  const at = Date.parse(`${day}T${hour}:${minute}:00Z`);
  return Number.isNaN(at) ? undefined : at;
}
