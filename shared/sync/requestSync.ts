import { publishFileChanges } from '../drive/fileChanged.ts';
import { type Attention, listAttention } from '../drive/fileRecord.ts';
import { publishDrain } from '../drive/requestDrain.ts';
import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';

/** Asks for all of it now: the changes, and a comparison of the whole tree. @returns when, which the answer is known by */
export async function requestSync(publish: Publish, now: Date): Promise<string> {
  const requestedAt = now.toISOString();
  await publishDrain(publish);
  await publish('drive-reconcile', [{ data: { requestedAt } }]);
  return requestedAt;
}

/** The removals that wait for somebody who agrees to them. */
export async function heldRemovals(records: Records): Promise<Attention[]> {
  const held: Attention[] = [];
  for await (const one of listAttention(records)) if (one.kind === 'held') held.push(one);
  return held;
}

/**
 * Somebody agrees: `file-sync` is asked for each of them again. What has come back meanwhile is not removed, as it looks at
 * Drive first.
 */
export async function agreeToRemovals(publish: Publish, fileIds: string[]): Promise<void> {
  // They were held because the feed, or a listing, had said that they are gone.
  await publishFileChanges(
    publish,
    fileIds.map((fileId) => ({ fileId, removed: true, verify: true, approved: true })),
  );
}
