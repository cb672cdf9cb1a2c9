import { Feed, feedRecord } from '../../shared/drive/feed.ts';
import { Progress, progressRecord } from '../../shared/drive/progress.ts';
import { listRuns, type RunReport } from '../../shared/drive/runs.ts';
import type { OpenSync } from '../../shared/sync/openSync.ts';
import { stillHeld } from './approve.ts';

/** What there was before something was asked for. By that, and by no clock, is known what came of it. */
export type Before = {
  drainedAt: string | undefined;
  comparison: string | undefined;
  runs: Set<string>;
};

export type Moment = {
  isDrained: boolean;
  /** The comparison that was asked for, once it has begun. */
  comparison: { looked: number; asked: number; folders: number } | undefined;
  /** The drains and the comparison that were asked for, with what has been done for them. */
  runs: RunReport[];
  asked: number;
  /** Messages that have come to their end; of those that are repeated, the last time counts. */
  done: number;
  /** Approved removals that are held still. */
  held: number;
  isOver: boolean;
};

const mostRuns = 20;

export async function lookBefore({ records }: OpenSync): Promise<Before> {
  const [feed, progress, runs] = await Promise.all([
    records.read(feedRecord, Feed),
    records.read(progressRecord, Progress),
    listRuns(records, mostRuns),
  ]);
  return {
    drainedAt: feed?.value.drainedAt,
    comparison: progress?.value.run,
    runs: new Set(runs.map(({ id }) => id)),
  };
}

export async function lookAgain(
  sync: OpenSync,
  { drainedAt, comparison, runs: before }: Before,
  requestedAt: string,
  approved: string[],
): Promise<Moment> {
  const { records } = sync;
  const [feed, progress, runs, held] = await Promise.all([
    records.read(feedRecord, Feed),
    records.read(progressRecord, Progress),
    listRuns(records, mostRuns),
    stillHeld(sync, approved),
  ]);
  const isDrained = feed !== undefined && feed.value.drainedAt !== drainedAt;
  // One that was going on when it was asked for does not count; the next one does.
  const answers =
    progress?.value.run !== comparison ||
    Date.parse(progress?.value.startedAt ?? '') > Date.parse(requestedAt);
  const current = answers ? progress?.value : undefined;
  const ours = runs.filter(({ id }) => !before.has(id) || id === current?.run);
  const asked = ours.reduce((sum, run) => sum + run.asked, 0);
  const done = ours.reduce((sum, run) => sum + Math.min(run.asked, endsOf(run)), 0);
  // The run's record is written after that of the progress.
  const isCompared =
    current?.places.length === 0 && ours.some(({ id, endedAt }) => id === current.run && endedAt);
  const hasEnded = ours.every(({ endedAt }) => endedAt);
  return {
    isDrained,
    comparison: current && { looked: current.looked, asked: current.asked, folders: current.places.length },
    runs: ours,
    asked,
    done,
    held: held.length,
    isOver: isDrained && isCompared && hasEnded && done >= asked && held.length === 0,
  };
}

/** A message that failed, or handed the work on, comes again. */
function endsOf({ counts }: RunReport): number {
  const { failed: _, 'handed on': __, ...ends } = counts;
  return Object.values(ends).reduce((sum, count) => sum + count, 0);
}
