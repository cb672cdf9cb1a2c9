import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { Refusal } from '../../shared/refusal.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import type { OpenSync } from '../../shared/sync/openSync.ts';
import { requestSync } from '../../shared/sync/requestSync.ts';
import { transfersOf } from '../../shared/sync/syncReport.ts';
import { connect, type Where } from '../connect.ts';
import { durationOf } from '../duration.ts';
import { openProgressBar, type ProgressBar } from '../progressBar.ts';
import { approveRemovals } from './approve.ts';
import { wordsOfCounts } from './counts.ts';
import { openSync } from './open.ts';
import { type Before, lookAgain, lookBefore, type Moment } from './watch.ts';

export type NowOptions = Where & {
  json?: true;
  wait: boolean;
  /** Minutes. */
  timeout: number;
  approveRemovals?: true;
  yes?: true;
};

/** @returns the exit code: 0 when all is done, 1 if something is open still */
export async function now(options: NowOptions): Promise<number> {
  const { json, wait, timeout, yes = false, ...where } = options;
  await connect(where);
  const sync = await openSync();
  const before = await lookBefore(sync);
  const approved = options.approveRemovals ? await approveRemovals(sync, yes) : [];
  if (!approved) return 1;
  const requestedAt = await requestSync(sync.publish, new Date());
  if (!wait) {
    if (json) console.log(JSON.stringify({ requestedAt, approved: approved.length }));
    else console.log('It is asked for. npx gazeline sync status shows how it goes.');
    return 0;
  }
  const bar = openProgressBar();
  process.once('SIGINT', () => {
    bar.end();
    console.error('\nYou watch no more, and the work goes on. npx gazeline sync status shows how it goes.');
    process.exit(130);
  });
  console.error('It is asked for. Ctrl-C ends the watching only.');
  try {
    const { moment, open } = await watch(sync, before, requestedAt, approved, timeout * 60_000, bar);
    bar.end();
    if (json)
      console.log(JSON.stringify({ requestedAt, ...moment, approved: approved.length, open }, undefined, 2));
    else console.log(summaryOf(moment, approved.length, open));
    return moment.isOver ? 0 : 1;
  } finally {
    bar.end();
  }
}

/** Looks until all is done, or until nothing has moved for `patience`; milliseconds. */
async function watch(
  sync: OpenSync,
  before: Before,
  requestedAt: string,
  approved: string[],
  patience: number,
  bar: ProgressBar,
): Promise<{ moment: Moment; open: string[] }> {
  let last = '';
  let since = Date.now();
  for (let pause = 200; ; pause = Math.min(pause * 1.5, 2000)) {
    const [moment, transfers] = await Promise.all([
      lookAgain(sync, before, requestedAt, approved),
      transfersOf(sync),
    ]);
    if (moment.isOver) return { moment, open: [] };
    const largest = transfers.map(({ name, bytes, of }) =>
      clean(`${name} ${of ? `${Math.floor((100 * bytes) / of)} %` : sizeOf(bytes)}`),
    );
    const { comparison } = moment;
    if (!comparison || comparison.folders > 0) {
      // How many files there are is not known; that it is not over yet should be seen.
      const { looked, folders } = comparison ?? { looked: 0, folders: 1 };
      const text = comparison ? `files compared; ${folders} folders are left` : 'the comparison begins';
      bar.show(looked, looked + folders, text);
    } else
      bar.show(moment.done, moment.asked, `files brought up to date${largest[0] ? `; ${largest[0]}` : ''}`);

    const seen = JSON.stringify([moment, transfers]);
    if (seen !== last) since = Date.now();
    last = seen;
    if (Date.now() - since > patience) return { moment, open: openOf(moment, largest) };
    await sleep(pause);
  }
}

function openOf({ isDrained, comparison, asked, done, held }: Moment, transfers: string[]): string[] {
  if (!isDrained && !comparison)
    throw new Refusal(
      'Nobody takes the work: are the functions running? npx gazeline sync status tells more.',
    );
  return [
    ...(isDrained ? [] : ['the changes are not read']),
    ...(!comparison ? ['the comparison has not begun'] : []),
    ...(comparison && comparison.folders > 0
      ? [`at least ${comparison.folders} folders are to be compared`]
      : []),
    ...(done < asked ? [`${asked - done} of ${asked} files are not brought up to date`] : []),
    ...(held > 0 ? [`${held} approved removals are not done`] : []),
    ...transfers.map((one) => `under way: ${one}`),
  ];
}

function summaryOf({ runs, comparison, isOver }: Moment, approved: number, open: string[]): string {
  const counts: Record<string, number> = {};
  for (const run of runs)
    for (const [verb, count] of Object.entries(run.counts)) counts[verb] = (counts[verb] ?? 0) + count;
  const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
  const longest = Math.max(0, ...runs.map(({ lag }) => lag.longest));
  const did = wordsOfCounts(counts);
  const what = [
    `${comparison?.looked ?? 0} files compared`,
    did || 'nothing to do',
    ...(bytes > 0 ? [sizeOf(bytes)] : []),
    ...(longest > 0 ? [`${durationOf(longest)} from change to object at most`] : []),
    ...(approved > 0 ? [`${approved} removals approved`] : []),
  ];
  if (isOver) return `${pc.green('✓')} Done: ${what.join(', ')}.`;
  return `${pc.yellow('…')} Not done yet: ${open.join('; ')}. So far: ${what.join(', ')}.\nThe work goes on; npx gazeline sync status shows how it goes.`;
}
