import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { budgetNotification } from '../../../shared/budget/budgetNotification.ts';
import { spendingEstimate } from '../../../shared/budget/spendingEstimate.ts';
import { Unprocessable } from '../../../shared/unprocessable.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const settings = {
  budgets: ['budget-1', 'budget-2'],
  billingAccount: '012345-567890-ABCDEF',
  currency: 'USD',
  periodKind: 'month' as const,
};
const attributes = { billingAccountId: '012345-567890-ABCDEF', budgetId: 'budget-1', schemaVersion: '1.0' };
/** As in Google's own test: facts in `functions/billing_stop_on_notification` of its samples. */
const data = {
  budgetDisplayName: 'The lab',
  alertThresholdExceeded: 1.0,
  costAmount: 2.0,
  costIntervalStart: '2026-11-01T07:00:00Z',
  budgetAmount: 0.01,
  budgetAmountType: 'SPECIFIED_AMOUNT',
  currencyCode: 'USD',
};
const read = (more: object = {}, about: object = {}, at = now) =>
  budgetNotification({ attributes: { ...attributes, ...about }, data: { ...data, ...more } }, settings, at);

test('a notification of a budget on the list is understood', () => {
  expect(read()).toEqual({
    kind: 'billed',
    budgetId: 'budget-1',
    name: 'The lab',
    period: { start: '2026-11-01T07:00:00.000Z', end: '2026-12-01T08:00:00.000Z' },
    cost: 2,
    amount: 0.01,
    currency: 'USD',
  });
  const { alertThresholdExceeded: _, ...without } = data;
  expect(
    budgetNotification(
      { attributes, data: { ...without, forecastThresholdExceeded: 1.2, costAmount: -3 } },
      settings,
      now,
    ),
  ).toMatchObject({ cost: -3, forecast: 1.2 });
});

test.each([
  ['another schema', {}, { schemaVersion: '2.0' }, /schemaVersion is “2.0”; expected 1.0/],
  ['a budget that is not on the list', {}, { budgetId: 'budget-3' }, /“budget-3” is not on the list/],
  ['another billing account', {}, { billingAccountId: 'X' }, /billing account is “X”/],
  ['another currency', { currencyCode: 'EUR' }, {}, /currency is “EUR”; expected USD/],
  ['no budget', { budgetAmount: 0 }, {}, /expected a positive amount/],
  ['a negative budget', { budgetAmount: -5 }, {}, /expected a positive amount/],
  ['a budget of next to nothing', { budgetAmount: 1e-300 }, {}, /expected a positive amount/],
  ['a cost that is no number', { costAmount: '2.0' }, {}, /costAmount/],
  ['a cost without end', { costAmount: JSON.parse('1e999') }, {}, /costAmount/],
  ['a cost beyond measure', { costAmount: 1e300 }, {}, /costAmount/],
  ['a period that is no time', { costIntervalStart: 'yesterday' }, {}, /costIntervalStart/],
  [
    'a period from the middle',
    { costIntervalStart: '2026-11-15T08:00:00Z' },
    {},
    /not the beginning of a month/,
  ],
  ['a period to come', { costIntervalStart: '2026-12-01T08:00:00Z' }, {}, /in the future/],
  ['a period in another age', { costIntervalStart: '9999-12-01T08:00:00Z' }, {}, /in the future/],
])('%s is refused, and it says why', (_, more, about, words) => {
  expect(() => read(more, about)).toThrow(Unprocessable);
  expect(() => read(more, about)).toThrow(words);
});

test('a period that begins while our clock is a little behind is believed', () => {
  const start = { costIntervalStart: '2026-12-01T08:00:00Z' };
  expect(read(start, {}, Date.parse('2026-12-01T07:59:00Z')).period.start).toBe('2026-12-01T08:00:00.000Z');
});

test('without a list nothing is believed', () => {
  expect(() => budgetNotification({ attributes, data }, { ...settings, budgets: [] }, now)).toThrow(
    /GAZELINE_BUDGETS is not set/,
  );
});

test('names are anybody’s, and reach nobody’s terminal as they are', () => {
  expect(read({ budgetDisplayName: `\u001b[31m${'x'.repeat(500)}` }).name).toMatch(/^�\[31mx{95}$/);
  expect(() => read({}, { budgetId: '\u001b[2J' })).toThrow(/“�\[2J”/);
});

test('whatever comes, it is understood or refused with words, and numbers are numbers', () => {
  const garbage = fc.oneof(fc.jsonValue(), fc.anything());
  const halfTrue = fc
    .dictionary(fc.constantFrom(...Object.keys(data)), garbage)
    .map((wrong) => ({ ...data, ...wrong }));
  fc.assert(
    fc.property(
      fc.oneof(garbage, halfTrue),
      fc.oneof(
        fc.constant(attributes),
        fc.dictionary(fc.constantFrom(...Object.keys(attributes), '__proto__'), fc.string()),
      ),
      (data, attributes) => {
        for (const work of [
          () => budgetNotification({ attributes, data }, settings, now),
          () => spendingEstimate(data, settings, now),
        ])
          try {
            const { cost, period } = work();
            expect(Number.isFinite(cost)).toBe(true);
            expect(period.start).toBe('2026-11-01T07:00:00.000Z');
          } catch (error) {
            if (!(error instanceof Unprocessable)) throw error;
          }
      },
    ),
    { numRuns: 1000 },
  );
});

test('an estimate of another currency or of the future is refused', () => {
  const estimate = {
    periodStart: '2026-11-01T07:00:00.000Z',
    cost: 10,
    currency: 'USD',
    asOf: '2026-11-20T11:59:00.000Z',
  };
  expect(spendingEstimate(estimate, settings, now)).toMatchObject({ kind: 'estimated', cost: 10 });
  for (const wrong of [
    { currency: 'EUR' },
    { asOf: '2027-01-01T00:00:00.000Z' },
    { periodStart: '2026-12-01T08:00:00.000Z' },
    { cost: -1 },
    { cots: 1 },
  ])
    expect(() => spendingEstimate({ ...estimate, ...wrong }, settings, now)).toThrow(Unprocessable);
});
