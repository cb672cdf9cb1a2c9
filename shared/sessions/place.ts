import { isOpenForWork } from '../budget/isOpenForWork.ts';
import type { Try } from '../jobs/jobRecord.ts';
import { type Allowed, holdRoom, type Limits, sessionHolderId } from '../jobs/limits.ts';
import type { Candidate } from '../machines/candidate.ts';
import { regionOf } from '../machines/candidates.ts';
import { block, Cooldown, cooldownRecord, isBlocked, noCooldown, unblock } from '../machines/cooldown.ts';
import type { Failure } from '../machines/failure.ts';
import { leftToTry } from '../machines/order.ts';
import { dollars } from '../machines/prices.ts';
import type { Records } from '../storage/records.ts';
import { sessionCandidates } from './candidates.ts';
import type { SessionDependencies, Step } from './dependencies.ts';
import { instanceBody, instanceId, requestIdFor, sessionIdOf } from './instanceBody.ts';
import type { Seen } from './instances.ts';
import { keepScript } from './script.ts';
import { changeSession, moved, type SessionRecord } from './sessionRecord.ts';

const mostTries = 100;

/** Chooses where an instance is asked for next, and writes that down. */
export async function place(record: SessionRecord, dependencies: SessionDependencies): Promise<Step> {
  const { records, prices, regions, log, now } = dependencies;
  const { name, round } = record;
  const at = new Date(now()).toISOString();
  const end = async (state: 'failed' | 'refused', reason: string): Promise<Step> => {
    await changeSession(records, name, (before) =>
      before.asked || before.candidate || before.state !== 'placing'
        ? before
        : moved(before, state, at, reason),
    );
    log.warning('no session', { session: name, state, reason });
    return 'done';
  };
  if (record.wish !== 'running')
    return record.wish === 'deleted'
      ? endDeleted(record, at, dependencies)
      : end('failed', 'it was not wanted any more');

  const open = await isOpenForWork(records, now());
  if (!open.isOpen) return end('refused', open.reason);
  const candidates = sessionCandidates(record.session, prices, regions);
  const [first] = candidates;
  if (!first) return end('refused', nothingOffered(record, regions));
  const allowed = candidates.filter((one) => isAllowed(one, dependencies.limits));
  if (allowed.length === 0) return end('refused', tooDear(candidates, dependencies.limits));

  const cooldown = (await records.read(cooldownRecord, Cooldown))?.value ?? noCooldown;
  const possible = allowed.filter((one) => !record.tries.some((tried) => rulesOut(tried, one)));
  const [candidate] = leftToTry(possible, cooldown, now(), record.tries.at(-1)?.hints);
  if (!candidate) return end('failed', await noCapacity(record, allowed, dependencies));
  const room = await roomFor(record, candidate, dependencies);
  if (!room.isAllowed) return end('refused', room.reason);

  await changeSession(records, name, (before) =>
    before.asked || before.candidate || before.round !== round || before.wish !== 'running'
      ? before
      : { ...before, asked: { at, candidate, requestId: requestIdFor(before, candidate) } },
  );
  return 'again';
}

/** Asks for what is written down, or looks what has come of it. */
export async function settle(record: SessionRecord, dependencies: SessionDependencies): Promise<Step> {
  const { records, instances, settings, now } = dependencies;
  const { name, asked } = record;
  if (!asked) return 'again';
  const { candidate, requestId, acceptedAt, operation } = asked;
  const { zone } = candidate;
  const id = instanceId(name);
  const at = new Date(now()).toISOString();
  if (!acceptedAt) {
    await keepScript(dependencies);
    const answer = await instances.create(zone, id, instanceBody(record, candidate, settings), requestId);
    // The answer to an earlier request may have been lost, or this one.
    if (
      'failure' in answer &&
      !(mayBeThere(answer.failure) && isOurs(await instances.look(zone, id), record))
    )
      return drop(record, answer.failure, dependencies);
    await changeSession(records, name, (before) =>
      before.asked?.requestId === requestId && !before.asked.acceptedAt
        ? {
            ...before,
            asked: {
              ...before.asked,
              acceptedAt: at,
              ...('operation' in answer ? { operation: answer.operation } : {}),
            },
          }
        : before,
    );
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

/** By what was said at once; a zone that is closed does not say either what is there. */
const mayBeThere = ({ kind }: Failure) => kind === 'exists' || kind === 'transient' || kind === 'stock-out';

export const roomFor = async (
  { name, owner, session }: SessionRecord,
  candidate: Candidate,
  { records, limits, now }: SessionDependencies,
): Promise<Allowed> => {
  if (!limits) return { isAllowed: true };
  const holder = { id: sessionHolderId(name), owner, seconds: session.hours * 3600, waits: false };
  return holdRoom(records, holder, candidate, limits, now());
};

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

async function endDeleted(
  { name }: SessionRecord,
  at: string,
  { records }: SessionDependencies,
): Promise<Step> {
  await changeSession(records, name, (before) =>
    before.asked || before.candidate || before.wish !== 'deleted' ? before : moved(before, 'deleted', at),
  );
  return 'done';
}

/** A person waits: each place is asked once. */
function rulesOut(tried: Try, candidate: Candidate): boolean {
  if (tried.scope === 'global') return !candidate.accelerator.startsWith('cpu');
  const isSame = tried.machineType === candidate.machineType && tried.accelerator === candidate.accelerator;
  if (!isSame) return false;
  if (tried.scope === 'region') return regionOf(tried.zone) === candidate.region;
  return tried.zone === candidate.zone;
}

/** What is not known keeps to no limit. */
function isAllowed({ price }: Candidate, { mostPerHour, mostPerPerson }: Limits = {}): boolean {
  if (!price) return mostPerHour === undefined && mostPerPerson === undefined;
  return mostPerHour === undefined || price.perHour <= mostPerHour;
}

function tooDear(candidates: Candidate[], { mostPerHour }: Limits = {}): string {
  const [cheapest] = candidates.flatMap(({ price }) => price?.perHour ?? []).sort((a, b) => a - b);
  return cheapest === undefined || mostPerHour === undefined
    ? 'what its machines cost is not known, so the limits of the lab cannot be kept; ask for another accelerator'
    : `the cheapest machine costs ${dollars(cheapest)} an hour, and the lab allows ${dollars(mostPerHour)}; ask for another accelerator`;
}

function nothingOffered({ session }: SessionRecord, regions: string[] | undefined): string {
  const where = session.regions ?? regions;
  const wanted = session.accelerators.map((one) => Object.values(one).join(':')).join(', ');
  const machine = session.machine ? `${session.machine} with ` : '';
  return `no machine ${machine}${wanted} is offered on demand ${where ? `in ${where.join(', ')}` : 'anywhere'}; ask for another one, or another region`;
}

/** With what this search has learnt of the zones. */
async function noCapacity(
  { tries }: SessionRecord,
  allowed: Candidate[],
  { records, now }: SessionDependencies,
): Promise<string> {
  const cooldown = (await records.read(cooldownRecord, Cooldown))?.value ?? noCooldown;
  const zones = new Set(allowed.map(({ zone }) => zone)).size;
  const blocked = allowed.flatMap((one) => isBlocked(cooldown, one, now()) ?? []);
  const [next] = blocked.map(({ until }) => until).sort();
  const last = tries.at(-1)?.words ?? blocked[0]?.reason ?? '';
  const then = next === undefined ? '' : ` There may be one again from ${next} on.`;
  return `no machine in any of ${zones} zone${zones === 1 ? '' : 's'} now; asked ${tries.length} times. The last answer: ${last}${then}`;
}

const changeCooldown = (records: Records, change: (cooldown: Cooldown) => Cooldown) =>
  records.update(cooldownRecord, Cooldown, (before = noCooldown) => {
    const after = change(before);
    return after === before ? undefined : after;
  });
