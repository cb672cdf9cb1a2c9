import * as z from 'zod';

/** How far spending has gone, and what is done about it; each does what those before it do as well. */
export const levels = ['open', 'warned', 'no-new-work', 'stop-idle', 'stop-all', 'detached'] as const;
export const Level = z.enum(levels);
export type Level = z.infer<typeof Level>;

export const isAtLeast = (level: Level, least: Level): boolean =>
  levels.indexOf(level) >= levels.indexOf(least);

export const higher = (one: Level, other: Level): Level => (isAtLeast(one, other) ? one : other);

const share = z.number().positive().max(1000);

/** From which share of the budget on a level holds. Without one for `detached`, it is never reached. */
export const Thresholds = z
  .strictObject({
    warned: share.default(0.5),
    'no-new-work': share.default(0.9),
    'stop-idle': share.default(1),
    'stop-all': share.default(1.1),
    detached: share.optional(),
  })
  .refine(
    (thresholds) => {
      const shares = levels.flatMap((level) => (level === 'open' ? [] : (thresholds[level] ?? [])));
      return shares.every((one, index) => index === 0 || one >= (shares[index - 1] ?? 0));
    },
    { error: 'expected thresholds that rise: warned, no-new-work, stop-idle, stop-all, detached' },
  );
export type Thresholds = z.infer<typeof Thresholds>;

/** The highest level that `isReached`, from `open` up. */
export function levelOf(
  thresholds: Thresholds,
  isReached: (threshold: number, level: Exclude<Level, 'open'>) => boolean,
): Level {
  let reached: Level = 'open';
  for (const level of levels) {
    if (level === 'open') continue;
    const threshold = thresholds[level];
    if (threshold !== undefined && isReached(threshold, level)) reached = level;
  }
  return reached;
}
