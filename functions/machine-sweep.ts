import { isDue, mayPlace } from '../shared/jobs/advance.ts';
import { changeJob, readJobRecord } from '../shared/jobs/changeJob.ts';
import { type ExplainDependencies, explainEnd } from '../shared/jobs/explainEnd.ts';
import { type HearDependencies, hearMissed } from '../shared/jobs/hearReport.ts';
import { type Attempt, currentAttempt, isEnd, type JobRecord } from '../shared/jobs/jobRecord.ts';
import { releaseAttempt } from '../shared/jobs/releaseAttempt.ts';
import { releaseUnseen, shutOut } from '../shared/jobs/shutOut.ts';
import { activeFolder, activeName, requestJob } from '../shared/jobs/submitJob.ts';
import type { Machine, Seen } from '../shared/machines/machines.ts';
import { labelValue, machineName } from '../shared/machines/names.ts';
import { areOrphansKnown, sweepOrphans } from '../shared/machines/orphans.ts';

export type MachineSweepDependencies = ExplainDependencies &
  HearDependencies & {
    lab: string;
    /** How long what could not be brought home stays on a machine; milliseconds. */
    rescue: number;
  };

/**
 * Finds what reports cannot say: a machine that is gone, or silent, or left behind. It brings the jobs that are not over
 * and the machines that are there together. A zone that does not answer is not known, and nothing is concluded from it.
 */
export async function machineSweep(
  { time }: { time: Date },
  dependencies: MachineSweepDependencies,
): Promise<void> {
  const { records, machines, lab, log } = dependencies;
  const jobs: JobRecord[] = [];
  for await (const name of records.list(activeFolder)) {
    const id = name.slice(activeFolder.length, -'.json'.length);
    try {
      const job = await readJobRecord(records, id);
      if (job) jobs.push(job);
    } catch (error) {
      log.error('a job cannot be read', { job: id, error });
    }
  }
  // While nobody works, the zones are looked at once an hour, for what may have been left behind; once something was
  // seen, until it is gone.
  if (jobs.length === 0 && time.getUTCMinutes() !== 0 && !(await areOrphansKnown(records))) return;
  const kinds = kindsOf(jobs);
  const seen: Seen[] = [];
  for (const kind of kinds) seen.push(await (await machines(kind)).list(labelValue(lab)));
  const unseen = seen.flatMap((one) => one.unseen);
  if (unseen.length > 0) log.warning('not all zones answered; nothing is concluded of them', { unseen });

  for (const job of jobs) {
    try {
      await sweepJob(job, seen, dependencies);
    } catch (error) {
      // One job that is in trouble must not keep the others.
      log.error('a job could not be looked after, and will be again', { job: job.id, error });
    }
  }
  await sweepOrphans(seen, dependencies);
}

/** TPUs are looked for only where there may be some: most labs never have any. */
const kindsOf = (jobs: JobRecord[]): ('vm' | 'tpu')[] =>
  jobs.some(({ job }) => job.accelerators.some((one) => 'tpu' in one)) ? ['vm', 'tpu'] : ['vm'];

async function sweepJob(job: JobRecord, seen: Seen[], dependencies: MachineSweepDependencies): Promise<void> {
  const { records, publish, now } = dependencies;
  let record = job;
  for (const { number, releasedAt } of job.attempts)
    if (!releasedAt) record = await sweepAttempt(record, number, seen, dependencies);

  const isLeft = record.attempts.some(({ releasedAt }) => !releasedAt);
  if (isEnd(record.state)) {
    if (!isLeft) await records.remove(activeName(record.id));
    return;
  }
  // What a lost message would leave undone.
  const isStuck = record.state === 'placing' && !isFresh(record, now());
  if (isStuck || (mayPlace(record) && isDue(record, now())) || (record.cancelRequestedAt && isLeft))
    await requestJob(publish, record.id);
}

/** Somebody is most likely at it. */
const isFresh = (record: JobRecord, now: number) =>
  now - Date.parse(currentAttempt(record)?.asked?.at ?? record.history.at(-1)?.at ?? '') < stuckAfter;
const stuckAfter = 60_000;

async function sweepAttempt(
  record: JobRecord,
  number: number,
  seen: Seen[],
  dependencies: MachineSweepDependencies,
): Promise<JobRecord> {
  const { records, rescue, now } = dependencies;
  const attempt = attemptOf(record, number);
  const candidate = attempt.candidate;
  // It is only being asked for; job-start sees to that.
  if (!candidate) {
    const isDone = attempt.outcome !== undefined || isEnd(record.state);
    if (!isDone) return record;
    const shut = await shutOut(record, attempt, dependencies);
    if (shut) return releaseUnseen(record, number, shut, dependencies);
    return (await releaseAttempt(record, number, dependencies)).record;
  }
  const name = machineName(record.id, number);
  // One of the same name in another zone is not this one: it belongs to nobody.
  const machine = seen
    .flatMap(({ machines }) => machines)
    .find((one) => one.name === name && one.zone === candidate.zone);
  const shut = machine && isUp(machine) ? undefined : await shutOut(record, attempt, dependencies);
  if (shut) {
    const heard = await hearMissed(record, attempt, dependencies);
    return releaseUnseen(heard, number, shut, dependencies);
  }
  if (!machine && !seen.every(({ wasSeen }) => wasSeen(candidate.zone))) return record;

  if (attempt.outcome || record.cancelRequestedAt) {
    const isRescued = attempt.outcome === 'results-not-uploaded' && !record.cancelRequestedAt;
    const heard = now() - Date.parse(attempt.heardAt ?? '');
    // A machine of Compute Engine ends by itself then; a TPU does not.
    const isOverTime = attempt.endsAt !== undefined && Date.parse(attempt.endsAt) <= now();
    if (isRescued && machine && isUp(machine) && heard < rescue && !isOverTime) return record;
    return (await releaseAttempt(record, number, dependencies)).record;
  }
  const end = await explainEnd(record, attempt, machine, dependencies);
  if (!end) return record;
  // Its last words may be there, and only their message be lost.
  const heard = await hearMissed(record, attempt, dependencies);
  if (heard !== record && isOver(heard, number)) return heard;
  const at = new Date(now()).toISOString();
  const gone = await changeJob(records, record.id, { type: 'gone', attempt: number, ...end, at });
  return (await releaseAttempt(gone?.record ?? record, number, dependencies)).record;
}

const attemptOf = (record: JobRecord, number: number) =>
  record.attempts.find((one) => one.number === number) as Attempt;
const isOver = (record: JobRecord, number: number) => attemptOf(record, number).outcome !== undefined;

const isUp = ({ status }: Machine): boolean =>
  !['STOPPED', 'TERMINATED', 'SUSPENDED', 'PREEMPTED'].includes(status);
