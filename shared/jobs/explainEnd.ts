import type { Machine } from '../machines/machines.ts';
import { machineName } from '../machines/names.ts';
import type { JobEvent } from './advance.ts';
import type { Attempt, JobRecord } from './jobRecord.ts';
import type { ReleaseDependencies } from './releaseAttempt.ts';

export type ExplainDependencies = ReleaseDependencies & {
  /** How long a last report may be on its way when a machine has ended; milliseconds. */
  lastWords: number;
  /** How long a machine may take to its first report before somebody looks what it printed; milliseconds. */
  bootTime: number;
};

type End = Pick<Extract<JobEvent, { type: 'gone' }>, 'cause' | 'reason'>;

const mostLines = 2000;
const timeLimit: End = { cause: 'time-limit', reason: 'it reached the limit of its time or money' };

/**
 * Why the machine of an attempt that is not over says nothing more.
 * @param machine as it was seen, or undefined where it should be and is not
 * @returns undefined as long as nothing is certain: a silent machine that runs may be at work
 */
export async function explainEnd(
  record: JobRecord,
  attempt: Attempt,
  machine: Machine | undefined,
  { machines, lastWords, bootTime, now }: ExplainDependencies,
): Promise<End | undefined> {
  const { candidate, insertedAt, heardAt } = attempt;
  if (!candidate || !insertedAt) return undefined;
  const name = machineName(record.id, attempt.number);
  const service = await machines(candidate.kind);
  // A list may be older than the machine: a second look, at just this one, has to agree.
  const there = await service.look(candidate.zone, name);
  const since = Date.parse(heardAt ?? insertedAt);
  if (there && !isEnding(there)) {
    // Nobody but the sweep ends a TPU that does not end by itself.
    if (there.kind === 'tpu' && isOverTime()) return timeLimit;
    return heardAt || now() - Date.parse(insertedAt) < bootTime ? undefined : bootFailure();
  }

  const isPreempted = there?.status === 'PREEMPTED' || (await service.wasPreempted(candidate.zone, name));
  // Its own last report says more, if there is one.
  if (now() - Math.max(since, Date.parse(there?.stoppedAt ?? '') || 0) < lastWords) return undefined;
  if (isPreempted) return { cause: 'preempted', reason: `it was preempted in ${candidate.zone}` };
  const endsAt = Date.parse(there?.endsAt ?? machine?.endsAt ?? '');
  if (endsAt <= now() || isOverTime()) return timeLimit;
  return { cause: 'vanished', reason: `its machine is gone from ${candidate.zone}, and did not say why` };

  /** The service has deleted it, and its own word of when went with it. */
  function isOverTime(): boolean {
    return attempt.endsAt !== undefined && now() >= Date.parse(attempt.endsAt);
  }

  /** Alive, and without a word since it was made. */
  async function bootFailure(): Promise<End | undefined> {
    const lines = await service.bootLines(candidate?.zone ?? '', name);
    const failed = lines.some((line) => /startup-script.*(exit status [1-9]|failed|error)/i.test(line));
    if (!failed && now() - Date.parse(insertedAt ?? '') < 3 * bootTime) return undefined;
    const said = lines.join('\n').slice(-mostLines) || 'nothing';
    return { cause: 'boot-failed', reason: `the machine did not start its work. It printed last:\n${said}` };
  }
}

/** It has ended, or is about to, by the words of Compute Engine, of TPU nodes and of queued resources. */
const isEnding = ({ status }: Machine): boolean =>
  [
    ...['STOPPED', 'TERMINATED', 'PREEMPTED', 'SUSPENDED', 'STOPPING', 'DEPROVISIONING'],
    ...['SUSPENDING', 'DELETING', 'FAILED'],
  ].includes(status);
