import type { Candidate } from './candidate.ts';
import { type Cooldown, isBlocked } from './cooldown.ts';

/**
 * What is left to try, in order: nothing that is blocked, and zones that are said to have capacity before others of the
 * same accelerator and model. A hint changes no preference of the person.
 */
export function leftToTry(
  candidates: Candidate[],
  cooldown: Cooldown,
  now: number,
  hints: string[] = [],
): Candidate[] {
  const open = candidates.filter((candidate) => !isBlocked(cooldown, candidate, now));
  const groups = Map.groupBy(open, ({ accelerator, model }) => `${accelerator} ${model}`);
  return [...groups.values()].flatMap((group) => [
    ...group.filter(({ zone }) => hints.includes(zone)),
    ...group.filter(({ zone }) => !hints.includes(zone)),
  ]);
}
