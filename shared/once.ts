import * as z from 'zod';
import type { Records } from './storage/records.ts';

const Claim = z.object({ until: z.iso.datetime() });

/**
 * Guards an effect that must not be repeated, because it costs money, say. `outcome` looks for what the effect leaves
 * behind; only if there is nothing, and nobody else is at it, `effect` runs.
 *
 *     claimed ───────── lease ─────────▶ anybody may claim   (the holder died)
 *        └─ effect returns or throws ─▶ released             (from now on its outcome speaks, or the next delivery tries)
 *
 * It narrows repetitions, it cannot abolish them: if the process dies after the effect and before its outcome is
 * written, the effect runs again when the lease is over.
 *
 * @param lease milliseconds; longer than the effect can take
 * @throws NotYet if somebody else is at it
 */
export async function once<T>(
  records: Records,
  key: string,
  outcome: () => Promise<T | undefined>,
  effect: () => Promise<T>,
  { lease, now = Date.now }: { lease: number; now?: () => number },
): Promise<T> {
  const before = await outcome();
  if (before !== undefined) return before;

  const name = `claims/${key}.json`;
  const claim = await records.read(name, Claim);
  if (claim && Date.parse(claim.value.until) > now()) throw new NotYet(`${key} is being done elsewhere`);
  const until = new Date(now() + lease).toISOString();
  const generation = await records.write(name, { until }, claim?.generation ?? '0');
  if (!generation) throw new NotYet(`${key} is being done elsewhere`);
  try {
    // Another holder may have finished between the first look and the claim.
    return (await outcome()) ?? (await effect());
  } finally {
    await records.remove(name, generation);
  }
}

/** Nothing is wrong, it is only too early: the delivery comes again, and the log does not call it an error. */
export class NotYet extends Error {
  override name = 'NotYet';
}

/** Google's clients wrap what is thrown before a request leaves: the `NotYet` that an error is, or that caused it. */
export function notYetIn(error: unknown): NotYet | undefined {
  // An error may be its own cause.
  for (let depth = 0, one = error; depth < 8 && one instanceof Error; depth++, one = one.cause)
    if (one instanceof NotYet) return one;
  return undefined;
}
