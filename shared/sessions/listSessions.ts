import { readFolder, type Unreadable } from '../storage/readFolder.ts';
import type { Records } from '../storage/records.ts';
import { isOver, readSession, type SessionRecord, sessionFolder } from './sessionRecord.ts';

/**
 * Sessions by name.
 * @param all also those of which nothing is left
 */
export async function listSessions(
  records: Records,
  { all = false } = {},
): Promise<{ sessions: SessionRecord[]; unreadable: Unreadable[] }> {
  const { found, unreadable } = await readFolder(records, sessionFolder, (name) =>
    readSession(records, name),
  );
  return { sessions: found.filter((one) => all || !isOver(one)), unreadable };
}
