import type { Try } from '../jobs/jobRecord.ts';
import type { Candidate } from '../machines/candidate.ts';
import { block, Cooldown, cooldownRecord, noCooldown, unblock } from '../machines/cooldown.ts';
import type { Failure } from '../machines/failure.ts';
import { NotYet } from '../once.ts';
import type { Records } from '../storage/records.ts';
import type { SessionDependencies, Step } from './dependencies.ts';
import { instanceBody, instanceId, sessionIdOf } from './instanceBody.ts';
import type { Seen } from './instances.ts';
import { keepScript } from './script.ts';
import { changeSession, moved, type SessionRecord } from './sessionRecord.ts';

const mostTries = 100;

/** Asks for what is written down, or looks what has come of it. */
export async function settle(record: SessionRecord, dependencies: SessionDependencies): Promise<Step> {
  const { instances, settings, now } = dependencies;
  const { name, asked } = record;
  if (!asked) return 'again';
  const { candidate, requestId, acceptedAt, operation } = asked;
  const { zone } = candidate;
  const id = instanceId(name);
  const at = new Date(now()).toISOString();
  if (!acceptedAt) {
    const isSentAgain = asked.sentAt !== undefined;
    if (!isSentAgain) await changeAsked(record, { sentAt: at }, dependencies);
    await keepScript(dependencies);
    const answer = await instances.create(zone, id, instanceBody(record, candidate, settings), requestId);
    if ('operation' in answer) {
      await changeAsked(record, { acceptedAt: at, operation: answer.operation }, dependencies);
      return 'again';
    }
    if (answer.failure.kind === 'rate') throw new NotYet(answer.failure.words);
    // The answer to an earlier request may have been lost, or this one.
    const isThere = mayBeThere(answer.failure, isSentAgain) && isOurs(await instances.look(zone, id), record);
    if (!isThere) return drop(record, answer.failure, dependencies);
    await changeAsked(record, { acceptedAt: at }, dependencies);
    return 'again';
  }

  const outcome = operation ? await instances.outcome(operation) : 'forgotten';
  if (outcome === undefined) return 'later';
  const seen = await instances.look(zone, id);
  const isThere = isOurs(seen, record);
  if (typeof outcome === 'object') {
    // What is left of one that could not be made would have its name, and perhaps a disk.
    if (isThere && seen?.state !== 'ACTIVE' && seen?.state !== 'DELETING') await instances.remove(zone, id);
    return drop(record, outcome.failure, dependencies);
  }
  if (!isThere || !seen) {
    const words = seen ? `there is another instance ${id}` : 'The machine vanished while it was made.';
    return drop(
      record,
      { kind: seen ? 'exists' : 'stock-out', scope: 'zone', hints: [], words, raw: words },
      dependencies,
    );
  }
  if (outcome === 'forgotten' && isOnItsWay(seen)) return 'later';
  return keep(record, candidate, seen, dependencies);
}

const isOnItsWay = ({ state }: Seen) => ['INITIALIZING', 'PROVISIONING', 'STARTING'].includes(state);
const isOurs = (seen: Seen | undefined, record: SessionRecord): boolean =>
  seen?.sessionId === sessionIdOf(record);

/**
 * A zone that refuses may be one that does not say either what is there, so it is only asked where that can matter.
 */
const mayBeThere = ({ kind }: Failure, isSentAgain: boolean): boolean =>
  kind === 'exists' || kind === 'transient' || (isSentAgain && kind !== 'zone-closed');

const changeAsked = (
  { name, asked }: SessionRecord,
  more: Partial<NonNullable<SessionRecord['asked']>>,
  { records }: SessionDependencies,
) =>
  changeSession(records, name, (before) =>
    before.asked && before.asked.requestId === asked?.requestId && !before.asked.acceptedAt
      ? { ...before, asked: { ...before.asked, ...more } }
      : before,
  );

async function keep(
  { name, session, asked }: SessionRecord,
  candidate: Candidate,
  { machineId, link }: Seen,
  { records, log, now }: SessionDependencies,
): Promise<Step> {
  const at = new Date(now()).toISOString();
  await changeSession(records, name, (before) => {
    if (before.asked?.requestId !== asked?.requestId) return before;
    const { asked: _, ...rest } = before;
    return {
      ...moved(rest, 'running', at, `${candidate.machineType} in ${candidate.zone}`),
      candidate,
      startedAt: at,
      endsAt: new Date(Date.parse(at) + session.hours * 3_600_000).toISOString(),
      ...(machineId ? { instanceId: machineId } : {}),
      ...(link ? { link } : {}),
    };
  });
  log.info('session', { session: name, zone: candidate.zone, machineType: candidate.machineType });
  await changeCooldown(records, (cooldown) => unblock(cooldown, candidate));
  return 'again';
}

/** It could not be had there. */
async function drop(
  { name, asked }: SessionRecord,
  failure: Failure,
  { records, log, now }: SessionDependencies,
): Promise<Step> {
  if (!asked) return 'again';
  const { candidate, requestId } = asked;
  const { zone, machineType, accelerator, model } = candidate;
  const { kind, scope, hints, words } = failure;
  const at = new Date(now()).toISOString();
  const tried: Try = { at, zone, machineType, accelerator, model, requestId, kind, scope, hints, words };
  await changeSession(records, name, (before) => {
    if (before.asked?.requestId !== requestId) return before;
    const { asked: _, ...rest } = before;
    const next = { ...rest, round: before.round + 1, tries: [...before.tries, tried].slice(-mostTries) };
    return scope === 'fatal' ? moved(next, 'failed', at, words) : next;
  });
  log.info('no instance', { session: name, zone, machineType, kind, reason: failure.raw });
  if (scope !== 'fatal' && kind !== 'quota-zero')
    await changeCooldown(records, (cooldown) => block(cooldown, failure, candidate, now()));
  return 'again';
}

const changeCooldown = (records: Records, change: (cooldown: Cooldown) => Cooldown) =>
  records.update(cooldownRecord, Cooldown, (before = noCooldown) => {
    const after = change(before);
    return after === before ? undefined : after;
  });
