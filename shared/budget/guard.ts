import type { Figure } from './figures.ts';
import { atLevel, type GuardRecord, openPeriod, type Step } from './guardRecord.ts';
import { higher, isAtLeast, type Level, levelOf, levels, type Thresholds } from './levels.ts';

export type GuardSettings = {
  thresholds: Thresholds;
  /** The first is that of the whole project: the estimate is held against it. */
  budgets: string[];
  /** What the first is worth, as long as Google has not said it. */
  amount: number | undefined;
};

/** By how much of the budget spending goes on before a level comes back that a person has let down. */
const margin = 0.05;

/**
 * Disks and the like cost on when all machines are stopped, so that is done before it is too late for them. No more of the
 * budget than this is kept for it: a lab that stores much could not work at all.
 */
const mostBound = 0.1;

/**
 * What a figure means for the level. It only rises, until a period is heard of that begins later; and it does not matter
 * in which order the figures of a period come, or how often. So a cost that falls, as after credits, changes nothing.
 * @returns the very same record if the figure is of a period that is over
 */
export function hear(
  record: GuardRecord | undefined,
  figure: Figure,
  settings: GuardSettings,
  now: number,
): GuardRecord | undefined {
  const { period } = figure;
  const isOver = Date.parse(period.end) <= now;
  if (isOver || (record && period.start < record.period.start)) return record;
  const at = new Date(now).toISOString();
  const current = record?.period.start === period.start ? record : openPeriod(record, period, at);
  const noted = note(current, figure, at);
  const shares = sharesOf(noted, figure, settings);
  const ratio = Math.max(current.ratio, shares.billed, shares.estimated, shares.bound);
  const level = levelFor(current, shares, settings);
  const known = { ...noted, ratio };
  if (!isAtLeast(level, current.level) || level === current.level) return known;
  return raised(known, level, { at, reason: reasonOf(figure, shares, level) });
}

/** A person lets the level down. @returns undefined if it is not above `to` */
export function release(
  record: GuardRecord,
  { to, by, why }: { to: Level; by: string; why: string },
  now: number,
): GuardRecord | undefined {
  if (!isAtLeast(record.level, to) || record.level === to) return undefined;
  const at = new Date(now).toISOString();
  const { level: from, ratio } = record;
  const released = { at, by, why, from, to, ratio, until: ratio + margin };
  // What is let down was done, or is not wanted any more; reached again, it is done again.
  const steps = record.steps.filter(({ level }) => isAtLeast(to, level));
  return atLevel({ ...record, released, steps }, to, { at, by, reason: why });
}

/** A person raises the level. @returns undefined if it is there already */
export function raise(
  record: GuardRecord,
  { to, by, why }: { to: Level; by: string; why: string },
  now: number,
): GuardRecord | undefined {
  if (isAtLeast(record.level, to)) return undefined;
  return raised(record, to, { at: new Date(now).toISOString(), by, reason: why });
}

/** With a step for every level on the way, which are done one after the other. */
function raised(
  record: GuardRecord,
  level: Level,
  why: { at: string; reason: string; by?: string },
): GuardRecord {
  const onTheWay = levels.slice(levels.indexOf(record.level) + 1, levels.indexOf(level) + 1);
  const steps = onTheWay.flatMap((one): Step[] =>
    one === 'open' ? [] : [{ level: one, reason: why.reason, raisedAt: why.at, results: [] }],
  );
  return atLevel({ ...record, steps: [...record.steps, ...steps] }, level, why);
}

function note(record: GuardRecord, figure: Figure, at: string): GuardRecord {
  if (figure.kind === 'billed') {
    const { budgetId, name, amount, currency, cost } = figure;
    const budget = { name, amount, currency, billed: { cost, heardAt: at } };
    return { ...record, budgets: { ...record.budgets, [budgetId]: budget } };
  }
  const { kind: _, period: __, ...estimate } = figure;
  const isLate = record.estimate && record.estimate.asOf > estimate.asOf;
  return isLate ? record : { ...record, estimate };
}

type Shares = {
  billed: number;
  estimated: number;
  estimatedCost: number;
  /** What is estimated, and what comes to it whatever is stopped. */
  bound: number;
  forecast: number;
};

/** Of the budget: what this figure says, and the latest estimate, which may have waited to know the budget. */
function sharesOf(
  record: GuardRecord,
  figure: Figure,
  { budgets: [first = ''], amount }: GuardSettings,
): Shares {
  const whole = record.budgets[first]?.amount ?? amount;
  // An estimate that comes late has its say as well.
  const estimates = [record.estimate, ...(figure.kind === 'estimated' ? [figure] : [])];
  const estimatedCost = Math.max(0, ...estimates.map((one) => one?.cost ?? 0));
  const shareOf = (cost: number) => (whole === undefined ? 0 : cost / whole);
  const billed = figure.kind === 'billed' ? Math.max(0, figure.cost / figure.amount) : 0;
  return {
    billed,
    estimated: shareOf(estimatedCost),
    estimatedCost,
    bound: Math.max(
      ...estimates.map((one) => shareOf(one?.cost ?? 0) + Math.min(mostBound, shareOf(one?.boundCost ?? 0))),
      0,
    ),
    forecast: Math.max(
      figure.kind === 'billed' ? (figure.forecast ?? 0) : 0,
      ...estimates.map((one) => shareOf(one?.forecastCost ?? 0)),
    ),
  };
}

function levelFor({ released }: GuardRecord, shares: Shares, { thresholds }: GuardSettings): Level {
  const spent = Math.max(shares.billed, shares.estimated);
  const reached = levelOf(thresholds, (threshold, level) => {
    // It cannot be taken back, so it goes by the bill alone.
    const share =
      level === 'detached' ? shares.billed : stopsMachines(level) ? Math.max(spent, shares.bound) : spent;
    const isLetDown = released && !isAtLeast(released.to, level) && threshold <= released.ratio;
    return share >= (isLetDown ? Math.max(threshold, released.until) : threshold);
  });
  // A forecast is a guess. It may warn, and only that; and who has let a level down was warned.
  const isForeseen = shares.forecast >= 1 && !released;
  return isForeseen ? higher(reached, 'warned') : reached;
}

function reasonOf(figure: Figure, shares: Shares, level: Level): string {
  const spent = Math.max(shares.billed, shares.estimated);
  if (level === 'warned' && spent < shares.forecast && shares.forecast >= 1)
    return `by the end of the period, ${percent(shares.forecast)} of the budget is expected to be spent`;
  const isBound = stopsMachines(level) && shares.bound > spent;
  const isBilled = figure.kind === 'billed' && shares.billed >= shares.estimated;
  const cost = isBilled ? figure.cost : shares.estimatedCost;
  const { currency } = figure;
  const by = isBilled ? 'billed' : 'estimated, by what ran and list prices';
  const amount = `${cost.toFixed(2)} ${currency} ${by}`;
  return isBound
    ? `${percent(shares.bound)} of the budget is spent or bound: ${amount}, and what disks and the like cost until the end of the period`
    : `${percent(spent)} of the budget is spent: ${amount}`;
}

const stopsMachines = (level: Level) => level === 'stop-idle' || level === 'stop-all';
const percent = (share: number) => `${Math.floor(share * 1000) / 10} %`;
