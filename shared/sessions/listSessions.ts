import pLimit from 'p-limit';
import type { Records } from '../storage/records.ts';
import { isOver, readSession, type SessionRecord, sessionFolder } from './sessionRecord.ts';

const atATime = 16;

/**
 * Sessions by name. One whose record cannot be read must not hide the others.
 * @param all also those of which nothing is left
 */
export async function listSessions(
  records: Records,
  { all = false } = {},
): Promise<{ sessions: SessionRecord[]; unreadable: string[] }> {
  const limit = pLimit(atATime);
  const reading: Promise<SessionRecord | string | undefined>[] = [];
  for await (const file of records.list(sessionFolder)) {
    const name = file.slice(sessionFolder.length, -'.json'.length);
    reading.push(limit(() => readSession(records, name).catch((error: Error) => error.message)));
  }
  const read = await Promise.all(reading);
  return {
    sessions: read.filter((one) => typeof one === 'object').filter((one) => all || !isOver(one)),
    unreadable: read.filter((one) => typeof one === 'string'),
  };
}
