import { clean } from '../../shared/clean.ts';
import type { OpenSync } from '../../shared/sync/openSync.ts';
import { agreeToRemovals, heldRemovals } from '../../shared/sync/requestSync.ts';
import { agrees } from '../agrees.ts';

const shown = 10;

/**
 * Shows the removals that are held, and asks whether they are meant.
 * @returns the ids of the files; undefined if the answer is no
 */
export async function approveRemovals(
  { records, publish }: OpenSync,
  isAgreed: boolean,
): Promise<string[] | undefined> {
  const held = await heldRemovals(records);
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
  await agreeToRemovals(publish, ids);
  return ids;
}

/** Those of the files whose removal is held still. */
export async function stillHeld({ records }: OpenSync, fileIds: string[]): Promise<string[]> {
  if (fileIds.length === 0) return [];
  const held = new Set((await heldRemovals(records)).map(({ fileId }) => fileId));
  return fileIds.filter((id) => held.has(id));
}
