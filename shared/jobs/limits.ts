import * as z from 'zod';
import { CostRecord, costRecordName } from '../budget/costRecord.ts';
import { type PeriodKind, periodAt } from '../budget/period.ts';
import type { Candidate } from '../machines/candidate.ts';
import { labelValue } from '../machines/names.ts';
import { dollars } from '../machines/prices.ts';
import { mayHaveMachine as maySessionHaveMachine, readSession } from '../sessions/sessionRecord.ts';
import type { Records } from '../storage/records.ts';
import { readJobRecord } from './changeJob.ts';
import type { JobRecord } from './jobRecord.ts';
import { secondsLeft } from './spent.ts';

/** What the lab allows; what is missing has no limit. In US dollars. */
export type Limits = {
  /** All machines of the project together. */
  mostPerHour?: number | undefined;
  /** What the machines of one person may cost in a period. */
  mostPerPerson?: number | undefined;
  mostMachinesPerPerson?: number | undefined;
};

export type Allowed =
  | { isAllowed: true }
  | {
      isAllowed: false;
      reason: string;
      liftsAt: string /** As soon as another machine has ended. */;
      isSoon: boolean;
    };

export const heldRecordName = 'budget/held.json';

/** Whoever wants a machine: a job, or a session. */
export type Holder = {
  /** Of the job; of a session `session/` and its name. */
  id: string;
  owner: string;
  /** Its machine ends after so many at the latest. */
  seconds: number;
  /** Whether it waits when there is no room; if not, it is refused. */
  waits: boolean;
};

export const holderOf = (job: JobRecord, { price }: Candidate, now: number): Holder => ({
  id: job.id,
  owner: job.owner,
  seconds: secondsLeft(job, price?.perHour, now) ?? job.job.limits.hours * 3600,
  waits: true,
});

const ofSession = 'session/';
export const sessionHolderId = (name: string) => `${ofSession}${name}`;

/** What is held for a job or session that has a machine, or is about to have one. */
const Held = z.record(
  z.string(),
  z.object({
    owner: z.string(),
    /** Missing if it is not known. */
    perHour: z.number().optional(),
    at: z.iso.datetime(),
    /** The latest end of its machine. */
    until: z.iso.datetime(),
  }),
);
type Held = z.infer<typeof Held>;

/** Until it is looked at again whether there is room. */
const lookAgain = 2 * 60_000;

/**
 * Holds what a machine will cost, if the limits leave room for it. All are held in one record that is changed by
 * compare-and-set, so that of two that ask at the same time the second one sees the first. What is held by one that has no
 * machine any more, nor looks for one, is let go when the room is needed.
 */
export async function holdRoom(
  records: Records,
  holder: Holder,
  candidate: Candidate,
  limits: Limits & { periodKind: PeriodKind },
  now: number,
): Promise<Allowed> {
  const { mostPerHour, mostPerPerson, mostMachinesPerPerson } = limits;
  if (mostPerHour === undefined && mostPerPerson === undefined && mostMachinesPerPerson === undefined)
    return { isAllowed: true };
  const cost = (await records.read(costRecordName, CostRecord))?.value;
  const held = (await records.read(heldRecordName, Held))?.value ?? {};
  // Nobody lets go of what is held as long as there is room.
  let over = Object.keys(held).length > mostHeld ? await nothingLeftOf(records, holder.id) : [];
  for (let isCleared = false; ; isCleared = true) {
    let allowed = { isAllowed: true } as Allowed;
    await records.update(heldRecordName, Held, (before: Held = {}): Held | undefined => {
      const { [holder.id]: own, ...rest } = before;
      // Unless it holds something else meanwhile.
      const others = Object.fromEntries(
        Object.entries(rest).filter(([id, { at }]) => !over.some((one) => one[0] === id && one[1] === at)),
      );
      allowed = isRoom(others, holder, candidate, cost, limits, now);
      if (allowed.isAllowed) return { ...others, [holder.id]: holding(holder, candidate, now) };
      // What it held before it holds on: a machine may be on its way.
      return over.length > 0 ? { ...others, ...(own ? { [holder.id]: own } : {}) } : undefined;
    });
    if (allowed.isAllowed || isCleared) return allowed;
    over = await nothingLeftOf(records, holder.id);
    if (over.length === 0) return allowed;
  }
}
const mostHeld = 50;

function holding({ owner, seconds }: Holder, { price }: Candidate, now: number): Held[string] {
  return {
    owner: labelValue(owner),
    ...(price ? { perHour: price.perHour } : {}),
    at: iso(now),
    until: iso(now + seconds * 1000),
  };
}

/** What is held by those that have no machine and look for none. */
async function nothingLeftOf(records: Records, except: string): Promise<[id: string, at: string][]> {
  const held = (await records.read(heldRecordName, Held))?.value ?? {};
  const over: [string, string][] = [];
  for (const [id, { at }] of Object.entries(held))
    if (id !== except && !(await mayHaveMachine(records, id))) over.push([id, at]);
  return over;
}

async function mayHaveMachine(records: Records, id: string): Promise<boolean> {
  return id.startsWith(ofSession)
    ? maySessionHaveMachine(await readSession(records, id.slice(ofSession.length)))
    : mayJobHaveMachine(await readJobRecord(records, id));
}

/** As long as it is being placed, somebody may be about to ask for one. */
const mayJobHaveMachine = (job: JobRecord | undefined): boolean =>
  job !== undefined &&
  (job.state === 'placing' ||
    job.attempts.some(({ asked, candidate, releasedAt }) => (asked || candidate) && !releasedAt));

function isRoom(
  others: Held,
  holder: Holder,
  candidate: Candidate,
  cost: CostRecord | undefined,
  { mostPerHour, mostPerPerson, mostMachinesPerPerson, periodKind }: Limits & { periodKind: PeriodKind },
  now: number,
): Allowed {
  const { owner, waits } = holder;
  const own = holding(holder, candidate, now);
  const { perHour } = own;
  const theirs = Object.values(others).filter((one) => one.owner === own.owner);
  const soon = (reason: string): Allowed => ({
    isAllowed: false,
    reason,
    liftsAt: iso(now + lookAgain),
    isSoon: true,
  });
  if (mostMachinesPerPerson !== undefined && theirs.length >= mostMachinesPerPerson)
    return soon(
      `${owner} has ${theirs.length} machines already, and ${mostMachinesPerPerson} at once is the most${waits ? '; this waits until one has ended' : ''}`,
    );
  if (perHour === undefined) {
    if (mostPerHour === undefined && mostPerPerson === undefined) return { isAllowed: true };
    const reason = `what a ${candidate.machineType} costs is not known, so the limits of the lab cannot be kept`;
    return { isAllowed: false, reason, liftsAt: periodAt(now, periodKind).end, isSoon: false };
  }
  if (mostPerHour !== undefined) {
    const running =
      Object.values(others).reduce((sum, one) => sum + (one.perHour ?? 0), 0) + burnOfOthers(cost);
    if (running + perHour > mostPerHour)
      return soon(
        `${dollars(running)} an hour are being spent, and with ${dollars(perHour)} for this it would be more than the ${dollars(mostPerHour)} that the lab allows${waits ? '; it waits until something has ended' : ''}`,
      );
  }
  if (mostPerPerson === undefined) return { isAllowed: true };
  const period = periodAt(now, periodKind);
  const isNow = cost?.period.start === period.start;
  const spent = isNow ? (cost.by.owner[own.owner] ?? 0) : 0;
  // Until then it is in what is spent.
  const counted = isNow ? cost.asOf : period.start;
  const coming = theirs.reduce((sum, one) => sum + mostOf(one, counted), 0);
  const most = mostOf(own, own.at);
  if (spent + coming + most <= mostPerPerson) return { isAllowed: true };
  const reason =
    `${owner} has spent ${dollars(spent)} in this period; what runs may cost ${dollars(coming)} more and this ${dollars(most)}, ` +
    `and ${dollars(mostPerPerson)} is the most for one person before ${period.end}`;
  // What runs may end before it has cost all that.
  const isSoon = spent + most <= mostPerPerson;
  return isSoon ? soon(reason) : { isAllowed: false, reason, liftsAt: period.end, isSoon };
}

/** The most that it can cost from then on. */
function mostOf({ perHour = 0, at, until }: Held[string], counted: string): number {
  const from = Date.parse(at > counted ? at : counted);
  return (Math.max(0, Date.parse(until) - from) / 3_600_000) * perHour;
}

/** Of what runs and belongs to no job and no session: what was made by hand, and the disks of sessions, which stay. */
const burnOfOthers = (cost: CostRecord | undefined): number =>
  Object.values(cost?.items ?? {})
    .filter(
      ({ state, labels }) =>
        state === 'running' &&
        labels['gazeline-job'] === undefined &&
        labels['gazeline-session'] === undefined,
    )
    .reduce((sum, { perHour = 0 }) => sum + perHour, 0);

const iso = (ms: number) => new Date(ms).toISOString();
