import { type Allowance, allowance } from '../allowance.ts';
import type { Records } from '../storage/records.ts';

const mostRuns = 100;

/** A run may remove so many files without being asked; all instances count together. */
export function removalsPerRun(records: Records, ceiling: number): (run?: string) => Promise<boolean> {
  const allowances = new Map<string, Allowance<'files'>>();
  return (run = 'no-run') => {
    const known = allowances.get(run);
    const removals = known ?? allowance(records, () => `removals/${run}.json`, { files: ceiling });
    allowances.set(run, removals);
    // It is kept for those that ask at the same time; the count itself is in the record.
    for (const old of [...allowances.keys()].slice(0, -mostRuns)) allowances.delete(old);
    return removals.take('files', 1);
  };
}
