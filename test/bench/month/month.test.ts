import { expect, jest, test } from '@jest/globals';
import { savedOf } from '../../../bench/month/report.ts';
import { simulate } from '../../../bench/month/simulate.ts';

jest.setTimeout(600_000);

const agent = 'Gazeline, with its agent';

test('in a month, nine of ten hours that machines idle are saved, and nothing that is alive is killed', async () => {
  const lab = { seed: 2, days: 30, budget: 100_000, burst: false };
  const without = await simulate('nothing', lab);
  const ours = await simulate(agent, lab);
  expect(without.idle.hours).toBeGreaterThan(1000);
  expect(savedOf([ours], [without])).toBeGreaterThanOrEqual(0.9);
  expect(ours.killed).toEqual([]);
  // The local Billing and the truth of the simulation are two counts of the same.
  for (const { billed, spent } of [without, ours]) expect(Math.abs(billed / spent - 1)).toBeLessThan(0.002);
});

test('what somebody with a stolen key starts does not go beyond the budget, but for one per cent and ten minutes', async () => {
  const lab = { seed: 1, days: 14, budget: 600, burst: true };
  const meant = await simulate('cap-billing sample, as it is meant', lab);
  expect(meant.beyond).toBeGreaterThan(5 * meant.allowed);
  const ours = await simulate(agent, lab);
  expect(ours.spent).toBeGreaterThan(0.9 * lab.budget);
  expect(ours.beyond).toBeLessThanOrEqual(ours.allowed);
  expect(ours.killed.filter(({ cause }) => cause === 'idle')).toEqual([]);
});
