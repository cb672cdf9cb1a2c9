import type { Machine } from './machines.ts';

/** A machine with this label is left alone, whatever it costs: `gazeline-protect=yes`. */
export const protectLabel = 'gazeline-protect';
/** The last day of that, as `2026-12-24`; it protects by itself as well. */
export const protectUntilLabel = 'gazeline-protect-until';

/** A day has not ended everywhere before it is noon of the next one in Greenwich. */
const endOfDay = 36 * 3_600_000;

/** Why a machine must not be stopped; undefined if it may. What cannot be read protects. */
export function protectionOf(
  { labels, deletionProtection }: Pick<Machine, 'labels' | 'deletionProtection'>,
  now: number,
): string | undefined {
  if (deletionProtection) return 'it is protected against deletion';
  const { [protectLabel]: label, [protectUntilLabel]: until } = labels;
  if (until !== undefined) {
    const day = /^\d{4}-\d{2}-\d{2}$/.test(until) ? Date.parse(until) : Number.NaN;
    if (Number.isNaN(day)) return `its label ${protectUntilLabel} is “${until}”, which is not a day`;
    return now < day + endOfDay ? `it is protected until ${until}` : undefined;
  }
  return label === undefined || label === 'false' ? undefined : `it is labelled ${protectLabel}`;
}
