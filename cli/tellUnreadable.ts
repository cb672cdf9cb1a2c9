import pc from 'picocolors';
import { clean } from '../shared/clean.ts';
import type { Unreadable } from '../shared/storage/readFolder.ts';

/** Names the records that a list lacks. @returns the exit code: 1 if there are any */
export function tellUnreadable(unreadable: Unreadable[]): number {
  for (const { id, reason } of unreadable)
    console.error(pc.red(clean(`${id} cannot be read: ${reason}`.slice(0, 500))));
  return unreadable.length > 0 ? 1 : 0;
}
