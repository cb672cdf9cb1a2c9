import { Channels, channelsRecord } from '../drive/channels.ts';
import { getFile } from '../drive/driveFile.ts';
import { Feed, feedRecord } from '../drive/feed.ts';
import { type Attention, listAttention } from '../drive/fileRecord.ts';
import { pathOfObject } from '../drive/objectName.ts';
import { Progress, progressRecord } from '../drive/progress.ts';
import { listRuns, type RunReport } from '../drive/runs.ts';
import { Transfer, transferFolder } from '../drive/transfer.ts';
import { listProblems, type Problem } from '../unprocessable.ts';
import type { OpenSync } from './openSync.ts';

/** How the sync is: what `--json` prints, and what the words are made from. */
export type SyncReport = {
  healthy: boolean;
  /** What is not as it should be with the sync itself, in words. */
  troubles: string[];
  feed: { drainedAt: string } | undefined;
  channel: { expiration: string } | undefined;
  comparison:
    | {
        run: string;
        state: 'running' | 'waiting' | 'ended';
        startedAt: string;
        looked: number;
        asked: number;
        folders: number;
      }
    | undefined;
  transfers: { name: string; bytes: number; of: number | undefined }[];
  runs: RunReport[];
  skipped: Attention[];
  held: Attention[];
  /** Objects whose plain name belongs to another file of the same path. */
  clashes: string[];
  /** Files that wait for tomorrow, when Drive has quota again. */
  waiting: number;
  problems: Problem[];
};

/** The feed is polled every five minutes; this is three times that. */
const longestSilence = 15 * 60_000;
/** An unfinished comparison at which nobody has been for so long does not go on by itself. */
const longestPause = 15 * 60_000;

export async function syncReport(sync: OpenSync, mostRuns: number, now: number): Promise<SyncReport> {
  const { records, config } = sync;
  const [feed, channels, progress, transfers, runs, attention, clashes, waiting, problems] =
    await Promise.all([
      records.read(feedRecord, Feed),
      records.read(channelsRecord, Channels),
      records.read(progressRecord, Progress),
      transfersOf(sync),
      listRuns(records, mostRuns, now),
      all(listAttention(records)),
      clashesIn(sync),
      all(records.list('waiting/')),
      all(listProblems(records)),
    ]);
  const expirations = (channels?.value ?? []).map(({ expiration }) => expiration).sort();
  const expiration = expirations.at(-1);
  const channel = expiration && Date.parse(expiration) > now ? { expiration } : undefined;
  const comparison = progress ? comparisonOf(progress.value, now) : undefined;
  const inSync = problems.filter(({ function: name }) => name.startsWith('drive-') || name === 'file-sync');

  const troubles: string[] = [];
  if (!feed) troubles.push('it has not begun: nobody has read the change feed yet');
  else if (now - Date.parse(feed.value.drainedAt) > longestSilence)
    troubles.push('the change feed is not being read, though it should be every five minutes');
  if (config.webhookUrl && !channel)
    troubles.push(
      'Drive does not tell us of changes (there is no push channel); they are found within five minutes',
    );
  if (progress && comparison?.state === 'waiting' && now - Date.parse(progress.value.until) > longestPause)
    troubles.push('a comparison of the tree has stopped half-way; npx gazeline sync now lets it go on');

  return {
    healthy: troubles.length === 0,
    troubles,
    feed: feed && { drainedAt: feed.value.drainedAt },
    channel,
    comparison,
    transfers,
    runs,
    skipped: attention.filter(({ kind }) => kind === 'skipped'),
    held: attention.filter(({ kind }) => kind === 'held'),
    clashes,
    waiting: waiting.filter((name) => name.includes('/file-changed/')).length,
    problems: inSync,
  };
}

function comparisonOf({ run, startedAt, until, places, looked, asked }: Progress, now: number) {
  const isAtWork = Date.parse(until) > now;
  const state = places.length === 0 ? 'ended' : isAtWork ? 'running' : 'waiting';
  return { run, state, startedAt, looked, asked, folders: places.length } as const;
}

/** The large files that are under way. The record knows how far it has come, and Drive how far it is. */
export async function transfersOf({ records, drive }: OpenSync): Promise<SyncReport['transfers']> {
  const names = await all(records.list(transferFolder));
  const transfers = await Promise.all(
    names.map(async (record) => {
      const transfer = (await records.read(record, Transfer))?.value;
      if (!transfer) return [];
      const file = await getFile(drive, record.slice(transferFolder.length, -'.json'.length)).catch(
        () => undefined,
      );
      const of = file?.size === undefined ? undefined : Number(file.size);
      return [{ name: transfer.name, bytes: transfer.sent, of }];
    }),
  );
  return transfers.flat();
}

async function clashesIn({ raw }: OpenSync): Promise<string[]> {
  const [files] = await raw.getFiles({ matchGlob: '**/*~*' });
  return files.flatMap(({ name, metadata }) => {
    const { fileId, cut } = pathOfObject(name);
    const isOurs = fileId !== undefined && metadata.metadata?.['drive-file-id'] === fileId;
    return isOurs && !cut ? [name] : [];
  });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
