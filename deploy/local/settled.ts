import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds without any movement after which nothing is to be expected any more. */
const patience = 120_000;

/**
 * Returns when nothing is left to be done: no file unread, no push unsent, no message unacknowledged. Every step is on
 * one of these lists before it leaves the one before, so one look at which all are empty is enough.
 * @throws when what is left does not move for two minutes
 */
export async function settled(origin: string): Promise<'settled'> {
  // What was dropped a moment ago may not have been noticed yet.
  await fetch(`${origin}/_local/drive/scan`, { method: 'POST' });
  for (let last = '', since = Date.now(); ; await sleep(100)) {
    const pending = (await (await fetch(`${origin}/_local/pending`)).json()) as Record<string, number>;
    if (Object.values(pending).every((count) => count === 0)) return 'settled';
    const now = JSON.stringify(pending);
    if (now !== last) since = Date.now();
    last = now;
    if (Date.now() - since > patience) throw new Error(`Nothing moves any more, and this is left: ${now}`);
  }
}
