import { BadPageToken, Feed, feedRecord, pageOf } from '../drive/feed.ts';
import type { OpenSync } from './openSync.ts';

/** `unknown`: the next drain cannot go on from here, and compares the whole tree. */
export type Pending = {
  state: 'known' | 'unknown' /** By file id: is it reported as removed? */;
  changes: Map<string, boolean>;
};

/** What the change feed has to say since it was drained, read without moving on in it. */
export async function pendingChanges({ drive, records, sharedDrive }: OpenSync): Promise<Pending> {
  const changes = new Map<string, boolean>();
  const feed = await records.read(feedRecord, Feed);
  if (!feed) return { state: 'unknown', changes };
  try {
    let token: string | null | undefined = feed.value.pageToken;
    while (token) {
      const data = await pageOf(drive, token, sharedDrive);
      for (const { changeType, fileId, removed } of data.changes ?? [])
        if (changeType !== 'drive' && fileId) changes.set(fileId, !!removed);
      token = data.nextPageToken;
    }
  } catch (error) {
    if (!(error instanceof BadPageToken)) throw error;
    return { state: 'unknown', changes: new Map() };
  }
  return { state: 'known', changes };
}
