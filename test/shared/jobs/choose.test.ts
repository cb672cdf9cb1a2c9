import { expect, test } from '@jest/globals';
import { advance } from '../../../shared/jobs/advance.ts';
import { choose } from '../../../shared/jobs/choose.ts';
import { newRecord } from '../../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { candidatesOf } from '../../../shared/machines/candidates.ts';
import { noCooldown } from '../../../shared/machines/cooldown.ts';
import { priceTable } from '../../../shared/machines/priceTable.ts';

test('in a round that takes longer than zones cool down, those that were not asked yet have their turn first', () => {
  const prices = priceTable();
  const job = parseJob(
    '{name: n, repository: "https://h/r", command: c, accelerators: [L4], spot: never, regions: [us-east4]}',
  );
  const createdAt = '2026-01-01T00:00:00.000Z';
  let record = newRecord({ id: 'n-0a1b2c3d', digest: 'd', job, owner: 'me@lab.org', createdAt });
  const zones = candidatesOf(job, ['standard'], prices).map(({ zone }) => zone);
  expect(zones.length).toBeGreaterThan(1);
  const at = (minutes: number) => new Date(Date.parse(createdAt) + minutes * 60_000).toISOString();
  const chosen = (minutes: number) => {
    const now = Date.parse(at(minutes));
    const choice = choose(record, {
      cooldown: noCooldown,
      prices,
      regions: undefined,
      now,
      random: () => 0.5,
    });
    return choice.do === 'ask' ? choice.candidate : undefined;
  };

  record = advance(record, { type: 'place', at: at(0) });
  const asked: string[] = [];
  for (let minutes = 0; minutes < zones.length + 1; minutes++) {
    const candidate = chosen(minutes);
    if (!candidate) throw new Error('nothing to ask for');
    const { zone, machineType, accelerator, model } = candidate;
    asked.push(zone);
    const failure = { kind: 'stock-out', scope: 'zone' as const, hints: [], words: 'sold out' };
    const one = { at: at(minutes), zone, machineType, accelerator, model, requestId: 'r', ...failure };
    record = advance(record, { type: 'tried', attempt: 1, try: one, at: at(minutes) });
  }
  expect(asked).toEqual([...zones, zones[0]]);

  // Another round begins with the first again.
  record = advance(record, { type: 'wait', attempt: 1, reason: 'r', retryAt: at(60), at: at(59) });
  record = advance(record, { type: 'place', at: at(60) });
  expect(chosen(60)?.zone).toBe(zones[0]);
});
