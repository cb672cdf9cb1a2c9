import type { Candidate } from '../machines/candidate.ts';
import {
  type Attempt,
  currentAttempt,
  ends,
  isEnd,
  type JobRecord,
  type State,
  type Try,
} from './jobRecord.ts';
import type { Report } from './report.ts';

/**
 * What happens to a job. `at` is by the clock of whoever writes the record, and only ever shown: what counts is the
 * attempt and, of its reports, the sequence.
 */
export type JobEvent = { at: string } & (
  | { type: 'place' }
  | { type: 'estimated'; estimate: NonNullable<JobRecord['estimate']> }
  | { type: 'resolved'; commit: string }
  /** A machine is about to be asked for. */
  | { type: 'asking'; attempt: number; candidate: Candidate; requestId: string }
  /** It could not be had, and by what the service says there is none. */
  | { type: 'tried'; attempt: number; try: Try }
  /** There is a machine. */
  | { type: 'inserted'; attempt: number; candidate: Candidate; insertedAt: string; endsAt?: string }
  /** `isHeld`: not for want of a machine, so that it does not count as waiting for one. */
  | { type: 'wait'; attempt: number; retryAt: string; reason: string; isHeld?: true }
  | { type: 'report'; report: Report }
  /** The machine ended without a word, or says no more. */
  | {
      type: 'gone';
      attempt: number;
      cause: 'preempted' | 'vanished' | 'boot-failed' | 'time-limit';
      reason: string;
    }
  /** Nothing of this attempt is left: no machine, no disk, no queued resource. */
  | { type: 'released'; attempt: number }
  | { type: 'cancel' }
  /** No machine, for this reason, and none will come. */
  | { type: 'fail'; reason: string }
  /** Not begun, since it may not be. */
  | { type: 'refuse'; reason: string }
);

/** Once there was a machine, a job is not refused any more. */
const endsOfMachine = ends.filter((state) => state !== 'refused');

/**
 *     queued ─▶ placing ─▶ starting ─▶ running ─▶ uploading ─▶ succeeded
 *       ▲         │ ▲                     │
 *       │         ▼ │                     ├─▶ failed, lost
 *       │   waiting-for-capacity          │
 *       └───────── another attempt ───────┘       from everywhere: cancelled, and before a machine: refused
 *
 * A step may be left out, as its report may be late or lost. None is taken back within an attempt.
 */
export const follows: { [state in State]: State[] } = {
  queued: ['placing', 'failed', 'cancelled', 'refused'],
  // A report may be faster than the answer to the insert, so all that a machine does may follow.
  placing: ['waiting-for-capacity', 'starting', 'running', 'uploading', 'queued', ...ends],
  // A machine may report that was said not to be there.
  'waiting-for-capacity': ['placing', 'starting', 'running', 'uploading', 'queued', ...ends],
  starting: ['running', 'uploading', 'queued', ...endsOfMachine],
  running: ['uploading', 'queued', ...endsOfMachine],
  uploading: ['queued', ...endsOfMachine],
  succeeded: [],
  failed: [],
  cancelled: [],
  lost: [],
  refused: [],
};

const mostTries = 100;

/** The record after the event; the very same one if the event is late, contradicts what is known, or says nothing new. */
export function advance(record: JobRecord, event: JobEvent): JobRecord {
  const { at } = event;
  const attempt = currentAttempt(record);
  if (event.type === 'released') return released(record, event.attempt, at);
  if (event.type === 'inserted') return inserted(record, event);
  if (isEnd(record.state)) return record;
  // Whatever is about another attempt than the one that is on now is too late, or cannot be.
  const about =
    event.type === 'report' ? event.report.attempt : 'attempt' in event ? event.attempt : undefined;
  if (about !== undefined && (about !== attempt?.number || attempt.outcome)) return record;
  switch (event.type) {
    case 'place':
      return placed(record, at);
    case 'estimated':
      return { ...record, estimate: event.estimate };
    case 'resolved':
      return record.commit ? record : { ...record, commit: event.commit };
    case 'cancel':
      if (record.cancelRequestedAt) return record;
      return finishCancel({ ...record, cancelRequestedAt: at }, at);
    case 'fail':
      if (!mayHaveNoMachine(record)) return record;
      return move(endAttempt(record, 'not-placed', event.reason), 'failed', at, event.reason);
    case 'refuse':
      if (!mayHaveNoMachine(record)) return record;
      return move(endAttempt(record, 'not-placed', event.reason), 'refused', at, event.reason);
  }
  if (!attempt) return record;
  switch (event.type) {
    case 'asking': {
      if (attempt.candidate || record.state !== 'placing') return record;
      const { candidate, requestId } = event;
      const before = attempt.asked?.requestId === requestId ? attempt.asked : undefined;
      const since = before?.since ?? before?.at ?? at;
      return withAttempt(record, { ...attempt, asked: { at, since, candidate, requestId } });
    }
    case 'tried': {
      if (attempt.candidate) return record;
      const { asked: _, ...rest } = attempt;
      const tries = [...attempt.tries, event.try].slice(-mostTries);
      return withAttempt(record, { ...rest, tries, tried: attempt.tried + 1 });
    }
    case 'wait': {
      if (record.state !== 'placing') return record;
      const { retryAt, reason, isHeld } = event;
      const { waitingSince = at, ...rest } = record;
      const waiting = { ...rest, retryAt, ...(isHeld ? {} : { waitingSince }) };
      return finishCancel(move(waiting, 'waiting-for-capacity', at, reason), at);
    }
    case 'gone':
      return ended(endAttempt(record, event.cause, event.reason), event.cause, event.reason, at);
    case 'report':
      return reported(record, attempt, event.report, at);
  }
}

/** Whether another machine may be looked for: not while the last one may still be there. */
export function mayPlace(record: JobRecord): boolean {
  if (record.cancelRequestedAt) return false;
  if (record.state === 'waiting-for-capacity') return true;
  const attempt = currentAttempt(record);
  return record.state === 'queued' && (!attempt || attempt.releasedAt !== undefined);
}

/** Whether the time has come to look for one again. */
export const isDue = ({ retryAt }: JobRecord, now: number): boolean =>
  retryAt === undefined || Date.parse(retryAt) <= now;

function placed(record: JobRecord, at: string): JobRecord {
  if (!mayPlace(record)) return record;
  const { retryAt: _, ...rest } = record;
  const before = currentAttempt(record);
  if (before && !before.outcome) return move(rest, 'placing', at);
  const number = (before?.number ?? 0) + 1;
  const attempts = [...record.attempts, { number, tries: [], tried: 0, sequence: 0 }];
  return move({ ...rest, attempts }, 'placing', at);
}

/** Also when the attempt is over: the machine has to be paid, from when it was there and not from when it was asked for. */
function inserted(
  record: JobRecord,
  { attempt: number, candidate, insertedAt, endsAt, at }: Extract<JobEvent, { type: 'inserted' }>,
): JobRecord {
  const attempt = record.attempts.find((one) => one.number === number);
  // One whose end is not known was noted by its report alone, or when it was removed.
  if (
    !attempt ||
    attempt.endsAt ||
    (attempt.candidate && attempt.releasedAt) ||
    (!endsAt && attempt.candidate && attempt.insertedAt === insertedAt)
  )
    return record;
  const known = withAttempt(record, { ...attempt, candidate, insertedAt, ...(endsAt ? { endsAt } : {}) });
  const isNews = number === currentAttempt(record)?.number && !attempt.outcome;
  if (!isNews || (record.state !== 'placing' && record.state !== 'waiting-for-capacity')) return known;
  const { waitingSince: _, ...rest } = known;
  return move(rest, 'starting', at, `${candidate.machineType} in ${candidate.zone}, ${candidate.model}`);
}

function reported(record: JobRecord, attempt: Attempt, report: Report, at: string): JobRecord {
  if (report.sequence <= attempt.sequence) return record;
  // Who reports is there, though whoever asked for it may have died before it was noted. It has to be paid all the same.
  const { asked } = attempt;
  const machine =
    !attempt.candidate && asked ? { candidate: asked.candidate, insertedAt: asked.at } : undefined;
  const heard = withAttempt(record, {
    ...attempt,
    ...machine,
    sequence: report.sequence,
    report,
    heardAt: at,
  });
  const { waitingSince: _, ...known } = { ...heard, ...(report.commit ? { commit: report.commit } : {}) };
  if (report.outcome) {
    const reason = reasonOf(report);
    return ended(endAttempt(known, report.outcome, reason), report.outcome, reason, at);
  }
  const state =
    report.phase === 'running' || report.phase === 'uploading' ? report.phase : ('starting' as const);
  // A phase that comes after a later one contradicts it; what was reached stays reached.
  return follows[record.state].includes(state) ? move(known, state, at) : known;
}

function reasonOf({ outcome, exitCode, reason }: Report): string {
  if (reason) return reason;
  if (outcome === 'failed') return `it ended with exit code ${exitCode ?? 'unknown'}`;
  return `the machine says: ${outcome}`;
}

/** What the end of an attempt means for the job. */
function ended(
  record: JobRecord,
  outcome: NonNullable<Attempt['outcome']>,
  reason: string,
  at: string,
): JobRecord {
  // Somebody wanted it to end; it is over as soon as nothing of it is left.
  if (record.cancelRequestedAt) return record;
  if (outcome === 'succeeded') return move(record, 'succeeded', at);
  const again = outcome === 'preempted' || outcome === 'vanished' || outcome === 'cancelled';
  if (!again) return move(record, 'failed', at, reason);
  if (record.attempts.length < record.job.limits.attempts) return move(record, 'queued', at, reason);
  const state = outcome === 'vanished' ? 'lost' : 'failed';
  return move(record, state, at, `${reason}; it was attempt ${record.attempts.length}, the last`);
}

function released(record: JobRecord, number: number, at: string): JobRecord {
  const attempt = record.attempts.find((one) => one.number === number);
  if (!attempt || attempt.releasedAt) return record;
  const free = withAttempt(record, { ...attempt, releasedAt: at });
  if (isEnd(record.state) || number !== currentAttempt(record)?.number) return free;
  // It is gone, and nobody has said why.
  const over = attempt.outcome || record.cancelRequestedAt;
  const known = over ? free : advance(free, goneBy(number, at));
  return finishCancel(known, at);
}

const goneBy = (attempt: number, at: string): JobEvent => ({
  type: 'gone',
  attempt,
  cause: 'vanished',
  reason: 'its machine is gone, and did not say why',
  at,
});

/** `cancelled` is said when nothing is left: no machine, and nobody who is about to make one. */
function finishCancel(record: JobRecord, at: string): JobRecord {
  if (!record.cancelRequestedAt || isEnd(record.state)) return record;
  const attempt = currentAttempt(record);
  const nothingLeft =
    !attempt ||
    attempt.releasedAt !== undefined ||
    (record.state === 'waiting-for-capacity' && !attempt.candidate);
  return nothingLeft ? move(endAttempt(record, 'cancelled', 'cancelled'), 'cancelled', at) : record;
}

const mayHaveNoMachine = ({ state, attempts }: JobRecord): boolean =>
  state === 'queued' ||
  ((state === 'placing' || state === 'waiting-for-capacity') && !attempts.at(-1)?.candidate);

function endAttempt(record: JobRecord, outcome: NonNullable<Attempt['outcome']>, reason: string): JobRecord {
  const attempt = currentAttempt(record);
  return attempt && !attempt.outcome ? withAttempt(record, { ...attempt, outcome, reason }) : record;
}

const withAttempt = (record: JobRecord, attempt: Attempt): JobRecord => ({
  ...record,
  attempts: record.attempts.map((one) => (one.number === attempt.number ? attempt : one)),
});

function move(record: JobRecord, state: State, at: string, reason?: string): JobRecord {
  const { reason: _, ...rest } = record;
  const attempt = currentAttempt(record)?.number ?? 0;
  const why = reason ? { reason } : {};
  return { ...rest, ...why, state, history: [...record.history, { at, state, attempt, ...why }] };
}
