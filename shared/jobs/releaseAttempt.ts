import type { Log } from '../log.ts';
import type { MachinesByKind } from '../machines/machines.ts';
import { machineName } from '../machines/names.ts';
import type { Records } from '../storage/records.ts';
import { changeJob } from './changeJob.ts';
import type { JobRecord } from './jobRecord.ts';

export type ReleaseDependencies = {
  records: Records;
  machines: MachinesByKind;
  log: Log;
  now: () => number;
};

/**
 * Sees to it that no machine of an attempt is left, and writes that down.
 * @returns the job as it is then; `released` is false if the machine may still be there: then somebody has to come again
 */
export async function releaseAttempt(
  job: JobRecord,
  number: number,
  { records, machines, log, now }: ReleaseDependencies,
): Promise<{ record: JobRecord; released: boolean }> {
  const attempt = job.attempts.find((one) => one.number === number);
  if (!attempt || attempt.releasedAt) return { record: job, released: true };
  const candidate = attempt.candidate ?? attempt.asked?.candidate;
  let at: string | undefined;
  if (candidate) {
    const name = machineName(job.id, number);
    const removed = await (await machines(candidate.kind)).remove(candidate.zone, name);
    if (!removed.gone) {
      log.warning('the machine is still there', {
        job: job.id,
        machine: name,
        reason: removed.failure?.words,
      });
      return { record: job, released: false };
    }
    at = removed.at;
    // Whoever asked for it has died before it was noted, and it has to be paid all the same.
    if (removed.startedAt && !attempt.endsAt) {
      const insertedAt = removed.startedAt;
      const then = new Date(now()).toISOString();
      await changeJob(records, job.id, {
        type: 'inserted',
        attempt: number,
        candidate,
        insertedAt,
        at: then,
      });
    }
    log.info('no machine is left', { job: job.id, attempt: number, machine: name });
  }
  const releasedAt = at ?? new Date(now()).toISOString();
  const changed = await changeJob(records, job.id, { type: 'released', attempt: number, at: releasedAt });
  return { record: changed?.record ?? job, released: true };
}
