import type { Log } from '../shared/log.ts';
import type { Publish } from '../shared/publish.ts';
import type { Records } from '../shared/storage/records.ts';
import { wakeWaiting } from '../shared/waiting.ts';

/** A new day has units and quota again: the messages that waited for it come again. */
export async function waitingTick(
  { time }: { time: Date },
  { records, publish, log }: { records: Records; publish: Publish; log: Log },
): Promise<void> {
  const messages = await wakeWaiting(records, time, log, (topic, data) => publish(topic, [{ data }]));
  if (messages > 0) log.info('woken', { messages });
}
