import { assumedOf } from './accrue.ts';
import type { CostRecord, Counted } from './costRecord.ts';
import { dayAt, type Period } from './period.ts';
import { buckets } from './runningStorage.ts';
import { costOfUnits, unitsIn } from './unitPrices.ts';

/** What is being spent and has been, in US dollars, with what is not known of it. */
export type Spending = {
  /** When it was looked at. */
  asOf: string;
  /** The day of the list prices. */
  prices?: string;
  period: Period;
  /** Of what runs now and has a price. */
  perHour: number;
  /** Today in US Pacific time, as Google counts. */
  today: number;
  /** What is counted here, of this period. */
  counted: number;
  /** Of that: what ran, may run on, and cannot be seen. */
  assumed: number;
  /** Of that: for things of which nobody says when they ended. */
  guessed: number;
  /** Of that: units of Vision and Natural Language, and what they cost at most. */
  units: { vision: number; language: number; cost: number };
  /** What Google has billed, up to a day late; how much more that was than what was counted then. */
  billed?: { cost: number; heardAt: string; difference: number };
  /** The larger one: what is counted, or what was billed and is counted since. */
  estimate: number;
  /** What it comes to by the end of the period if what runs goes on as long as it may. */
  forecast: number;
  /** What no stop of a machine ends, as disks, until the end of the period. */
  bound: number;
  by: CostRecord['by'];
  running: (Counted & { key: string })[];
  /** What costs and has no price here. */
  unknown: string[];
  notCovered: string[];
};

/** What no look at machines and disks shows. */
export const notCovered = [
  'network traffic and addresses',
  'operations on buckets, and what they hold since it was measured, once a day',
  'snapshots and images',
  'logging and monitoring',
  'the functions themselves and their messages',
  'machines that came and went between two looks',
  'discounts and credits',
];

export function spendingOf(record: CostRecord): Spending {
  const { asOf, period, by, items, unpriced, unseen, total, guessed, ahead, days, units } = record;
  const now = Date.parse(asOf);
  const running = Object.entries(items)
    .filter(([, { state }]) => state === 'running')
    .map(([key, item]) => ({ key, ...item }));
  const used = unitsIn(units, period, now);
  const ofUnits = costOfUnits(used);
  const ofUnitsToday = costOfUnits(units[asOf.slice(0, 10)] ?? { vision: 0, language: 0 });
  const assumed = assumedOf(record);
  const counted = total + assumed + ofUnits;
  const estimate = counted + Math.max(0, ahead);
  const still = (some: typeof running) =>
    some.reduce((sum, { perHour = 0, endsAt = period.end }) => {
      const end = Math.min(Date.parse(endsAt), Date.parse(period.end));
      return sum + (Math.max(0, end - now) / 3_600_000) * perHour;
    }, 0);
  const { billed } = record;
  return {
    asOf,
    ...(record.prices === undefined ? {} : { prices: record.prices }),
    period,
    perHour: running.reduce((sum, { perHour = 0 }) => sum + perHour, 0),
    today: (days[dayAt(now).name] ?? 0) + ofUnitsToday,
    counted,
    assumed,
    guessed,
    units: { ...used, cost: ofUnits },
    ...(billed
      ? {
          billed: { cost: billed.cost, heardAt: billed.heardAt, difference: billed.cost - billed.counted },
        }
      : {}),
    estimate,
    forecast: estimate + still(running),
    bound: still(running.filter(({ kind }) => kind !== 'machine' && kind !== 'tpu')),
    by: { ...by, kind: { ...by.kind, ...(ofUnits > 0 ? { 'Vision and Natural Language': ofUnits } : {}) } },
    running,
    unknown: [
      ...Object.entries(unpriced).map(
        ([words, hours]) => `${words}, for ${Number(hours.toPrecision(2))} hours: its price is not known`,
      ),
      ...unseen.map((zone) =>
        zone === buckets
          ? 'nobody says what the buckets hold: it is taken to be as it was'
          : `${zone} did not answer: what ran there is taken to run on`,
      ),
    ],
    notCovered,
  };
}

/**
 * With what Google has billed. It is late, so at the moment that it is heard of it says what has been spent at least; and
 * what it then was ahead of our own count stays, in this period, whatever comes later, as after credits.
 */
export function reconcile(
  record: CostRecord,
  billed: { cost: number; heardAt: string } | undefined,
): CostRecord {
  if (!billed || record.billed?.heardAt === billed.heardAt) return record;
  const { counted } = spendingOf(record);
  const ahead = Math.max(record.ahead, billed.cost - counted);
  return { ...record, billed: { ...billed, counted }, ahead };
}
