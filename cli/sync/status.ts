import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { RunReport } from '../../shared/drive/runs.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import { type SyncReport, syncReport } from '../../shared/sync/syncReport.ts';
import { connect, type Where } from '../connect.ts';
import { ago, durationOf } from '../duration.ts';
import { wordsOfCounts } from './counts.ts';
import { openSync } from './open.ts';

export type StatusOptions = Where & { json?: true; runs: number; all?: true };

/** So many of a list are shown unless all are asked for. */
const shown = 10;

/** @returns the exit code: 0 if the sync works, 1 if not; files that were skipped or wait do not count */
export async function status({ json, runs, all, ...where }: StatusOptions): Promise<number> {
  await connect(where);
  const now = Date.now();
  const report = await syncReport(await openSync(), runs, now);
  console.log(
    json
      ? JSON.stringify(report, undefined, 2)
      : wordsOf(report, all ? Number.POSITIVE_INFINITY : shown, now),
  );
  return report.healthy ? 0 : 1;
}

function wordsOf(report: SyncReport, most: number, now: number): string {
  const { healthy, troubles, feed, channel, comparison, transfers, runs, skipped, held, clashes } = report;
  const lines = healthy
    ? [`${pc.green('✓')} ${pc.bold('The sync works.')}`]
    : [`${pc.red('✗')} ${pc.bold('The sync needs somebody:')}`, ...troubles.map((trouble) => `  ${trouble}`)];
  lines.push('');
  if (feed) lines.push(row('changes', `read from Drive ${ago(feed.drainedAt, now)}`));
  lines.push(
    row(
      'push',
      channel
        ? `Drive tells us of changes; the channel ends in ${durationOf(Date.parse(channel.expiration) - now)}, and is renewed before`
        : 'none; changes are found every five minutes',
    ),
  );
  if (comparison) lines.push(row('comparison', comparisonOf(comparison, now)));
  for (const { name, bytes, of } of transfers) {
    const share = of ? ` of ${sizeOf(of)}, ${Math.floor((100 * bytes) / of)} %` : '';
    lines.push(row('under way', `${clean(name)}  ${pc.dim(`${sizeOf(bytes)}${share}`)}`));
  }
  if (report.waiting > 0)
    lines.push(row('tomorrow', `${report.waiting} files wait until Drive has quota again`));

  const section = (title: string, items: string[], hint?: string) => {
    if (items.length === 0) return;
    lines.push('', pc.bold(title), ...items.slice(0, most).map((item) => `  ${item}`));
    if (items.length > most) lines.push(pc.dim(`  … and ${items.length - most} more; --all shows them`));
    if (hint) lines.push(`  ${hint}`);
  };
  section(
    'Last runs',
    runs.map((run) => runOf(run, now)),
  );
  const file = ({ path, reason, fileId }: SyncReport['held'][number]) =>
    `${clean(path.join('/') || fileId)}  ${pc.dim(clean(reason))}`;
  section(
    countOf(held, 'removal waits', 'removals wait', 'for an answer'),
    held.map(file),
    `To remove them from the bucket (it keeps their versions): ${pc.cyan('npx gazeline sync now --approve-removals')}`,
  );
  section(countOf(skipped, 'file is', 'files are', 'skipped'), skipped.map(file));
  section(
    countOf(
      clashes,
      'file shares its',
      'files share their',
      'path with an older one, with the id in the name',
    ),
    clashes.map(clean),
  );
  section(
    countOf(report.problems, 'request', 'requests', 'could not be processed'),
    report.problems.map(({ function: name, reason, time }) =>
      clean(`${time.slice(0, 16)} ${name}: ${reason}`),
    ),
  );
  return lines.join('\n');
}

const countOf = ({ length }: unknown[], one: string, many: string, rest: string) =>
  `${length} ${length === 1 ? one : many} ${rest}`;

const row = (name: string, text: string) => `  ${name.padEnd(11)} ${text}`;

function comparisonOf(
  { state, startedAt, looked, asked, folders }: NonNullable<SyncReport['comparison']>,
  now: number,
) {
  const found = `${looked} files looked at, ${asked} of them to be brought up to date`;
  if (state === 'ended') return `the last began ${ago(startedAt, now)}: ${found}`;
  const left = `${found}; at least ${folders} folders are left`;
  return state === 'running'
    ? `running, since ${ago(startedAt, now)}: ${left}`
    : `half-way, waits to go on: ${left}`;
}

function runOf(
  { kind, startedAt, endedAt, asked, counts, bytes, units, lag, reasons }: RunReport,
  now: number,
): string {
  const did = wordsOfCounts(counts);
  const lags =
    lag.count > 0
      ? [`${durationOf(lag.sum / lag.count)} from change to object, ${durationOf(lag.longest)} at most`]
      : [];
  const what = [
    did || (asked > 0 ? `${asked} asked for` : 'nothing to do'),
    ...(bytes > 0 ? [sizeOf(bytes)] : []),
    ...(units > 0 ? [`${units} quota units`] : []),
    ...lags,
    ...(endedAt ? [] : ['not ended']),
  ];
  const why = Object.entries(reasons).map(
    ([reason, count]) => `\n      ${pc.dim(clean(`${count} × ${reason}`))}`,
  );
  const name = kind === 'drain' ? 'changes' : 'comparison';
  return `${ago(startedAt, now).padEnd(14)} ${name.padEnd(10)} ${what.join('; ')}${why.join('')}`;
}
