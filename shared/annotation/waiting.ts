import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Records } from '../storage/records.ts';
import { dayOf } from './units.ts';

/** Stimuli that came on a day without units left: `waiting/<day>/<hash of the name>.json`. */
const prefix = 'waiting/';

export async function keepWaiting(records: Records, stimulus: { name: string }, now: Date): Promise<void> {
  const hash = createHash('sha256').update(stimulus.name).digest('hex');
  await records.update(`${prefix}${dayOf(now)}/${hash}.json`, z.unknown(), () => stimulus);
}

/** Calls `again` for each stimulus that has waited since a day before this one, and forgets it after that. */
export async function wakeWaiting<T>(
  records: Records,
  schema: z.ZodType<T>,
  now: Date,
  again: (stimulus: T) => Promise<void>,
): Promise<number> {
  let count = 0;
  for await (const name of records.list(prefix)) {
    // In order of days: from here on they are of today.
    if (name >= `${prefix}${dayOf(now)}`) break;
    const waiting = await records.read(name, schema);
    if (!waiting) continue;
    await again(waiting.value);
    await records.remove(name, waiting.generation);
    count++;
  }
  return count;
}
