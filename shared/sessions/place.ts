import { isOpenForWork } from '../budget/isOpenForWork.ts';
import type { Try } from '../jobs/jobRecord.ts';
import { type Allowed, holdRoom, type Limits, sessionHolderId } from '../jobs/limits.ts';
import type { Candidate } from '../machines/candidate.ts';
import { regionOf } from '../machines/candidates.ts';
import { Cooldown, cooldownRecord, isBlocked, noCooldown } from '../machines/cooldown.ts';
import { leftToTry } from '../machines/order.ts';
import { dollars } from '../machines/prices.ts';
import { sessionCandidates } from './candidates.ts';
import type { SessionDependencies, Step } from './dependencies.ts';
import { requestIdFor } from './instanceBody.ts';
import { changeSession, moved, type SessionRecord } from './sessionRecord.ts';

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

/** @param seconds after which it ends at the latest */
export const roomFor = async (
  { name, owner, session }: SessionRecord,
  candidate: Candidate,
  { records, limits, now }: Pick<SessionDependencies, 'records' | 'limits' | 'now'>,
  seconds = session.hours * 3600,
): Promise<Allowed> => {
  if (!limits) return { isAllowed: true };
  const holder = { id: sessionHolderId(name), owner, seconds, waits: false };
  return holdRoom(records, holder, candidate, limits, now());
};
