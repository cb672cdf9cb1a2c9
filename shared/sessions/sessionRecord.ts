import * as z from 'zod';
import { jobIdPattern } from '../jobs/jobId.ts';
import { Try } from '../jobs/jobRecord.ts';
import { Candidate } from '../machines/candidate.ts';
import type { Records } from '../storage/records.ts';
import { Session } from './session.ts';

export const sessionStates = [
  /** An instance is looked for, zone after zone. */
  'placing',
  'running',
  'stopping',
  /** Its disks are kept. */
  'stopped',
  /** It was stopped, and is wanted again. */
  'starting',
  'deleting',
  /** Nothing of it is left. */
  'deleted',
  /** There was no machine, and there is none. */
  'failed',
  /** It may not have one. */
  'refused',
] as const;
export type SessionState = (typeof sessionStates)[number];

const time = z.iso.datetime();

/** The record of a session, `sessions/<name>.json` in the state bucket. */
export const SessionRecord = z.object({
  name: z.string().regex(jobIdPattern),
  session: Session,
  owner: z.string(),
  createdAt: time,
  /** What its owner wants, and since when. */
  wish: z.enum(['running', 'stopped', 'deleted']),
  wishedAt: time,
  state: z.enum(sessionStates),
  /** Why it is in this state, in words. */
  reason: z.string().optional(),
  /** How often an instance was asked for; a part of the request's id. */
  round: z.int().min(0),
  /** Written before an instance is asked for: whoever goes on after a crash knows where one may be. */
  asked: z
    .object({
      at: time,
      candidate: Candidate,
      requestId: z.string(),
      /** Workbench has said yes to the request, which says nothing yet of whether there will be a machine. */
      acceptedAt: time.optional(),
      operation: z.string().optional(),
    })
    .optional(),
  /** The last ones. */
  tries: z.array(Try),
  /** What it runs on; none as long as there is no instance. It never changes: its disks are in that zone. */
  candidate: Candidate.optional(),
  /** What was last asked of the instance. */
  action: z
    .object({ verb: z.enum(['start', 'stop', 'delete']), at: time, operation: z.string().optional() })
    .optional(),
  /** Of its machine, by which Monitoring and the idle sweep know it. */
  instanceId: z.string().optional(),
  /** Where its Jupyter is reached by its owner. */
  link: z.string().optional(),
  startedAt: time.optional(),
  /** It is stopped then. */
  endsAt: time.optional(),
  stoppedAt: time.optional(),
  /** Since when Workbench says that there is no such instance. */
  missingSince: time.optional(),
  history: z.array(z.object({ at: time, state: z.enum(sessionStates), reason: z.string().optional() })),
});
export type SessionRecord = z.infer<typeof SessionRecord>;

export const sessionFolder = 'sessions/';
export const sessionRecordName = (name: string) => `${sessionFolder}${name}.json`;

/** Sessions of which something may be there, so that the sweep need not look at all there ever were. */
export const activeSessions = 'active-sessions/';
export const activeSessionName = (name: string) => `${activeSessions}${name}.json`;
/** Written anew with each session of the name. */
export const ActiveSession = z.object({ since: time });

export const readSession = async (records: Records, name: string): Promise<SessionRecord | undefined> =>
  (await records.read(sessionRecordName(name), SessionRecord))?.value;

/** Nothing is left of it, and nothing will come. */
export const isOver = ({ state }: Pick<SessionRecord, 'state'>): boolean =>
  state === 'deleted' || state === 'failed' || state === 'refused';

/** As long as it is being placed, somebody may be about to ask for one. */
export const mayHaveMachine = (record: SessionRecord | undefined): boolean =>
  record !== undefined && !isOver(record) && record.state !== 'stopped';

const mostHistory = 100;

/** With a line in the history. */
export function moved(
  record: SessionRecord,
  state: SessionState,
  at: string,
  reason?: string,
): SessionRecord {
  const { reason: _, ...rest } = record;
  const line = { at, state, ...(reason === undefined ? {} : { reason }) };
  return {
    ...rest,
    state,
    ...(reason === undefined ? {} : { reason }),
    history: [...record.history, line].slice(-mostHistory),
  };
}

/**
 * Compare-and-set.
 * @param change undefined, or the very same record, leaves it as it is
 * @returns the session as it is now
 */
export async function changeSession(
  records: Records,
  name: string,
  change: (record: SessionRecord) => SessionRecord | undefined,
): Promise<SessionRecord | undefined> {
  return records.update(sessionRecordName(name), SessionRecord, (before): SessionRecord | undefined => {
    const after = before && change(before);
    return after === before ? undefined : after;
  });
}
