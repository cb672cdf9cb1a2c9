import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { periodAt, periodBeginning, periodKinds } from '../../../shared/budget/period.ts';

const at = (time: string) => Date.parse(time);

test.each([
  ['2026-03-15T12:00:00Z', 'month', '2026-03-01T08:00:00.000Z', '2026-04-01T07:00:00.000Z'],
  ['2026-11-20T12:00:00Z', 'month', '2026-11-01T07:00:00.000Z', '2026-12-01T08:00:00.000Z'],
  // Whoever counts in UTC has a new month seven or eight hours too early.
  ['2026-08-01T06:59:59Z', 'month', '2026-07-01T07:00:00.000Z', '2026-08-01T07:00:00.000Z'],
  ['2026-08-01T07:00:00Z', 'month', '2026-08-01T07:00:00.000Z', '2026-09-01T07:00:00.000Z'],
  ['2027-01-01T07:59:59Z', 'month', '2026-12-01T08:00:00.000Z', '2027-01-01T08:00:00.000Z'],
  ['2026-05-05T00:00:00Z', 'quarter', '2026-04-01T07:00:00.000Z', '2026-07-01T07:00:00.000Z'],
  ['2026-12-05T00:00:00Z', 'quarter', '2026-10-01T07:00:00.000Z', '2027-01-01T08:00:00.000Z'],
  ['2026-05-05T00:00:00Z', 'year', '2026-01-01T08:00:00.000Z', '2027-01-01T08:00:00.000Z'],
] as const)('%s is in the %s from %s to %s', (time, kind, start, end) => {
  expect(periodAt(at(time), kind)).toEqual({ start, end });
});

test('a period begins where Google says so, be it by the Pacific or by Greenwich', () => {
  const november = { start: '2026-11-01T07:00:00.000Z', end: '2026-12-01T08:00:00.000Z' };
  for (const time of ['2026-11-01T07:00:00Z', '2026-11-01T08:00:00Z', '2026-11-01T00:00:00Z'])
    expect(periodBeginning(at(time), 'month')).toEqual(november);
  for (const time of ['2026-11-02T07:00:00Z', '2026-10-31T07:00:00Z', '2026-11-15T08:00:00Z'])
    expect(periodBeginning(at(time), 'month')).toBeUndefined();
  expect(periodBeginning(at('2026-11-01T07:00:00Z'), 'quarter')).toBeUndefined();
});

test('every moment is in one period, which the next one follows at once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: at('2007-04-01T00:00:00Z'), max: at('2090-01-01T00:00:00Z') }),
      fc.constantFrom(...periodKinds),
      (moment, kind) => {
        const { start, end } = periodAt(moment, kind);
        expect(at(start)).toBeLessThanOrEqual(moment);
        expect(at(end)).toBeGreaterThan(moment);
        expect(periodAt(at(end), kind).start).toBe(end);
        expect(periodAt(at(start) - 1, kind).end).toBe(start);
        expect(periodBeginning(at(start), kind)).toEqual({ start, end });
        expect(start).toMatch(/-01T0[78]:00:00\.000Z$/);
      },
    ),
  );
});
