import type { Candidate } from '../machines/candidate.ts';
import { block, Cooldown, cooldownRecord, noCooldown, unblock } from '../machines/cooldown.ts';
import type { Failure } from '../machines/failure.ts';
import { instanceRequest } from '../machines/instanceBody.ts';
import type { MachineSettings } from '../machines/machineMetadata.ts';
import type { Machine } from '../machines/machines.ts';
import { labelValue, machineName, requestIdOf } from '../machines/names.ts';
import { tpuRequest } from '../machines/tpuBody.ts';
import { NotYet } from '../once.ts';
import type { Records } from '../storage/records.ts';
import { changeJob } from './changeJob.ts';
import { leastSeconds } from './job.ts';
import { currentAttempt, type JobRecord } from './jobRecord.ts';
import { type ReleaseDependencies, releaseAttempt } from './releaseAttempt.ts';
import { secondsLeft } from './spent.ts';

export type AskDependencies = ReleaseDependencies & {
  settings: MachineSettings;
  /** How long an answer is waited for, and how long nobody else asks for a machine of the same job; milliseconds. */
  patience: number;
};

/**
 * Asks for one machine, and writes down what came of it. That it is asked for is written first; so of two deliveries one
 * asks, and after a crash the same is asked for again: the request id makes it the same machine.
 * @throws NotYet if somebody else is at it, or the answer has not come
 */
export async function ask(
  record: JobRecord,
  candidate: Candidate,
  dependencies: AskDependencies,
): Promise<void> {
  const { records, machines, settings, patience, now } = dependencies;
  const { number, tried: round, asked } = currentAttempt(record) ?? { number: 0, tried: 0 };
  const at = new Date(now()).toISOString();
  const seconds = secondsLeft(record, candidate.price?.perHour, now()) ?? 0;
  if (isBeingAsked(record, dependencies))
    throw new NotYet(`a machine for ${record.id} is being asked for elsewhere`);
  const requestId = asked?.requestId ?? requestIdOf(record.id, number, candidate, round);
  const asking = await changeJob(
    records,
    record.id,
    { type: 'asking', attempt: number, candidate, requestId, at },
    (before) => !before.cancelRequestedAt && currentAttempt(before)?.asked?.at === asked?.at,
  );
  if (!asking?.changed) return;

  const service = await machines(candidate.kind);
  const make = candidate.kind === 'tpu' ? tpuRequest : instanceRequest;
  const limits = { seconds: Math.max(leastSeconds, seconds), round, settings };
  const request = { ...make(record, number, candidate, limits), requestId };
  const answer = await service.insert(request, patience);
  if (answer === 'unknown') throw new NotYet(`${candidate.zone} has not answered yet`);

  const name = machineName(record.id, number);
  const machine = mayBeThere(answer, asked !== undefined)
    ? await service.look(candidate.zone, name)
    : undefined;
  if (machine && !isOurs(machine, record, settings)) {
    const words = `there is another machine ${name}`;
    const taken: Failure = { kind: 'exists', scope: 'fatal', hints: [], words, raw: words };
    return drop(record, candidate, requestId, taken, dependencies);
  }
  // It is only being made, and may still fail.
  if (machine && answer !== 'there' && ['PENDING', 'PROVISIONING', 'STAGING'].includes(machine.status))
    throw new NotYet(`${name} is still being made`);
  if (machine || answer === 'there') {
    // One that is gone again may have been there since it was asked for first.
    const insertedAt = machine?.startedAt ?? asked?.since ?? asked?.at ?? at;
    const endsAt = new Date(Date.parse(insertedAt) + limits.seconds * 1000).toISOString();
    return keep(record, candidate, { insertedAt, endsAt }, dependencies);
  }
  await drop(record, candidate, requestId, answer, dependencies);
}

/** Whether somebody may be at it, who then sees to what comes of it. */
export function isBeingAsked(
  record: JobRecord,
  { patience, now }: Pick<AskDependencies, 'patience' | 'now'>,
): boolean {
  const { asked, candidate } = currentAttempt(record) ?? {};
  return asked !== undefined && !candidate && Date.parse(asked.at) + 2 * patience > now();
}

/**
 * A zone that refuses may be one that does not say either what is there, so it is only asked where that can matter: the
 * answer to an earlier try of the same request may have been lost.
 */
function mayBeThere(answer: 'there' | Failure, isAskedAgain: boolean): boolean {
  if (answer === 'there' || answer.kind === 'exists' || answer.kind === 'transient') return true;
  return isAskedAgain && answer.kind !== 'zone-closed';
}

const isOurs = ({ labels }: Machine, record: JobRecord, { lab }: MachineSettings) =>
  labels['gazeline-job'] === record.id && labels['gazeline-lab'] === labelValue(lab);

async function keep(
  record: JobRecord,
  candidate: Candidate,
  times: { insertedAt: string; endsAt: string },
  dependencies: AskDependencies,
): Promise<void> {
  const { records, log, now } = dependencies;
  const attempt = currentAttempt(record)?.number ?? 0;
  const at = new Date(now()).toISOString();
  const kept = await changeJob(records, record.id, { type: 'inserted', attempt, candidate, ...times, at });
  const { zone, machineType, model } = candidate;
  log.info('machine', { job: record.id, attempt, zone, machineType, model });
  await changeCooldown(records, (cooldown) => unblock(cooldown, candidate));
  // Somebody may have cancelled it while it was asked for.
  if (kept?.record.cancelRequestedAt) {
    const { released } = await releaseAttempt(kept.record, attempt, dependencies);
    if (!released) throw new NotYet(`the machine of ${record.id} is still there`);
  }
}

async function drop(
  record: JobRecord,
  { zone, machineType, model, ...rest }: Candidate,
  requestId: string,
  failure: Failure,
  dependencies: AskDependencies,
): Promise<void> {
  const { records, log, now } = dependencies;
  const { kind, scope, words, hints } = failure;
  const attempt = currentAttempt(record)?.number ?? 0;
  const at = new Date(now()).toISOString();
  const tried = {
    at,
    zone,
    machineType,
    accelerator: rest.accelerator,
    model,
    requestId,
    kind,
    scope,
    hints,
    words,
  };
  await changeJob(records, record.id, { type: 'tried', attempt, try: tried, at });
  log.info('no machine', { job: record.id, zone, machineType, model, kind, reason: failure.raw });
  if (scope === 'fatal') return fail(record, words, dependencies);
  if (kind === 'rate') throw new NotYet(words);
  const place = { zone, machineType, model, ...rest };
  // No quota at all is this project's own: it would only keep a person waiting who has got some meanwhile.
  if (kind !== 'quota-zero')
    await changeCooldown(records, (cooldown) => block(cooldown, failure, place, now()));
}

async function fail(
  record: JobRecord,
  reason: string,
  { records, log, now }: AskDependencies,
): Promise<void> {
  await changeJob(records, record.id, { type: 'fail', reason, at: new Date(now()).toISOString() });
  log.error('no machine, and none will come', { job: record.id, reason });
}

const changeCooldown = (records: Records, change: (cooldown: Cooldown) => Cooldown) =>
  records.update(cooldownRecord, Cooldown, (before = noCooldown) => {
    const after = change(before);
    return after === before ? undefined : after;
  });
