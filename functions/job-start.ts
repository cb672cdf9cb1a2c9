import type { Bucket } from '@google-cloud/storage';
import * as z from 'zod';
import { isOpenForWork } from '../shared/budget/isOpenForWork.ts';
import type { PeriodKind } from '../shared/budget/period.ts';
import { isDue } from '../shared/jobs/advance.ts';
import { type AskDependencies, ask, isBeingAsked } from '../shared/jobs/askForMachine.ts';
import { changeJob } from '../shared/jobs/changeJob.ts';
import { choose } from '../shared/jobs/choose.ts';
import { jobIdPattern } from '../shared/jobs/jobId.ts';
import { currentAttempt, isEnd, type JobRecord } from '../shared/jobs/jobRecord.ts';
import { type Allowed, holderOf, holdRoom, type Limits } from '../shared/jobs/limits.ts';
import { parseJob } from '../shared/jobs/parseJob.ts';
import { releaseAttempt } from '../shared/jobs/releaseAttempt.ts';
import { requestJob, submitJob } from '../shared/jobs/submitJob.ts';
import type { Candidate } from '../shared/machines/candidate.ts';
import { Cooldown, cooldownRecord, noCooldown } from '../shared/machines/cooldown.ts';
import type { PriceTable } from '../shared/machines/priceTable.ts';
import { NotYet } from '../shared/once.ts';
import type { Publish } from '../shared/publish.ts';
import { readObject } from '../shared/storage/readObject.ts';
import { Unprocessable } from '../shared/unprocessable.ts';

/** A job that is known, or a file in the raw bucket that describes one. */
export const JobRequested = z.union([
  z.object({ job: z.string().regex(jobIdPattern) }),
  z.object({ name: z.string(), generation: z.string().regex(/^\d+$/) }),
]);
export type JobRequested = z.infer<typeof JobRequested>;

export type JobStartDependencies = AskDependencies & {
  raw: Bucket;
  publish: Publish;
  prices: PriceTable;
  /** The only regions where machines may be; undefined for all. */
  regions: string[] | undefined;
  /** Whether a repository may be a folder on this computer. */
  allowFile: boolean;
  limits?: Limits & { periodKind: PeriodKind };
  /** When the search should be handed on to another invocation; milliseconds since 1970. */
  deadline: number;
  random: () => number;
};

/**
 * Finds a machine for a job, or ends one whose job was cancelled. Whatever the message was, it goes by the record: what
 * is to be asked for is written there first, so whoever comes after a crash asks for the very same again.
 */
export async function jobStart(request: JobRequested, dependencies: JobStartDependencies): Promise<void> {
  const { records, publish, deadline, now, log } = dependencies;
  const id = 'job' in request ? request.job : await submitFile(request, dependencies);
  const at = () => new Date(now()).toISOString();
  for (;;) {
    // A message that comes again must not shorten the wait.
    const placed = await changeJob(records, id, { type: 'place', at: at() }, (job) => isDue(job, now()));
    if (!placed) throw new Unprocessable(`there is no job ${id}`);
    const { record } = placed;
    if (isEnd(record.state)) return;
    if (record.cancelRequestedAt) return endCancelled(record, dependencies);
    if (record.state !== 'placing') return;
    if (now() >= deadline) return requestJob(publish, id);

    const asked = currentAttempt(record)?.asked;
    if (asked) {
      await ask(record, asked.candidate, dependencies);
      continue;
    }
    const open = await isOpenForWork(records, now());
    if (!open.isOpen) return holdBack(record, open, dependencies);
    const cooldown = (await records.read(cooldownRecord, Cooldown))?.value ?? noCooldown;
    const choice = choose(record, { ...dependencies, cooldown, now: now() });
    if (choice.estimate && !record.estimate)
      await changeJob(records, id, { type: 'estimated', estimate: choice.estimate, at: at() });
    if (choice.do === 'ask') {
      const room = await roomFor(record, choice.candidate, dependencies);
      if (!room.isAllowed) return holdBack(record, room, dependencies);
      await ask(record, choice.candidate, dependencies);
    } else if (choice.do === 'wait') {
      const attempt = currentAttempt(record)?.number ?? 0;
      const { reason, retryAt } = choice;
      await changeJob(records, id, { type: 'wait', attempt, reason, retryAt, at: at() });
      log.info('waits for capacity', { job: id, reason, retryAt });
      return;
    } else {
      await changeJob(records, id, { type: choice.do, reason: choice.reason, at: at() });
      log.warning('no machine', { job: id, state: choice.do, reason: choice.reason });
      return;
    }
  }
}

const roomFor = async (
  record: JobRecord,
  candidate: Candidate,
  { records, limits, now }: JobStartDependencies,
): Promise<Allowed> =>
  limits
    ? holdRoom(records, holderOf(record, candidate, now()), candidate, limits, now())
    : { isAllowed: true };

/**
 * No new work is begun, unless it only has to wait for other work to end. What was begun is not lost: it goes on from its
 * checkpoint when there is money again.
 */
async function holdBack(
  record: JobRecord,
  { reason, liftsAt, isSoon = false }: { reason: string; liftsAt: string; isSoon?: boolean },
  { records, now, log }: JobStartDependencies,
): Promise<void> {
  const { id } = record;
  const at = new Date(now()).toISOString();
  const attempt = currentAttempt(record)?.number ?? 0;
  const isBegun = record.attempts.some(({ candidate }) => candidate);
  // A person may release it before.
  const retryAt = new Date(Math.min(Date.parse(liftsAt), now() + lookAgainAfter)).toISOString();
  await changeJob(
    records,
    id,
    isBegun || isSoon
      ? { type: 'wait', attempt, reason, retryAt, isHeld: true, at }
      : { type: 'refuse', reason, at },
  );
  log.warning('no machine may start', { job: id, reason });
}
const lookAgainAfter = 6 * 60 * 60_000;

async function endCancelled(record: JobRecord, dependencies: JobStartDependencies): Promise<void> {
  const attempt = currentAttempt(record);
  if (!attempt) return;
  // Looked for now, it might not be there yet.
  if (isBeingAsked(record, dependencies))
    throw new NotYet(`a machine for ${record.id} is being asked for elsewhere`);
  const { released } = await releaseAttempt(record, attempt.number, dependencies);
  if (!released) throw new NotYet(`the machine of ${record.id} is still there`);
}

/** The name and generation of the file are its key: an edited file is another job. */
async function submitFile(
  { name, generation }: { name: string; generation: string },
  { raw, records, allowFile, log, now }: JobStartDependencies,
): Promise<string> {
  const content = await readObject(raw.file(name, { generation }), { end: mostBytes });
  if (!content) throw new Unprocessable(`${name} was removed before it was read`);
  const job = parseJob(content.bytes.toString(), { allowFile });
  const key = `${raw.name}/${name}#${generation}`;
  const { id } = await submitJob(records, { job, key, owner: 'study folder' }, new Date(now()));
  log.info('job from a file', { job: id, object: name });
  return id;
}

/** One more than a job may have. */
const mostBytes = 64 * 1024;
