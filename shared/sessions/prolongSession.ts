import { isOpenForWork } from '../budget/isOpenForWork.ts';
import type { Records } from '../storage/records.ts';
import type { SessionDependencies } from './dependencies.ts';
import { roomFor } from './place.ts';
import { SessionConflict } from './requestSession.ts';
import { changeSession, moved, readSession, type SessionRecord } from './sessionRecord.ts';

export type ProlongDependencies = Pick<SessionDependencies, 'limits' | 'now'> & { records: Records };

const hour = 3_600_000;
/** As of a session that is started: nobody knows today what they need in two weeks. */
const mostAhead = 168 * hour;

/**
 * Puts off the end of a session that runs, by so many hours, if that is within the limits of the lab and of its owner: what
 * is held for it grows with it. That it is stopped when nobody uses it stays as it is.
 * @returns undefined if there is none
 * @throws SessionConflict if it does not run, or may not run for so long
 */
export async function prolongSession(
  name: string,
  { by, hours }: { by: string; hours: number },
  dependencies: ProlongDependencies,
): Promise<SessionRecord | undefined> {
  const { records, now } = dependencies;
  const record = await readSession(records, name);
  if (!record) return undefined;
  const { state, wish, endsAt, candidate } = record;
  if (state !== 'running' || wish !== 'running' || !endsAt || !candidate)
    throw new SessionConflict(
      `${name} does not run (${state}), so there is nothing to prolong${state === 'stopped' ? `; resumed, it has ${hoursWords(record.session.hours)} again` : ''}`,
    );
  const end = Date.parse(endsAt) + hours * hour;
  const latest = now() + mostAhead;
  if (end > latest)
    throw new SessionConflict(
      `${name} ends at ${endsAt}, and may be prolonged to a week from now at the most: ${roomWords(latest - Date.parse(endsAt))}`,
    );
  const open = await isOpenForWork(records, now());
  if (!open.isOpen) throw new SessionConflict(`${name} is not prolonged: ${open.reason}`);
  const seconds = Math.max(0, end - now()) / 1000;
  const room = await roomFor(record, candidate, dependencies, seconds);
  if (!room.isAllowed) throw new SessionConflict(`${name} is not prolonged: ${room.reason}`);

  const until = new Date(end).toISOString();
  const at = new Date(now()).toISOString();
  let isDone = false;
  const after = await changeSession(records, name, (before) => {
    isDone = before.state === state && before.wish === wish && before.endsAt === endsAt;
    if (!isDone) return before;
    // It is in the history; why it runs where it runs is not changed by it.
    const { history } = moved(
      before,
      state,
      at,
      `${by} prolonged it by ${hoursWords(hours)}, until ${until}`,
    );
    return { ...before, endsAt: until, history };
  });
  if (!isDone)
    throw new SessionConflict(
      `${name} was stopped or prolonged by somebody else at the same moment; look at it first`,
    );
  return after;
}

const hoursWords = (hours: number) => `${hours} hour${hours === 1 ? '' : 's'}`;

function roomWords(ms: number): string {
  // Rounded down: what is said is allowed.
  const hours = Math.floor(ms / (hour / 10)) / 10;
  return hours > 0 ? `by ${hoursWords(hours)} more` : 'it ends no earlier as it is';
}
