import { isOpenForWork } from '../budget/isOpenForWork.ts';
import { act, notStarted } from './act.ts';
import type { SessionDependencies, Step } from './dependencies.ts';
import { instanceId, sessionIdOf } from './instanceBody.ts';
import type { Seen } from './instances.ts';
import { gone, noteLook } from './noteLook.ts';
import { roomFor } from './place.ts';
import { keepScript } from './script.ts';
import { changeSession, moved, type SessionRecord } from './sessionRecord.ts';
import { whyStopped } from './whyStopped.ts';

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
  const { state, endsAt } = record;
  if (seen.state === 'ACTIVE') {
    if (state !== 'running') {
      await startClock(record, dependencies);
      return 'again';
    }
    if (endsAt !== undefined && Date.parse(endsAt) <= now()) {
      await wishStopped(record, 'stopping', `its ${hoursOf(record)} hours were over`, dependencies);
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

/** Those that it had in the end, after it was prolonged perhaps. */
function hoursOf({ session, startedAt, endsAt }: SessionRecord): number {
  if (!startedAt || !endsAt) return session.hours;
  return Number(((Date.parse(endsAt) - Date.parse(startedAt)) / 3_600_000).toFixed(1));
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
    // Somebody has just prolonged it.
    if (before.endsAt !== record.endsAt) return before;
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
