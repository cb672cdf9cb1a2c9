import type { CostRecord, Counted } from './costRecord.ts';
import { dayAt, type PeriodKind, periodAt } from './period.ts';
import type { Running } from './running.ts';

/** What a look at all zones has shown. */
export type Look = {
  /** When it began; milliseconds since 1970. */
  at: number;
  running: Running[];
  /** Whether not being seen means that it is not there. */
  wasSeen(item: Pick<Counted, 'kind' | 'zone'>): boolean;
  unseen: string[];
  /** When what is not there any more came to its end, by key, as far as the service says it. */
  ends: { [key: string]: string | undefined };
};

/** So long, at most, something is taken to have gone on that is not there any more, and nobody says since when. */
export const longestGuess = 3_600_000;
/** For so long somebody may have counted with a clock that was ahead; longer, and the clock was wrong. */
const skew = 3_600_000;
const keptGone = 7 * 24 * 3_600_000;
const mostDays = 400;
const mostNames = 500;

/**
 * Adds what has been spent since the last look: rate by time, for each thing from where it was counted to until its end
 * or now. By that, no look is counted twice, however often, late or in parallel it is taken; one that is missed is made up
 * for by the next; and a clock that goes back adds nothing until it is there again.
 * @returns the very same record if the look is older than it
 */
export function accrue(before: CostRecord | undefined, look: Look, periodKind: PeriodKind): CostRecord {
  const { at, running, unseen, wasSeen, ends } = look;
  const period = periodAt(at, periodKind);
  if (before && (Date.parse(before.period.start) > at || isAhead(before, at))) return before;
  const record = opened(before, period, at);
  record.asOf = iso(at);
  record.unseen = unseen;
  const there = new Set<string>();
  for (const one of running) {
    there.add(one.key);
    const known = record.items[one.key];
    const { key: _, to, ...rest } = one;
    const until = known?.until ?? later(one.from, record.since);
    const item: Counted = { ...rest, until, state: to ? 'stopped' : 'running' };
    record.items[one.key] = item;
    count(record, item, to ? Math.min(at, Date.parse(to)) : at);
  }
  for (const [key, item] of Object.entries(record.items)) {
    if (there.has(key)) continue;
    if (item.state === 'gone') {
      if (at - Date.parse(item.until) > keptGone) delete record.items[key];
      continue;
    }
    if (!wasSeen(item)) continue;
    if (item.state === 'running') countToEnd(record, item, ends[key], nextRun(item, running), at);
    // It is kept for a while: what comes back, after all, goes on from there.
    item.state = 'gone';
  }
  return bounded(record);
}

/** Running things that are not in this look, though their zone is. */
export function missingFrom(
  before: CostRecord | undefined,
  { running, wasSeen }: Pick<Look, 'running' | 'wasSeen'>,
): [key: string, item: Counted][] {
  const there = new Set(running.map(({ key }) => key));
  return Object.entries(before?.items ?? {}).filter(
    ([key, item]) => item.state === 'running' && !there.has(key) && wasSeen(item),
  );
}

/** Of what ran, may run on, and was not counted, as its zone did not answer. */
export const assumedOf = ({ items, asOf, period }: CostRecord): number =>
  Object.values(items)
    .filter(({ state }) => state === 'running')
    .reduce((sum, { perHour = 0, until }) => {
      const from = Date.parse(later(until, period.start));
      return sum + hours(Math.max(0, Date.parse(asOf) - from)) * perHour;
    }, 0);

/** A machine that was stopped and started again between two looks, or was begun anew by its service. */
const nextRun = (item: Counted, running: Running[]): string | undefined =>
  running.find(
    ({ kind, zone, name, from }) =>
      kind === item.kind && zone === item.zone && name === item.name && from > item.from,
  )?.from;

function isAhead({ asOf }: CostRecord, at: number): boolean {
  const ahead = Date.parse(asOf) - at;
  return ahead > 0 && ahead < skew;
}

function opened(before: CostRecord | undefined, period: CostRecord['period'], at: number): CostRecord {
  if (before?.period.start === period.start && before.period.end === period.end)
    return structuredClone(before);
  const days = { ...before?.days };
  const first = dayAt(Date.parse(period.start)).name;
  // Nothing, unless the budget now counts over other periods than it did.
  const counted = Object.entries(days).filter(([name]) => name >= first);
  return {
    period,
    since: before?.since ?? period.start,
    asOf: iso(at),
    total: counted.reduce((sum, [, cost]) => sum + cost, 0),
    guessed: 0,
    by: { kind: {}, owner: {}, job: {}, label: {} },
    days,
    units: { ...before?.units },
    items: structuredClone(before?.items ?? {}),
    unpriced: {},
    unseen: [],
    ...(before ? { previous: { period: before.period, total: before.total } } : {}),
    ahead: 0,
  };
}

/** Until it ended, by what its service says. If that says nothing: until it ends by itself or has begun anew, at most. */
function countToEnd(
  record: CostRecord,
  item: Counted,
  end: string | undefined,
  next: string | undefined,
  at: number,
): void {
  if (end !== undefined) {
    count(record, item, Math.min(at, Date.parse(end)));
    return;
  }
  const until = Date.parse(item.until);
  const limits = [item.endsAt, next].flatMap((time) => (time === undefined ? [] : [Date.parse(time)]));
  const guess = Math.min(at, until + longestGuess, ...limits);
  if (guess > until) record.guessed += hours(guess - until) * (item.perHour ?? 0);
  count(record, item, guess);
}

/** From where it was counted to until then, each day by itself, as a period ends with a day. */
function count(record: CostRecord, item: Counted, to: number): void {
  const { kind, words, perHour, labels } = item;
  for (let from = Date.parse(item.until); from < to; ) {
    const day = dayAt(from);
    const end = Math.min(day.end, to);
    const length = hours(end - from);
    const isNow = day.start >= Date.parse(record.period.start);
    if (perHour === undefined) {
      if (isNow) add(record.unpriced, `${kind}: ${words}`, length);
    } else {
      const cost = length * perHour;
      add(record.days, day.name, cost);
      if (isNow) {
        record.total += cost;
        add(record.by.kind, kind, cost);
        add(record.by.owner, ownerOf(labels), cost);
        add(record.by.job, labels['gazeline-job'] ?? '', cost);
        for (const label of othersOf(labels)) add(record.by.label, label, cost);
      } else if (record.previous && day.start >= Date.parse(record.previous.period.start))
        record.previous.total += cost;
    }
    item.until = iso(end);
    from = end;
  }
}

/** Empty: nobody’s name is on it. */
export const ownerOf = (labels: Record<string, string>): string => labels['gazeline-owner'] ?? '';

/** What people have written on it themselves. */
const othersOf = (labels: Record<string, string>): string[] =>
  Object.entries(labels)
    .filter(([key]) => !/^(gazeline|goog)-/.test(key))
    .map(([key, value]) => `${key}=${value}`);

function add(sums: Record<string, number>, name: string, amount: number): void {
  sums[name] = (sums[name] ?? 0) + amount;
}

/** The record is read and written every few minutes. */
function bounded(record: CostRecord): CostRecord {
  record.days = lastOf(record.days);
  record.units = lastOf(record.units);
  for (const sums of Object.values(record.by)) {
    const names = Object.entries(sums)
      .filter(([name]) => name !== others)
      .sort(([, one], [, other]) => other - one);
    for (const [name, amount] of names.slice(mostNames)) {
      delete sums[name];
      add(sums, others, amount);
    }
  }
  return record;
}
const others = '(others)';

const lastOf = <T>(days: Record<string, T>): Record<string, T> =>
  Object.fromEntries(
    Object.entries(days)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .slice(-mostDays),
  );

const hours = (ms: number) => ms / 3_600_000;
const later = (one: string, other: string) => (one > other ? one : other);
const iso = (ms: number) => new Date(ms).toISOString();
