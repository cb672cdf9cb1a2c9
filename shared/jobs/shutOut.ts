import { failureOf } from '../machines/failure.ts';
import { machineName } from '../machines/names.ts';
import { changeJob } from './changeJob.ts';
import type { Attempt, JobRecord } from './jobRecord.ts';
import type { ReleaseDependencies } from './releaseAttempt.ts';

/** Google is half a minute late at most; clocks differ, and a machine takes its time to go. */
const margin = 3_600_000;

/**
 * Why nobody may look at the machine of an attempt whose own end has long come; undefined if somebody may, or if that end
 * has not. A refusal is an answer, as an outage is not; and each machine of Compute Engine carries its end from the first
 * request on: https://cloud.google.com/compute/docs/instances/limit-vm-runtime
 */
export async function shutOut(
  { id, job }: JobRecord,
  { number, candidate, asked, endsAt }: Attempt,
  { machines, now }: Pick<ReleaseDependencies, 'machines' | 'now'>,
): Promise<{ why: string; endedAt: string } | undefined> {
  const place = candidate ?? asked?.candidate;
  const end = endsAt ? Date.parse(endsAt) : Date.parse(asked?.at ?? '') + job.limits.hours * 3_600_000;
  // Nobody but the sweep ends a TPU.
  if (place?.kind !== 'vm' || !(now() > end + margin)) return undefined;
  try {
    await (await machines(place.kind)).look(place.zone, machineName(id, number));
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    if (failure?.kind !== 'zone-closed' && failure?.kind !== 'permission') throw error;
    return { why: `${place.zone}: ${failure.words}`, endedAt: new Date(end).toISOString() };
  }
}

/** Takes its own end for the end of the machine. What is there after all is found as nobody's once it can be seen. */
export async function releaseUnseen(
  record: JobRecord,
  number: number,
  { why, endedAt }: { why: string; endedAt: string },
  { records, log, now }: Pick<ReleaseDependencies, 'records' | 'log' | 'now'>,
): Promise<JobRecord> {
  const at = new Date(now()).toISOString();
  log.warning('nobody may look at a machine; it is taken to have ended by itself', {
    job: record.id,
    attempt: number,
    endedAt,
    why,
  });
  const reason = `it could not be looked at any more (${why}), and its machine ended by itself at ${endedAt}`;
  const gone = await changeJob(records, record.id, {
    type: 'gone',
    attempt: number,
    cause: 'time-limit',
    reason,
    at,
  });
  const released = await changeJob(records, record.id, { type: 'released', attempt: number, at: endedAt });
  return released?.record ?? gone?.record ?? record;
}
