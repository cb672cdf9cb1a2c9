const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** Milliseconds for a person: `3 hours`, `2 minutes`, `1.2 s`. */
export function durationOf(ms: number): string {
  for (const [unit, length] of units) {
    const count = Math.floor(ms / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return `${Number((Math.max(0, ms) / 1000).toPrecision(2))} s`;
}

export const ago = (time: string, now: number) => {
  const ms = now - Date.parse(time);
  // The clock of another machine may be ahead.
  return ms < 1000 ? 'just now' : `${durationOf(ms)} ago`;
};
