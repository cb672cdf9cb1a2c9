import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { BadPageToken, Feed, feedRecord, pageOf } from '../shared/drive/feed.ts';
import { publishFileChanges } from '../shared/drive/fileChanged.ts';
import { type Cost, metered } from '../shared/drive/metered.ts';
import { noteRun, runId } from '../shared/drive/runs.ts';
import type { Log } from '../shared/log.ts';
import type { Publish } from '../shared/publish.ts';
import type { Records } from '../shared/storage/records.ts';

export const DriveChanged = z.object({});

/** A storm of pushes makes a drain a second, and no more; that is also as often as a record may be written. */
const pause = 1000;

export type DriveFeedDependencies = {
  drive: drive_v3.Drive;
  records: Records;
  publish: Publish;
  drainBegins: () => Promise<void>;
  /** Asks for a look at the whole tree. */
  requestReconcile: () => Promise<void>;
  sharedDrive?: string | undefined;
  log: Log;
  now: () => number;
  wait: (ms: number) => Promise<void>;
};

/** Hands on every change of the feed since the last time: one message for each file, whatever happened to it. */
export async function driveFeed(dependencies: DriveFeedDependencies): Promise<void> {
  const { records, drainBegins, log, now, wait } = dependencies;
  const feed = await records.read(feedRecord, Feed);
  if (feed) {
    const since = now() - Date.parse(feed.value.drainedAt);
    if (since >= 0 && since < pause) await wait(pause - since);
  }
  await drainBegins();
  if (!feed) return startFeed(dependencies, '0');
  const cost: Cost = { units: 0, requests: 0 };
  try {
    await metered(cost, () => drain(dependencies, feed.value.pageToken, feed.generation, cost));
  } catch (error) {
    if (!(error instanceof BadPageToken)) throw error;
    log.error('Drive does not take the page token any more; the whole tree is compared instead', { error });
    await startFeed(dependencies, feed.generation);
  }
}

/** The token of a page is stored after its messages are published, so a crash repeats messages and loses none. */
async function drain(
  dependencies: DriveFeedDependencies,
  pageToken: string,
  generation: string,
  cost: Cost,
): Promise<void> {
  const { drive, records, publish, sharedDrive, log, now } = dependencies;
  const startedAt = date(now());
  const run = runId('drain', new Date(now()));
  let looked = 0;
  for (let token = pageToken, known = generation; ; ) {
    const data = await pageOf(drive, token, sharedDrive);
    const changes = (data.changes ?? []).filter(({ changeType, fileId }) => changeType !== 'drive' && fileId);
    await publishFileChanges(
      publish,
      changes.map(({ fileId, removed, time }) => ({
        fileId: fileId ?? '',
        removed: !!removed,
        run,
        ...(time ? { changedAt: time } : {}),
      })),
    );
    const next = data.nextPageToken ?? data.newStartPageToken;
    if (!next) throw new Error('Drive answered a page of changes without a token for the next one');
    const written = await records.write(feedRecord, { pageToken: next, drainedAt: date(now()) }, known);
    looked += changes.length;
    // Somebody else drained the same page, and goes on from there.
    if (written && data.nextPageToken) {
      token = next;
      known = written;
      continue;
    }
    if (looked === 0) return;
    const { units } = cost;
    await noteRun(records, run, {
      kind: 'drain',
      startedAt,
      endedAt: date(now()),
      looked,
      asked: looked,
      units,
    });
    return log.info('drained', { changes: looked });
  }
}

/** The token first, then the tree: what changes in between is then found twice rather than never. */
async function startFeed(dependencies: DriveFeedDependencies, generation: string): Promise<void> {
  const { drive, records, requestReconcile, sharedDrive, log, now } = dependencies;
  const { data } = await drive.changes.getStartPageToken({
    supportsAllDrives: true,
    ...(sharedDrive ? { driveId: sharedDrive } : {}),
  });
  if (!data.startPageToken) throw new Error('Drive answered without a start page token');
  await requestReconcile();
  await records.write(feedRecord, { pageToken: data.startPageToken, drainedAt: date(now()) }, generation);
  log.info('the feed begins; the whole tree is compared');
}

const date = (ms: number) => new Date(ms).toISOString();
