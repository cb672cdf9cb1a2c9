import { gpuNames } from '../machines/accelerators.ts';
import { nextLook } from '../machines/backOff.ts';
import type { Candidate } from '../machines/candidate.ts';
import { candidatesOf, type Model, modelsOf, regionOf } from '../machines/candidates.ts';
import { type Cooldown, isBlocked } from '../machines/cooldown.ts';
import { leftToTry } from '../machines/order.ts';
import { dollars, type Estimate, estimate, isWithinMoney } from '../machines/prices.ts';
import type { PriceTable } from '../machines/priceTable.ts';
import { leastSeconds } from './job.ts';
import { type Attempt, currentAttempt, type JobRecord, type Try } from './jobRecord.ts';
import type { Limits } from './limits.ts';
import { secondsLeft } from './spent.ts';

export type Choice = { estimate?: Estimate } & (
  | { do: 'ask'; candidate: Candidate }
  | { do: 'wait'; reason: string; retryAt: string }
  /** None will come; `refuse` if nothing was tried. */
  | { do: 'fail' | 'refuse'; reason: string }
);

type Options = {
  cooldown: Cooldown;
  prices: PriceTable;
  regions: string[] | undefined;
  limits?: Limits | undefined;
  now: number;
  random: () => number;
};

/** Which machine a job that is being placed asks for next. */
export function choose(record: JobRecord, options: Options): Choice {
  const { spot } = record.job;
  const preemptions = record.attempts.filter(({ outcome }) => outcome === 'preempted').length;
  const waited = record.waitingSince ? options.now - Date.parse(record.waitingSince) : 0;
  const models = modelsOf(spot, { preemptions, waitedMinutes: waited / 60_000 });
  const choice = among(models, record, options);
  if (isPossible(choice) || spot !== 'prefer' || models.includes('standard')) return choice;
  // There will be no spot machine, for want of quota, say; it was only preferred.
  const other = among(['standard'], record, options);
  return isPossible(other) ? other : choice;
}

const isPossible = (choice: Choice) => choice.do === 'ask' || choice.do === 'wait';

function among(
  models: Model[],
  record: JobRecord,
  { cooldown, prices, regions, limits = {}, now, random }: Options,
): Choice {
  const { job } = record;
  const attempt = currentAttempt(record) as Attempt;
  const end = attempt.number === 1 && attempt.tried === 0 ? 'refuse' : 'fail';
  const candidates = candidatesOf(job, models, prices, regions);
  const [first] = candidates;
  if (!first) return { do: end, reason: nothingOffered(record, regions) };

  const allowed = candidates.filter((candidate) => isAllowed(candidate, limits));
  if (allowed.length === 0) return { do: end, reason: notAllowed(candidates, limits) };
  const affordable = allowed.filter((candidate) => isAffordable(record, candidate, prices, now));
  if (affordable.length === 0) return { do: end, reason: tooDear(record, allowed, prices, now) };
  const said = estimate(job, affordable[0] ?? first, prices);

  const possible = affordable.filter((candidate) => !attempt.tries.some((one) => rulesOut(one, candidate)));
  if (possible.length === 0)
    return { estimate: said, do: 'fail', reason: attempt.tries.findLast(isFinal)?.words ?? 'no quota' };

  const hints = attempt.tries.at(-1)?.hints ?? [];
  const open = leftToTry(possible, cooldown, now, hints).filter(
    (candidate) => !attempt.tries.some((one) => isUsedUp(one, candidate, now)),
  );
  // Many zones take longer than the first of them cool down: those that were not asked yet must have their turn.
  const begun = record.history.at(-1)?.at ?? '';
  const asked = attempt.tries.filter(({ at }) => at >= begun);
  const next = open.find((candidate) => !asked.some((one) => isOf(one, candidate))) ?? open[0];
  if (next) return { estimate: said, do: 'ask', candidate: next };

  const since = Date.parse(record.waitingSince ?? new Date(now).toISOString());
  const rounds = record.history.filter(
    (one) => one.state === 'waiting-for-capacity' && one.attempt === attempt.number,
  );
  const look = nextLook({ since, tries: rounds.length + 1 }, now, random());
  const reason = noCapacity(attempt, possible, cooldown, now);
  if (look === undefined) return { estimate: said, do: 'fail', reason: `no capacity: ${reason}` };
  return { estimate: said, do: 'wait', reason, retryAt: new Date(look).toISOString() };
}

/** What is not known keeps to no limit. */
function isAllowed({ price }: Candidate, { mostPerHour, mostPerPerson }: Limits): boolean {
  if (!price) return mostPerHour === undefined && mostPerPerson === undefined;
  return mostPerHour === undefined || price.perHour <= mostPerHour;
}

function notAllowed(candidates: Candidate[], { mostPerHour }: Limits): string {
  const [cheapest] = candidates.flatMap(({ price }) => price?.perHour ?? []).sort((a, b) => a - b);
  if (cheapest === undefined || mostPerHour === undefined)
    return 'what its machines cost is not known, so the limits of the lab cannot be kept; ask for another accelerator';
  return `the cheapest machine costs ${dollars(cheapest)} an hour, and the lab allows ${dollars(mostPerHour)}; ask for another accelerator`;
}

/** Before anything has run the whole job has to be within its money; later what is left of it. */
function isAffordable(record: JobRecord, candidate: Candidate, prices: PriceTable, now: number): boolean {
  const left = secondsLeft(record, candidate.price?.perHour, now);
  if (left === undefined || left < leastSeconds) return false;
  return record.attempts.length > 1 || isWithinMoney(record.job, estimate(record.job, candidate, prices));
}

/** No quota at all, or a zone that is closed to the project: asking again is in vain until somebody changes it. */
const isFinal = ({ kind }: Try) => kind === 'quota-zero' || kind === 'zone-closed';

const isOf = ({ zone, machineType, model }: Try, candidate: Candidate) =>
  zone === candidate.zone && machineType === candidate.machineType && model === candidate.model;

function rulesOut(one: Try, candidate: Candidate): boolean {
  if (!isFinal(one)) return false;
  if (one.scope === 'global') return hasGpu(candidate);
  const isSame =
    one.machineType === candidate.machineType &&
    one.accelerator === candidate.accelerator &&
    one.model === candidate.model;
  if (one.scope === 'zone') return isSame && one.zone === candidate.zone;
  return isSame && regionOf(one.zone) === candidate.region;
}

/**
 * A quota of all GPUs that is used up ends the search for any of them, until another machine may have ended. Where
 * something has the name of the machine, a disk that is left, say, it may be gone by then.
 */
function isUsedUp({ kind, scope, zone, at }: Try, candidate: Candidate, now: number): boolean {
  if (now - Date.parse(at) >= shortPause) return false;
  return kind === 'quota'
    ? scope === 'global' && hasGpu(candidate)
    : kind === 'exists' && zone === candidate.zone;
}
const shortPause = 60_000;

const hasGpu = ({ accelerator }: Candidate) =>
  gpuNames.some((name) => accelerator === name || accelerator.startsWith(`${name}:`));

function nothingOffered({ job }: JobRecord, regions: string[] | undefined): string {
  const where = job.regions ?? regions;
  const wanted = job.accelerators.map((one) => Object.values(one).join(':')).join(', ');
  const place = where ? `in ${where.join(', ')}` : 'anywhere';
  const on = job.spot === 'never' ? ' on demand' : job.spot === 'only' ? ' as spot' : '';
  return `no machine with ${wanted} is offered${on} ${place}; ask for another accelerator or region`;
}

function tooDear(record: JobRecord, candidates: Candidate[], prices: PriceTable, now: number): string {
  const { hours, money } = record.job.limits;
  const left = secondsLeft(record, undefined, now);
  if (money === undefined || (left !== undefined && left < leastSeconds))
    return `its ${hours} hours are used up; raise limits.hours`;
  const known = candidates
    .filter(({ price }) => price)
    .sort((a, b) => (a.price?.perHour ?? 0) - (b.price?.perHour ?? 0));
  const [cheapest] = known;
  if (!cheapest)
    return `what its machines cost is not known, so the limit of ${dollars(money)} cannot be kept; leave limits.money out, or ask for another accelerator`;
  const { words } = estimate(record.job, cheapest, prices);
  return `it may cost more than its limit of ${dollars(money)}. The cheapest: ${words} Raise limits.money, or lower limits.hours`;
}

function noCapacity(attempt: Attempt, possible: Candidate[], cooldown: Cooldown, now: number): string {
  const zones = new Set(possible.map(({ zone }) => zone)).size;
  const [reason] = possible.flatMap((candidate) => isBlocked(cooldown, candidate, now)?.reason ?? []);
  const last = attempt.tries.at(-1)?.words ?? reason ?? '';
  return `no machine in any of ${zones} zone${zones === 1 ? '' : 's'} now; asked ${attempt.tried} times. The last answer: ${last}`;
}
