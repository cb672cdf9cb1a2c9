import { accrue, type Look, missingFrom } from '../shared/budget/accrue.ts';
import { budgetTopic } from '../shared/budget/changeGuard.ts';
import { CostRecord, costRecordName } from '../shared/budget/costRecord.ts';
import { withEndsOfSessions } from '../shared/budget/endsOfSessions.ts';
import { GuardRecord, guardRecordName } from '../shared/budget/guardRecord.ts';
import type { PeriodKind } from '../shared/budget/period.ts';
import { type Running, runningOf } from '../shared/budget/running.ts';
import { buckets, runningStorage, storageBefore } from '../shared/budget/runningStorage.ts';
import { reconcile, type Spending, spendingOf } from '../shared/budget/spending.ts';
import type { SpendingEstimate } from '../shared/budget/spendingEstimate.ts';
import type { Stored } from '../shared/budget/storedBytes.ts';
import { readUnits } from '../shared/budget/unitPrices.ts';
import type { Log } from '../shared/log.ts';
import type { Paid } from '../shared/machines/machines.ts';
import type { PriceTable } from '../shared/machines/priceTable.ts';
import type { Publish } from '../shared/publish.ts';
import type { Records } from '../shared/storage/records.ts';

export type CostTickDependencies = {
  records: Records;
  publish: Publish;
  services: Paid[];
  /** What the buckets hold; undefined if nobody says it. */
  stored(now: number): Promise<Stored[] | undefined>;
  prices: PriceTable;
  /** The first is that of the whole project. */
  budgets: string[];
  /** What the lab may spend, as long as no budget says it. */
  amount: number | undefined;
  /** Of the budgets. */
  currency: string;
  /** What a US dollar is in that; undefined if nobody has said it. */
  dollarRate: number | undefined;
  periodKind: PeriodKind;
  log: Log;
  now: () => number;
};

/**
 * Reckons what has been spent, by what is there and list prices, since billing data is up to a day late; and tells the
 * budget guard. What cannot be seen is taken to run on, and a price that is not known is said to be unknown.
 */
export async function costTick(dependencies: CostTickDependencies): Promise<void> {
  const { records, prices, periodKind, log, now } = dependencies;
  const before = (await records.read(costRecordName, CostRecord))?.value;
  const { storageAskedAt, ...look } = await lookAround(before, dependencies);
  look.ends = await endsOf(before, look, dependencies);
  const billed = await billedOf(dependencies);
  const first = accrue(before, look, periodKind);
  const units = await readUnits(records, first.units, first.period, now());

  let isNews = true;
  const record = await records.update(costRecordName, CostRecord, (current): CostRecord | undefined => {
    const after = accrue(current, look, periodKind);
    isNews = after !== current;
    const known = { ...after, units, prices: prices.asOf, ...(storageAskedAt ? { storageAskedAt } : {}) };
    return isNews ? reconcile(known, billed(after)) : undefined;
  });
  if (!record || !isNews) {
    log.warning('this look is older than what is counted already', { counted: record?.asOf });
    return;
  }
  const spending = spendingOf(record);
  const { perHour, counted, estimate, unknown } = spending;
  log.info('cost', { perHour, counted, estimate, unknown });
  await tell(spending, dependencies);
}

async function lookAround(
  before: CostRecord | undefined,
  { services, stored, prices, records, log, now }: CostTickDependencies,
): Promise<Look & { storageAskedAt?: string }> {
  // Whatever starts while it is looked for is found by the next one.
  const at = now();
  const [seen, storage] = await Promise.all([
    Promise.all(services.map(async (service) => ({ ...(await service.listAll()), covers: service.covers }))),
    storageNow(before, at, { stored, prices }),
  ]);
  const unseen = seen.flatMap((one) =>
    one.unseen.map((zone) => (one.covers.includes('tpu') ? `${zone} (TPUs)` : zone)),
  );
  if (!storage) unseen.push(buckets);
  const machines = await withEndsOfSessions(
    seen.flatMap((one) => runningOf(one, prices)),
    { records, log },
  );
  if (unseen.length > 0) log.warning('not all answered; what ran there is taken to run on', { unseen });
  return {
    at,
    running: [...machines, ...(storage?.running ?? [])],
    wasSeen: ({ kind, zone }) =>
      kind === 'storage'
        ? storage !== undefined
        : seen.some(({ covers, wasSeen }) => covers.includes(kind) && wasSeen(zone)),
    unseen,
    ends: {},
    ...(storage?.askedAt ? { storageAskedAt: storage.askedAt } : {}),
  };
}

/** It changes once a day, and each series that Monitoring is asked for is paid. */
const askAgain = 3_600_000;

async function storageNow(
  before: CostRecord | undefined,
  at: number,
  { stored, prices }: Pick<CostTickDependencies, 'stored' | 'prices'>,
): Promise<{ running: Running[]; askedAt?: string } | undefined> {
  const known = before ? storageBefore(before) : [];
  const since = at - Date.parse(before?.storageAskedAt ?? '');
  if (since >= 0 && since < askAgain) return { running: known };
  const found = await stored(at);
  // That nothing is said of any bucket does not mean that all are empty.
  if (!found || (found.length === 0 && known.length > 0)) return undefined;
  const running = runningStorage(found, prices);
  // On its first day a project has no series yet.
  return found.length > 0 ? { running, askedAt: new Date(at).toISOString() } : { running };
}

/** By what its service says; where it does not, the end is guessed. */
async function endsOf(
  before: CostRecord | undefined,
  look: Look,
  { services, log }: CostTickDependencies,
): Promise<Look['ends']> {
  const ends: Look['ends'] = {};
  for (const [key, { kind, zone, name, from }] of missingFrom(before, look)) {
    if (kind === 'tpu' || kind === 'storage') continue;
    for (const service of services) {
      try {
        const times = (await service.endsOf?.(zone, name)) ?? [];
        // A boot disk has the name of its machine, and outlives all its stops but the last, by which it goes as well.
        ends[key] ??= (kind === 'disk' ? times.reverse() : times).find((time) => time >= from);
      } catch (error) {
        log.warning('when a machine ended cannot be told', {
          machine: `${zone}/${name}`,
          error: String(error),
        });
      }
    }
  }
  return ends;
}

/** What the guard has heard of the budget of the whole project, in dollars. */
async function billedOf({ records, budgets: [first = ''], dollarRate }: CostTickDependencies) {
  const guard = (await records.read(guardRecordName, GuardRecord))?.value;
  const billed = guard?.budgets[first]?.billed;
  return ({ period }: CostRecord) =>
    billed && dollarRate && guard?.period.start === period.start
      ? { cost: billed.cost / dollarRate, heardAt: billed.heardAt }
      : undefined;
}

async function tell(
  { period, asOf, estimate, perHour, forecast, bound }: Spending,
  { budgets, amount, currency, dollarRate, publish, log }: CostTickDependencies,
): Promise<void> {
  // Nobody has said what may be spent.
  if (budgets.length === 0 && amount === undefined) return;
  if (dollarRate === undefined) {
    log.warning(
      `the guard hears no estimate: GAZELINE_DOLLAR_RATE does not say what a dollar is in ${currency}`,
    );
    return;
  }
  const message: SpendingEstimate = {
    periodStart: period.start,
    cost: estimate * dollarRate,
    currency,
    perHour: perHour * dollarRate,
    forecastCost: forecast * dollarRate,
    boundCost: bound * dollarRate,
    asOf,
  };
  await publish(budgetTopic, [{ data: { estimate: message } }]);
}
