import { currentAttempt, type JobRecord } from './jobRecord.ts';
import { costOf } from './spent.ts';

/** A job in a list, for programs. */
export function jobSummary(record: JobRecord, now: number) {
  const { id, job, state, reason, createdAt, owner, attempts } = record;
  const { dollars, complete } = costOf(record, now);
  return {
    id,
    name: job.name,
    owner,
    state,
    reason,
    createdAt,
    attempts: attempts.length,
    machine: machineWords(record),
    cost: { dollars, complete },
  };
}

/** The machine of its last attempt; empty if it has none. */
export function machineWords(record: JobRecord): string {
  const { candidate } = currentAttempt(record) ?? {};
  return candidate
    ? `${candidate.machineType} ${candidate.model === 'spot' ? 'spot ' : ''}in ${candidate.zone}`
    : '';
}
