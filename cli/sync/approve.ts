import { clean } from '../../shared/clean.ts';
import { publishFileChanges } from '../../shared/drive/fileChanged.ts';
import { type Attention, listAttention } from '../../shared/drive/fileRecord.ts';
import { agrees } from '../agrees.ts';
import type { OpenSync } from './open.ts';

const shown = 10;

/**
 * Shows the removals that are held, asks whether they are meant, and asks `file-sync` for each of them again. What has
 * come back meanwhile is not removed: `file-sync` looks at Drive first.
 * @returns the ids of the files; undefined if the answer is no
 */
export async function approveRemovals(
  { records, publish }: OpenSync,
  isAgreed: boolean,
): Promise<string[] | undefined> {
  const held: Attention[] = [];
  for await (const one of listAttention(records)) if (one.kind === 'held') held.push(one);
  if (held.length === 0) {
    console.error('No removal waits for an answer.');
    return [];
  }
  console.error(`${held.length} files are to be removed from the bucket, which keeps their versions:`);
  for (const { path, fileId, reason } of held.slice(0, shown))
    console.error(`  ${clean(path.join('/') || fileId)}  ${clean(reason)}`);
  if (held.length > shown)
    console.error(`  … and ${held.length - shown} more; npx gazeline sync status --all`);
  const nobody = 'There is nobody to ask whether these removals are meant. Say so with --yes.';
  if (!isAgreed && !(await agrees('Remove them?', nobody))) {
    console.error('Nothing is removed, and nothing else is asked for.');
    return undefined;
  }
  const ids = held.map(({ fileId }) => fileId);
  // They were held because the feed, or a listing, had said that they are gone.
  await publishFileChanges(
    publish,
    ids.map((fileId) => ({ fileId, removed: true, verify: true, approved: true })),
  );
  return ids;
}

/** Those of the files whose removal is held still. */
export async function stillHeld({ records }: OpenSync, fileIds: string[]): Promise<string[]> {
  if (fileIds.length === 0) return [];
  const held = new Set<string>();
  for await (const { kind, fileId } of listAttention(records)) if (kind === 'held') held.add(fileId);
  return fileIds.filter((id) => held.has(id));
}
