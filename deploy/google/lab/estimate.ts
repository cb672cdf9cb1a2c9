import { Cron } from 'croner';
import { functions } from '../../../functions/index.ts';
import { type Trigger, usualMemory } from '../../../shared/trigger.ts';
import type { Used } from './prices.ts';

/**
 * What one call is reckoned with. The seconds are more than what was measured here for most (`npm run bench:cold-start`: a
 * first event, with the start of its process, is done in half a second to two), and Google rounds up to 0.1.
 */
const perCall = { seconds: 1, writes: 1, reads: 3 };

/** What a lab uses in a month of 30 days in which nobody does anything: its clocks tick. */
export function idleMonth(): Used {
  const ticking = Object.values(functions).flatMap(({ trigger }) =>
    trigger.kind === 'clock' ? [{ trigger, ticks: ticksInMonth(trigger.schedule) }] : [],
  );
  const clocks = ticking.length;
  // Each look at Drive is a message to the function that reads the feed.
  const feed = functions['drive-feed'].trigger;
  const drains = ticking.find(({ trigger }) => trigger.topic === 'drive-tick')?.ticks ?? 0;
  return used([...ticking, { trigger: feed, ticks: drains }], clocks);
}

/**
 * What bringing and annotating so many stimuli uses once: half of them pictures of 2 MB, half texts of 3,000 characters,
 * with the features that run by themselves.
 */
export function stimuli(count: number): Used {
  const way = ['drive-feed', 'file-sync', 'object-arrived', 'annotate', 'job-event'] as const;
  const moving = used(
    way.map((name) => ({ trigger: functions[name].trigger, ticks: count })),
    0,
  );
  const images = count / 2;
  const texts = (count / 2) * 3;
  return {
    ...moving,
    gigabyteMonth: (images * 2) / 1000,
    imageObjects: images,
    imageFeature: images * 3,
    textSyntax: texts,
    textEntities: texts,
    textSentiment: texts,
  };
}

function used(calls: { trigger: Trigger; ticks: number }[], clocks: number): Used {
  const all = calls.reduce((sum, { ticks }) => sum + ticks, 0);
  const gibSeconds = calls.reduce(
    (sum, { trigger, ticks }) => sum + (ticks * perCall.seconds * (trigger.memory ?? usualMemory)) / 1024,
    0,
  );
  return {
    cpuSecond: all * perCall.seconds,
    memoryGibSecond: gibSeconds,
    request: all,
    message: all,
    clock: clocks,
    write: all * perCall.writes,
    read: all * perCall.reads,
  };
}

/** In 30 days. Counted for one: going through all minutes of a month takes seconds. */
function ticksInMonth(schedule: string): number {
  if (!schedule.endsWith(' * * *'))
    throw new Error(`“${schedule}” is not the same every day: count it by the month`);
  const cron = new Cron(schedule, { timezone: 'UTC', paused: true });
  const end = Date.UTC(2026, 0, 2);
  let count = 0;
  for (
    let next = cron.nextRun(new Date(Date.UTC(2026, 0, 1) - 1));
    next && next.getTime() < end;
    next = cron.nextRun(next)
  )
    count++;
  return 30 * count;
}
