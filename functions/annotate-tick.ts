import { wakeWaiting } from '../shared/annotation/waiting.ts';
import type { Log } from '../shared/log.ts';
import type { Publish } from '../shared/publish.ts';
import type { Records } from '../shared/storage/records.ts';
import { Stimulus } from './annotate.ts';

/** A new day has units again: the stimuli that waited for it arrive again. */
export async function annotateTick(
  { time }: { time: Date },
  { records, publish, log }: { records: Records; publish: Publish; log: Log },
): Promise<void> {
  const stimuli = await wakeWaiting(records, Stimulus, time, (stimulus) =>
    publish('stimulus-arrived', [{ data: stimulus }]),
  );
  if (stimuli > 0) log.info('woken', { stimuli });
}
