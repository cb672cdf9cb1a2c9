import { isOpenForWork } from '../budget/isOpenForWork.ts';
import { IdleRecord, idleRecordName } from '../machines/idle/idleRecord.ts';
import { NotYet } from '../once.ts';
import type { SessionDependencies, Step } from './dependencies.ts';
import { instanceId, sessionIdOf } from './instanceBody.ts';
import type { Asked, Seen } from './instances.ts';
import { roomFor } from './place.ts';
import { keepScript } from './script.ts';
import { changeSession, moved, type SessionRecord } from './sessionRecord.ts';

/** So long Workbench has to say that there is no such instance before it is believed. */
const believed = 10 * 60_000;
const stopped = ['STOPPED', 'SUSPENDED'];
const onItsWay = ['INITIALIZING', 'PROVISIONING', 'STARTING', 'UPGRADING', 'SUSPENDING'];

/** Brings an instance that is there, or was, to what its owner wants; and the record to what somebody else has done. */
export async function reconcile(record: SessionRecord, dependencies: SessionDependencies): Promise<Step> {
  const { instances } = dependencies;
  const { name, candidate, wish } = record;
  if (!candidate) return 'done';
  const seen = await instances.look(candidate.zone, instanceId(name));
  // One of the same name that somebody made by hand is not this one.
  if (seen?.sessionId !== sessionIdOf(record)) return gone(record, seen, dependencies);
  // Its machine, with the disks, was deleted behind Workbench's back.
  if (seen.state === 'DELETED') {
    await instances.remove(candidate.zone, instanceId(name));
    return gone(record, seen, dependencies);
  }
  const present = await noteLook(record, seen, dependencies);
  if (wish === 'deleted') return toDeleted(present, seen, dependencies);
  if (wish === 'stopped') return toStopped(present, seen, dependencies);
  return toRunning(present, seen, dependencies);
}

async function toRunning(
  record: SessionRecord,
  seen: Seen,
  dependencies: SessionDependencies,
): Promise<Step> {
  const { instances, now } = dependencies;
  const { state, endsAt, session } = record;
  if (seen.state === 'ACTIVE') {
    if (state !== 'running') {
      await startClock(record, dependencies);
      return 'again';
    }
    if (endsAt !== undefined && Date.parse(endsAt) <= now()) {
      await wishStopped(record, 'stopping', `its ${session.hours} hours were over`, dependencies);
      return 'again';
    }
    return 'done';
  }
  if (!stopped.includes(seen.state)) return 'later';
  if (state === 'running') {
    await wishStopped(record, 'stopped', await whyStopped(record, dependencies), dependencies);
    return 'done';
  }
  const { action } = record;
  if (action?.verb !== 'start') return start(record, dependencies);
  const outcome = action.operation ? await instances.outcome(action.operation) : 'forgotten';
  if (outcome === undefined) return 'later';
  if (typeof outcome === 'object') return notStarted(record, outcome.failure.words, dependencies);
  // It came up, and went down again before anybody looked.
  if (outcome === 'done') return notStarted(record, 'it was stopped again at once', dependencies);
  return start(record, dependencies);
}

/** Its disks are in one zone, so there is no other one to go to. */
async function start(record: SessionRecord, dependencies: SessionDependencies): Promise<Step> {
  const { records, instances, now } = dependencies;
  const { name, candidate } = record;
  if (!candidate) return 'done';
  const open = await isOpenForWork(records, now());
  if (!open.isOpen) return notStarted(record, open.reason, dependencies);
  const room = await roomFor(record, candidate, dependencies);
  if (!room.isAllowed) return notStarted(record, room.reason, dependencies);
  await keepScript(dependencies);
  return act(record, 'start', () => instances.start(candidate.zone, instanceId(name)), dependencies);
}

async function toStopped(
  record: SessionRecord,
  seen: Seen,
  dependencies: SessionDependencies,
): Promise<Step> {
  const { records, instances, now } = dependencies;
  const { name, candidate, state, reason } = record;
  const at = new Date(now()).toISOString();
  if (stopped.includes(seen.state)) {
    if (state !== 'stopped')
      await changeSession(records, name, (before) => {
        if (before.wish !== 'stopped' || before.state === 'stopped') return before;
        const { action: _, ...rest } = before;
        return { ...moved(rest, 'stopped', at, reason), stoppedAt: at };
      });
    return 'done';
  }
  if (state === 'stopped') {
    // Somebody has started it, in the console say. It is theirs to use, and has its hours.
    if (seen.state === 'ACTIVE') await startClock(record, dependencies, 'it was started by somebody else');
    return 'done';
  }
  if (seen.state !== 'ACTIVE' && !onItsWay.includes(seen.state)) return 'later';
  return act(record, 'stop', () => instances.stop(candidate?.zone ?? '', instanceId(name)), dependencies);
}

async function toDeleted(
  record: SessionRecord,
  seen: Seen,
  dependencies: SessionDependencies,
): Promise<Step> {
  const { instances } = dependencies;
  const { name, candidate } = record;
  if (seen.state === 'DELETING') return 'later';
  return act(record, 'delete', () => instances.remove(candidate?.zone ?? '', instanceId(name)), dependencies);
}

/** Asks for something once, until that is over: what is asked for is written down before. */
async function act(
  { name, action }: SessionRecord,
  verb: NonNullable<SessionRecord['action']>['verb'],
  ask: () => Promise<Asked>,
  dependencies: SessionDependencies,
): Promise<Step> {
  const { records, instances, log, now } = dependencies;
  if (action?.verb === verb && action.operation) {
    const outcome = await instances.outcome(action.operation);
    if (outcome === undefined) return 'later';
    if (typeof outcome === 'object')
      log.error('a session does not do what it is told', {
        session: name,
        verb,
        reason: outcome.failure.raw,
      });
  }
  const at = new Date(now()).toISOString();
  await changeSession(records, name, (before) => ({ ...before, action: { verb, at } }));
  const answer = await ask();
  if ('operation' in answer) {
    const { operation } = answer;
    log.info('asked for', { session: name, verb });
    await changeSession(records, name, (before) =>
      before.action?.verb === verb && before.action.at === at
        ? { ...before, action: { verb, at, operation } }
        : before,
    );
    return 'later';
  }
  const { kind, words, raw } = answer.failure;
  // Something else is under way on it.
  if (kind === 'exists') return 'later';
  if (kind === 'transient' || kind === 'rate' || kind === 'not-found') throw new NotYet(words);
  log.error('a session does not do what it is told', { session: name, verb, reason: raw });
  if (verb === 'start') {
    const record = await changeSession(records, name, (before) => before);
    return record ? notStarted(record, words, dependencies) : 'done';
  }
  await changeSession(records, name, (before) =>
    before.reason === words ? before : { ...before, reason: words },
  );
  return 'done';
}

/** It stays stopped, with what is on its disks. */
async function notStarted(
  { name }: SessionRecord,
  reason: string,
  { records, log, now }: SessionDependencies,
): Promise<Step> {
  const at = new Date(now()).toISOString();
  await changeSession(records, name, (before) => {
    if (before.state !== 'starting') return before;
    const { action: _, ...rest } = before;
    return {
      ...moved(rest, 'stopped', at, `it could not be started: ${reason}`),
      wish: 'stopped',
      wishedAt: at,
    };
  });
  log.warning('a session could not be started', { session: name, reason });
  return 'done';
}

/** It runs from now on, and ends when its hours are over. */
async function startClock(
  record: SessionRecord,
  { records, now }: SessionDependencies,
  reason?: string,
): Promise<SessionRecord> {
  const at = new Date(now()).toISOString();
  const changed = await changeSession(records, record.name, (before) => {
    if (before.state !== record.state || before.wish !== record.wish) return before;
    const { action: _, stoppedAt: __, ...rest } = before;
    const endsAt = new Date(Date.parse(at) + before.session.hours * 3_600_000).toISOString();
    return { ...moved(rest, 'running', at, reason), wish: 'running', wishedAt: at, startedAt: at, endsAt };
  });
  return changed ?? record;
}

async function wishStopped(
  record: SessionRecord,
  state: 'stopping' | 'stopped',
  reason: string,
  { records, log, now }: SessionDependencies,
): Promise<void> {
  const at = new Date(now()).toISOString();
  await changeSession(records, record.name, (before) => {
    if (before.state !== record.state || before.wish !== record.wish) return before;
    const { action: _, ...rest } = before;
    return {
      ...moved(rest, state, at, reason),
      wish: 'stopped',
      wishedAt: at,
      ...(state === 'stopped' ? { stoppedAt: at } : {}),
    };
  });
  log.info('a session is stopped', { session: record.name, reason });
}

/** By what the idle sweep has written down of its machine, or by somebody else. */
async function whyStopped(
  { instanceId: id, startedAt = '', session }: SessionRecord,
  { records }: SessionDependencies,
): Promise<string> {
  const idle = id === undefined ? undefined : (await records.read(idleRecordName(id), IdleRecord))?.value;
  if (idle?.outcome && idle.outcome.at > startedAt && idle.outcome.what !== 'failed')
    return 'nobody used it, and the idle sweep has stopped it';
  return `it was stopped by Workbench, after ${session.idleMinutes} minutes without use, or by somebody else`;
}

/** What the instance says of itself now. */
async function noteLook(
  record: SessionRecord,
  { link, machineId }: Seen,
  { records }: SessionDependencies,
): Promise<SessionRecord> {
  const isKnown =
    record.missingSince === undefined &&
    (link === undefined || link === record.link) &&
    (machineId === undefined || machineId === record.instanceId);
  if (isKnown) return record;
  const changed = await changeSession(records, record.name, (before) => {
    if (!before.candidate) return before;
    const { missingSince: _, ...rest } = before;
    return { ...rest, ...(link ? { link } : {}), ...(machineId ? { instanceId: machineId } : {}) };
  });
  return changed ?? record;
}

/** One answer that there is none may be wrong, and then what is paid would be forgotten. */
async function gone(
  record: SessionRecord,
  seen: Seen | undefined,
  { records, log, now }: SessionDependencies,
): Promise<Step> {
  const at = new Date(now()).toISOString();
  const since = record.missingSince ?? at;
  const isExpected = record.wish === 'deleted' && record.action?.verb === 'delete';
  const isDeleted = seen?.state === 'DELETED';
  const isBelieved = isExpected || isDeleted || now() - Date.parse(since) >= believed;
  const reason = isExpected
    ? undefined
    : seen && !isDeleted
      ? 'another instance has its name'
      : 'its machine was deleted by somebody else';
  await changeSession(records, record.name, (before) => {
    if (before.state === 'deleted') return before;
    if (!isBelieved) return before.missingSince ? before : { ...before, missingSince: since };
    const { action: _, asked: __, link: ___, missingSince: ____, ...rest } = before;
    return { ...moved(rest, 'deleted', at, reason), wish: 'deleted' };
  });
  if (isBelieved) log.info('nothing is left of a session', { session: record.name, reason });
  return 'done';
}
