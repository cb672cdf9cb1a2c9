import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';
import type { Session } from './session.ts';
import {
  ActiveSession,
  activeSessionName,
  changeSession,
  isOver,
  moved,
  type SessionRecord,
  SessionRecord as SessionRecordSchema,
  sessionRecordName,
} from './sessionRecord.ts';

/** It cannot be done as things are, and the message says why and what can. */
export class SessionConflict extends Error {
  override name = 'SessionConflict';
}

type With = { records: Records; publish: Publish };

/** Messages of one session come one after the other. */
export const requestSession = (publish: Publish, name: string): Promise<void> =>
  publish('session-requested', [{ data: { session: name }, orderingKey: name }]);

/**
 * A new session, or the same once more if it is asked for by its owner in the same words.
 * @throws SessionConflict if there is another of this name
 */
export async function newSession(
  { records, publish }: With,
  { session, owner }: { session: Session; owner: string },
  now: Date,
): Promise<SessionRecord> {
  const { name } = session;
  const at = now.toISOString();
  const fresh: SessionRecord = {
    name,
    session,
    owner,
    createdAt: at,
    wish: 'running',
    wishedAt: at,
    state: 'placing',
    round: 0,
    tries: [],
    history: [{ at, state: 'placing' }],
  };
  // First, so that there is never a session that no sweep looks at.
  await records.update(activeSessionName(name), ActiveSession, () => ({ since: at }));
  const record = await records.update(
    sessionRecordName(name),
    SessionRecordSchema,
    (before): SessionRecord | undefined => (before && !isOver(before) ? undefined : fresh),
  );
  if (!record) return fresh;
  const isSame = record.owner === owner && JSON.stringify(record.session) === JSON.stringify(session);
  if (!isSame)
    throw new SessionConflict(
      `there is a session ${name} of ${record.owner} already (${record.state}); choose another name, or resume that one`,
    );
  await requestSession(publish, name);
  return record;
}

/**
 * Starts one that is stopped, on its own disks; one that runs goes on as it is.
 * @returns undefined if there is none
 * @throws SessionConflict if it is over or being deleted
 */
export async function resumeSession(
  { records, publish }: With,
  name: string,
  now: Date,
): Promise<SessionRecord | undefined> {
  const at = now.toISOString();
  const record = await wish({ records, publish }, name, (before) => {
    if (before.wish !== 'stopped') return before;
    const { action: _, ...rest } = before;
    // One that has no instance yet goes on looking for one.
    const state = before.candidate ? 'starting' : 'placing';
    return { ...moved(rest, state, at), wish: 'running', wishedAt: at };
  });
  if (record && (isOver(record) || record.wish === 'deleted'))
    throw new SessionConflict(`${name} is ${record.state}, and cannot be resumed; start a new one`);
  return record;
}

/** @returns undefined if there is none */
export const stopSession = (
  to: With,
  name: string,
  now: Date,
  reason?: string,
): Promise<SessionRecord | undefined> => {
  const at = now.toISOString();
  return wish(to, name, (before) => {
    if (before.wish !== 'running') return before;
    const { action: _, ...rest } = before;
    // What is being placed is stopped when it is known whether there is something.
    const next = before.candidate ? moved(rest, 'stopping', at, reason) : rest;
    return { ...next, wish: 'stopped', wishedAt: at };
  });
};

/** With its disks, for good. @returns undefined if there is none */
export const deleteSession = (to: With, name: string, now: Date): Promise<SessionRecord | undefined> => {
  const at = now.toISOString();
  return wish(to, name, (before) => {
    if (before.wish === 'deleted') return before;
    const { action: _, ...rest } = before;
    const next = before.candidate ? moved(rest, 'deleting', at) : rest;
    return { ...next, wish: 'deleted', wishedAt: at };
  });
};

async function wish(
  { records, publish }: With,
  name: string,
  change: (record: SessionRecord) => SessionRecord,
): Promise<SessionRecord | undefined> {
  const record = await changeSession(records, name, (before) => (isOver(before) ? before : change(before)));
  if (record && !isOver(record)) await requestSession(publish, name);
  return record;
}
