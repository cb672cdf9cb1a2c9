import { createHash } from 'node:crypto';
import * as z from 'zod';
import { dayOf } from './allowance.ts';
import type { Log } from './log.ts';
import type { Records } from './storage/records.ts';

/** A message that came on a day which had nothing left for it. */
const Waiting = z.object({ topic: z.string(), data: z.unknown() });

/** `waiting/<day>/<topic>/<hash>.json`, so that they are listed in order of days. */
const prefix = 'waiting/';

/** Keeps a message for a later day. `key`: of two with the same one, the last is kept. */
export async function keepWaiting(
  records: Records,
  { topic, key, data }: { topic: string; key: string; data: unknown },
  now: Date,
): Promise<void> {
  const hash = createHash('sha256').update(key).digest('hex');
  await records.update(`${prefix}${dayOf(now)}/${topic}/${hash}.json`, Waiting, () => ({ topic, data }));
}

/** Calls `again` for each message that has waited since a day before this one, and forgets it after that. */
export async function wakeWaiting(
  records: Records,
  now: Date,
  log: Log,
  again: (topic: string, data: unknown) => Promise<void>,
): Promise<number> {
  let count = 0;
  for await (const name of records.list(prefix)) {
    // From here on they are of today.
    if (name >= `${prefix}${dayOf(now)}`) break;
    try {
      const waiting = await records.read(name, Waiting);
      if (!waiting) continue;
      await again(waiting.value.topic, waiting.value.data);
      await records.remove(name, waiting.generation);
      count++;
    } catch (error) {
      // It waits on, and does not keep the others.
      log.error('what waits could not be woken', { record: name, error });
    }
  }
  return count;
}
