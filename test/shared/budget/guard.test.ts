import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { budgetNotification } from '../../../shared/budget/budgetNotification.ts';
import type { Figure } from '../../../shared/budget/figures.ts';
import { hear, raise, release } from '../../../shared/budget/guard.ts';
import { GuardRecord } from '../../../shared/budget/guardRecord.ts';
import { type Level, levels, Thresholds } from '../../../shared/budget/levels.ts';
import { periodAt } from '../../../shared/budget/period.ts';
import { spendingEstimate } from '../../../shared/budget/spendingEstimate.ts';
import { Unprocessable } from '../../../shared/unprocessable.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const period = periodAt(now, 'month');
const settings = { thresholds: Thresholds.parse({ detached: 2 }), budgets: ['b'], amount: 100 };

const billed = (cost: number, more: object = {}): Figure => ({
  kind: 'billed',
  budgetId: 'b',
  name: 'Lab',
  period,
  cost,
  amount: 100,
  currency: 'USD',
  ...more,
});
const estimated = (cost: number, more: object = {}): Figure => ({
  kind: 'estimated',
  period,
  cost,
  currency: 'USD',
  asOf: new Date(now).toISOString(),
  ...more,
});
const after = (figures: Figure[], record?: GuardRecord, at = now) => {
  const last = figures.reduce<GuardRecord | undefined>(
    (before, one) => hear(before, one, settings, at),
    record,
  );
  // What is written has to be read again.
  return last && GuardRecord.parse(JSON.parse(JSON.stringify(last)));
};
const steps = (record: GuardRecord | undefined) => record?.steps.map(({ level }) => level);

test.each([
  [49.9, 'open'],
  [50, 'warned'],
  [89, 'warned'],
  [90, 'no-new-work'],
  [100, 'stop-idle'],
  [110, 'stop-all'],
  [200, 'detached'],
  [-5, 'open'],
])('%f of 100 that are billed make it %s', (cost, level) => {
  expect(after([billed(cost)])?.level).toBe(level);
});

test('the larger of what is billed and what is estimated counts, but never to detach', () => {
  expect(after([billed(60), estimated(95)])?.level).toBe('no-new-work');
  expect(after([estimated(60), billed(95)])?.level).toBe('no-new-work');
  expect(after([estimated(500)])?.level).toBe('stop-all');
});

test('a forecast warns, and never more', () => {
  expect(after([billed(10, { forecast: 7 })])).toMatchObject({
    level: 'warned',
    reason: 'by the end of the period, 700 % of the budget is expected to be spent',
  });
  expect(after([estimated(10, { forecastCost: 900 })])?.level).toBe('warned');
  expect(after([billed(10, { forecast: 0.5 })])?.level).toBe('open');
});

test('what no stop ends is held back before machines are stopped, but no more than a tenth of the budget', () => {
  expect(after([estimated(96, { boundCost: 3 })])?.level).toBe('no-new-work');
  const record = after([estimated(95, { boundCost: 6 })]);
  expect(record).toMatchObject({ level: 'stop-idle', ratio: 1.01 });
  expect(record?.reason).toBe(
    '101 % of the budget is spent or bound: 95.00 USD estimated, by what ran and list prices, ' +
      'and what disks and the like cost until the end of the period',
  );
  expect(after([estimated(99, { boundCost: 500 })])?.level).toBe('stop-idle');
  expect(after([estimated(100, { boundCost: 500 })])?.level).toBe('stop-all');
  // A warning and a refusal are for what is spent.
  expect(after([estimated(49, { boundCost: 500 })])?.level).toBe('open');
  expect(after([estimated(88, { boundCost: 500 })])?.level).toBe('warned');
  // What was let down with it does not come back by it.
  const released = release(record as GuardRecord, { to: 'warned', by: 'a', why: 'w' }, now);
  expect(after([estimated(95, { boundCost: 6 })], released)?.level).toBe('warned');
  expect(after([estimated(97, { boundCost: 9.5 })], released)?.level).toBe('stop-idle');
});

test('every level on the way has its step, in order', () => {
  const record = after([billed(110)]);
  expect(steps(record)).toEqual(['warned', 'no-new-work', 'stop-idle', 'stop-all']);
  expect(record?.reason).toBe('110 % of the budget is spent: 110.00 USD billed');
  expect(steps(after([billed(200)], record))).toEqual(levels.slice(1));
});

test('it does not fall when the cost does, as after credits', () => {
  const record = after([billed(95), billed(20), estimated(1)]);
  expect(record).toMatchObject({ level: 'no-new-work', budgets: { b: { billed: { cost: 20 } } } });
  expect(steps(record)).toEqual(['warned', 'no-new-work']);
});

test('a new period begins anew, and older ones are over', () => {
  const before = after([billed(120)]);
  const start = Date.parse(period.end);
  const next = { period: periodAt(start, 'month') };
  const record = after([billed(1, next)], before, start + 1000);
  expect(record).toMatchObject({ level: 'open', period: next.period, steps: [], ratio: 0.01 });
  expect(after([billed(500)], record, start + 1000)).toEqual(record);
  // And without a word of the new one, the old one is not acted on any more.
  expect(after([billed(500)], undefined, start + 1000)).toBeUndefined();
  expect(record?.history.map(({ level }) => level)).toEqual(['open', 'stop-all', 'open']);
});

test('the estimate waits for somebody to say what the budget is', () => {
  const unknown = { ...settings, amount: undefined };
  const first = hear(undefined, estimated(95), unknown, now);
  expect(first?.level).toBe('open');
  expect(hear(first, billed(1), unknown, now)?.level).toBe('no-new-work');
});

test('an estimate that comes late has its say, and the latest is shown', () => {
  const early = { asOf: new Date(now - 60_000).toISOString() };
  const record = after([estimated(60), estimated(95, early)]);
  expect(record).toMatchObject({ level: 'no-new-work', estimate: { cost: 60 } });
  expect(record?.reason).toMatch(/^95 % of the budget is spent: 95\.00 USD estimated/);
});

test('the estimate is held against the first budget, and a bill against its own', () => {
  const two = { ...settings, budgets: ['b', 'vision'] };
  const vision = hear(undefined, billed(1, { budgetId: 'vision', amount: 5 }), two, now);
  expect(hear(vision, estimated(40), two, now)?.level).toBe('open');
  expect(hear(vision, billed(5, { budgetId: 'vision', amount: 5 }), two, now)?.level).toBe('stop-idle');
});

test('a person lets it down, and the same figures do not raise it again; more spending does', () => {
  const high = after([billed(112)]) as GuardRecord;
  const record = release(high, { to: 'open', by: 'ada@lab.org', why: 'a paper is due' }, now) as GuardRecord;
  expect(record).toMatchObject({ level: 'open', steps: [], released: { from: 'stop-all', ratio: 1.12 } });
  expect(record.history.at(-1)).toMatchObject({ by: 'ada@lab.org', reason: 'a paper is due' });
  expect(after([billed(112), billed(80), estimated(116.9), billed(50, { forecast: 9 })], record)?.level).toBe(
    'open',
  );
  const again = after([billed(117.1)], record);
  expect(again?.level).toBe('stop-all');
  expect(steps(again)).toEqual(['warned', 'no-new-work', 'stop-idle', 'stop-all']);
});

test('what had not been reached when it was let down comes at its own threshold', () => {
  const record = release(after([billed(98)]) as GuardRecord, { to: 'warned', by: 'a', why: 'w' }, now);
  expect(after([billed(99.9)], record)?.level).toBe('warned');
  expect(after([billed(100)], record)?.level).toBe('stop-idle');
});

test('only what is above can be let down to, and only what is below be raised to', () => {
  const record = after([billed(95)]) as GuardRecord;
  for (const to of ['no-new-work', 'stop-all'] as const)
    expect(release(record, { to, by: 'a', why: 'w' }, now)).toBeUndefined();
  expect(raise(record, { to: 'warned', by: 'a', why: 'w' }, now)).toBeUndefined();
  const raised = raise(record, { to: 'stop-all', by: 'a', why: 'w' }, now);
  expect(steps(raised)).toEqual(['warned', 'no-new-work', 'stop-idle', 'stop-all']);
});

test('thresholds have to rise', () => {
  expect(() => Thresholds.parse({ warned: 0.95 })).toThrow(/thresholds that rise/);
  expect(() => Thresholds.parse({ detached: 1 })).toThrow(/thresholds that rise/);
  expect(Thresholds.parse({}).detached).toBeUndefined();
});

/*
 * Any order, any duplication, any edge of a month, any garbage: the level is that of a model which knows nothing but a
 * list of months and the largest share of each.
 */
const months = [
  '2026-10-01T07:00:00Z',
  '2026-11-01T07:00:00Z',
  '2026-12-01T08:00:00Z',
  '2027-01-01T08:00:00Z',
  '2027-02-01T08:00:00Z',
  '2027-03-01T08:00:00Z',
  '2027-04-01T07:00:00Z',
  '2027-05-01T07:00:00Z',
].map((time) => Date.parse(time));
const hour = 3_600_000;
/** What is wrong with a notification that is right in everything else. */
type Spoiled = { attributes?: Record<string, string>; data?: Record<string, unknown> };
type Message =
  | { is: 'billed'; month: number; percent: number; forecast: number | undefined; spoiled?: Spoiled }
  | { is: 'estimated'; month: number; percent: number; forecast: number | undefined; bound: number }
  | { is: 'garbage'; what: unknown };

const start = (month: number) => new Date(months[month] ?? 0).toISOString();
function sent(message: Message): { attributes: Record<string, string>; data: unknown } {
  if (message.is === 'garbage') return { attributes: {}, data: message.what };
  const { month, percent, forecast } = message;
  if (message.is === 'estimated') {
    const forecastCost = {
      boundCost: message.bound * 2,
      ...(forecast === undefined ? {} : { forecastCost: forecast * 2 }),
    };
    const estimate = { periodStart: start(month), cost: percent * 2, currency: 'EUR', asOf: start(month) };
    return { attributes: {}, data: { estimate: { ...estimate, ...forecastCost } } };
  }
  const forecastThresholdExceeded =
    forecast === undefined ? {} : { forecastThresholdExceeded: forecast / 100 };
  return {
    attributes: {
      billingAccountId: 'a',
      budgetId: 'b',
      schemaVersion: '1.0',
      ...message.spoiled?.attributes,
    },
    data: {
      budgetDisplayName: 'B',
      costAmount: percent * 2,
      budgetAmount: 200,
      costIntervalStart: start(month),
      currencyCode: 'EUR',
      ...forecastThresholdExceeded,
      ...message.spoiled?.data,
    },
  };
}
const reader = { budgets: ['b'], billingAccount: 'a', currency: 'EUR', periodKind: 'month' as const };
const rules = { thresholds: Thresholds.parse({ detached: 3 }), budgets: ['b'], amount: 200 };
function deliver(record: GuardRecord | undefined, message: Message, at: number): GuardRecord | undefined {
  const { attributes, data } = sent(message);
  try {
    const { estimate } = (data ?? {}) as { estimate?: unknown };
    const figure =
      estimate === undefined
        ? budgetNotification({ attributes, data }, reader, at)
        : spendingEstimate(estimate, reader, at);
    return hear(record, figure, rules, at);
  } catch (error) {
    if (error instanceof Unprocessable) return record;
    throw error;
  }
}
/** The level of the newest month that had begun when it was told, from the largest share that was told of it in time. */
function model(deliveries: { message: Message; at: number }[]): Level {
  let newest = -1;
  let level = 0;
  for (const { message, at } of deliveries) {
    if (message.is === 'garbage' || (message.is === 'billed' && message.spoiled)) continue;
    const { month, percent, forecast = 0 } = message;
    const hasBegun = (months[month] ?? 0) <= at + hour;
    const isOver = (months[month + 1] ?? Number.POSITIVE_INFINITY) <= at;
    if (!hasBegun || isOver || month < newest) continue;
    if (month > newest) [newest, level] = [month, 0];
    const steps = [50, 90, 100, 110, ...(message.is === 'billed' ? [300] : [])];
    const reached = steps.filter((step) => percent >= step).length;
    // What is bound counts for the third and fourth alone, and a tenth of the budget at most.
    const bound = message.is === 'estimated' ? percent + Math.min(10, message.bound) : 0;
    const stops = bound >= 110 ? 4 : bound >= 100 ? 3 : 0;
    level = Math.max(level, reached, stops, forecast >= 100 ? 1 : 0);
  }
  return levels[level] ?? 'open';
}
const percent = fc.oneof(
  fc.integer({ min: -20, max: 400 }),
  fc.constantFrom(49, 50, 89, 90, 99, 100, 109, 110, 299, 300),
);
const message: fc.Arbitrary<Message> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant('billed' as const),
      month: fc.integer({ min: 0, max: 6 }),
      percent,
      forecast: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('estimated' as const),
      month: fc.integer({ min: 0, max: 6 }),
      percent: percent.map((one) => Math.max(0, one)),
      forecast: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
      bound: fc.oneof(fc.constantFrom(0, 1, 10, 11), fc.integer({ min: 0, max: 400 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('billed' as const),
      month: fc.integer({ min: 0, max: 6 }),
      percent: fc.constant(350),
      forecast: fc.constant(undefined),
      spoiled: fc.constantFrom<Spoiled>(
        { attributes: { schemaVersion: '2.0' } },
        { attributes: { budgetId: 'c' } },
        { attributes: { billingAccountId: 'z' } },
        { data: { currencyCode: 'USD' } },
        { data: { costAmount: '700' } },
        { data: { costAmount: null } },
        { data: { costAmount: 1e13 } },
        { data: { budgetAmount: 0 } },
        { data: { budgetAmount: -200 } },
        { data: { costIntervalStart: '2026-11-15T08:00:00Z' } },
        { data: { costIntervalStart: '2036-11-01T07:00:00Z' } },
        { data: { costIntervalStart: 'today' } },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('garbage' as const), what: fc.anything() }) },
);
/** Near an edge, to the millisecond, more often than not. */
const moment = fc
  .tuple(
    fc.integer({ min: 0, max: 6 }),
    fc.oneof(
      fc.constantFrom(-hour - 1, -hour, -hour + 1, -1, 0, 1, hour),
      fc.integer({ min: -3 * hour, max: 3 * hour }),
      fc.integer({ min: 0, max: 27 * 24 * hour }),
    ),
  )
  .map(([month, by]) => (months[month] ?? 0) + by);

test('in any order, with any duplication, at any edge of a month, with any garbage, the level is the model’s', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ message, at: moment }), { maxLength: 30 }),
      fc.array(fc.nat(29), { maxLength: 20 }),
      (once, again) => {
        const twice = again.flatMap((index) => once[index] ?? []);
        // Time goes on, whatever the order of the messages in it.
        const times = [...once, ...twice].map(({ at }) => at).sort((one, other) => one - other);
        const deliveries = [...twice, ...once].map(({ message }, index) => ({
          message,
          at: times[index] ?? 0,
        }));
        let record: GuardRecord | undefined;
        for (const { message, at } of deliveries) {
          record = deliver(record, message, at);
          if (record) expect(record.steps.map(({ level }) => level)).toEqual(upTo(record.level));
        }
        expect(record?.level ?? 'open').toBe(model(deliveries));
        if (record) expect(GuardRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
      },
    ),
    { numRuns: 500 },
  );
});

test('at one moment, the order of the messages and how often they come does not matter', () => {
  fc.assert(
    fc.property(
      fc
        .array(message, { minLength: 1, maxLength: 12 })
        .chain((messages) =>
          fc.tuple(
            fc.constant(messages),
            fc.shuffledSubarray(messages, { minLength: messages.length }),
            fc.array(fc.constantFrom(...messages), { maxLength: 12 }),
          ),
        ),
      moment,
      ([messages, shuffled, more], at) => {
        const levelAfter = (some: Message[]) =>
          some.reduce<GuardRecord | undefined>((record, one) => deliver(record, one, at), undefined)?.level;
        expect(levelAfter([...shuffled, ...more])).toBe(levelAfter(messages));
      },
    ),
    { numRuns: 300 },
  );
});

test('what was heard before a person let it down never raises it again', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 12 }), moment, fc.nat(4), (messages, at, to) => {
      const record = messages.reduce<GuardRecord | undefined>(
        (before, one) => deliver(before, one, at),
        undefined,
      );
      const level = levels[to] ?? 'open';
      const released = record && release(record, { to: level, by: 'a', why: 'w' }, at);
      if (!released) return;
      const later = messages.reduce<GuardRecord | undefined>(
        (before, one) => deliver(before, one, at),
        released,
      );
      expect(later?.level).toBe(level);
    }),
    { numRuns: 300 },
  );
});

const upTo = (level: Level) => levels.slice(1, levels.indexOf(level) + 1);
