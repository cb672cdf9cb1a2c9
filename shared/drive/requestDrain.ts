import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';

/** There while a drain of the change feed has been asked for and has not begun. */
const marker = 'drive/drain-requested.json';

/**
 * Asks for a drain of the change feed. Any number of requests before the drain begins make one message: the marker can
 * be created once, and `drainBegins` takes it away before the feed is read, so that a change which is reported later
 * asks anew.
 */
export async function requestDrain(records: Records, publish: Publish): Promise<void> {
  const generation = await records.write(marker, {}, '0');
  if (!generation) return;
  try {
    await publishDrain(publish);
  } catch (error) {
    await records.remove(marker, generation);
    throw error;
  }
}

/** For the clock: without a look at the marker, so that one whose message was lost holds nothing up. */
export async function publishDrain(publish: Publish): Promise<void> {
  // One key: the next drain starts when the one before is over.
  await publish('drive-changed', [{ data: {}, orderingKey: 'drain' }]);
}

export async function drainBegins(records: Records): Promise<void> {
  await records.remove(marker);
}
