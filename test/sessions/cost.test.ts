import { expect, test } from '@jest/globals';
import { costTick } from '../../functions/cost-tick.ts';
import { CostRecord, costRecordName } from '../../shared/budget/costRecord.ts';
import { spendingOf } from '../../shared/budget/spending.ts';
import { useLocalCloud } from '../localCloud.ts';
import { hour, openSessions } from './sessionKit.ts';

const cloud = useLocalCloud();

test('what it will cost is expected until its end, and not until that of the period', async () => {
  const sessions = await openSessions(cloud);
  await sessions.place('pupils', { regions: ['europe-west4'], disk: 50, hours: 2 });
  /** @returns the hours of its machine that are still expected, of so many or those of the period */
  const expected = async (hours: number) => {
    const { records, log, given } = sessions;
    const { prices, publish, now } = given();
    await costTick({
      ...{ records, publish, services: [sessions.compute], prices, log, now, stored: async () => [] },
      ...{ budgets: [], amount: undefined, currency: 'USD', dollarRate: 1, periodKind: 'month' },
    });
    const record = (await records.read(costRecordName, CostRecord))?.value as CostRecord;
    const { forecast, counted, running } = spendingOf(record);
    const left = (Date.parse(record.period.end) - Date.parse(record.asOf)) / hour;
    const perHour = (kind: string) =>
      running.filter((one) => one.kind === kind).reduce((sum, one) => sum + (one.perHour ?? 0), 0);
    return [
      (forecast - counted - perHour('disk') * left) / perHour('machine'),
      Math.min(hours, left),
    ] as const;
  };
  const [hours, of] = await expected(2);
  expect(hours).toBeCloseTo(of, 1);
  sessions.clock.ahead += hour;
  await sessions.prolong('pupils', 3);
  const [more, ofMore] = await expected(4);
  expect(more).toBeCloseTo(ofMore, 1);
});
