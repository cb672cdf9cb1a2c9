import { createHash } from 'node:crypto';

/**
 * A number from 0 to 1 that depends on the seed and on what it is for, and on nothing else: whoever asks later, or in
 * another order, draws the same.
 */
export function draw(seed: number, ...what: (string | number)[]): number {
  const hash = createHash('sha256').update([seed, ...what].join(' '));
  return hash.digest().readUInt32BE(0) / 2 ** 32;
}

/** As many of them as `count`, drawn. */
export const drawnOf = <T extends string>(all: T[], count: number, seed: number, what: string): T[] =>
  all.toSorted((one, other) => draw(seed, what, one) - draw(seed, what, other)).slice(0, count);
