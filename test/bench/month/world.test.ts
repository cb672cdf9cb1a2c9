import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { agendaOf, hour, type Plan } from '../../../bench/month/agenda.ts';
import { capBilling } from '../../../bench/month/capBilling.ts';
import { idleTimer } from '../../../bench/month/idleTimer.ts';
import { recordsInMemory } from '../../../bench/month/records.ts';
import { start } from '../../../bench/month/simulate.ts';
import { createWorld, sumsOf } from '../../../bench/month/world.ts';
import { createClock } from '../../../bench/placement/clock.ts';

const minute = 60_000;
const at = (hours: number) => start + hours * hour;
const plan = (more: Partial<Plan> = {}): Plan => ({
  ...{ name: 'a', zone: 'us-central1-a', machineType: 'e2-standard-4', accelerators: [], diskGb: 100 },
  ...{ isNotebook: true, created: start, uses: [], offs: [], sessions: [], ...more },
});
const notebook = (from: number, to: number) => ({ from: at(from), to: at(to), what: 'notebook' as const });
function open(...plans: Plan[]) {
  const clock = createClock(start);
  const world = createWorld(plans, clock);
  const until = (hours: number) => {
    clock.until(at(hours));
    world.catchUp();
  };
  return { clock, world, until, one: () => world.machines()[0] as ReturnType<typeof world.machines>[number] };
}

test('what a machine does while nobody uses it is idle, to the minute, and what it is stopped for is not', () => {
  const { world, until, one } = open(plan({ uses: [notebook(1, 2), notebook(4, 5)], offs: [at(6)] }));
  until(10);
  expect(one().status).toBe('TERMINATED');
  const { idle, spent, crossed } = sumsOf(world, world.machines(), start, at(10), 0.5);
  // From 2 to 4, from 5 to 6, and the minute in which it shuts down.
  expect(idle.hours).toBeCloseTo(3 + 1 / 60, 9);
  expect(idle.money).toBeCloseTo(idle.hours * one().rate, 9);
  expect(spent).toBeCloseTo((5 + 1 / 60) * one().rate + 10 * one().diskRate, 9);
  expect(crossed?.perHour).toBeCloseTo(one().rate + one().diskRate, 9);
  expect(world).toMatchObject({ killed: [], foundOff: 0 });
});

test('a stop in the middle of work has killed it, and who is there starts the machine again', () => {
  const { world, until, one } = open(plan({ uses: [notebook(1, 3)] }));
  until(2);
  world.stop(one(), 'idle');
  expect(world.killed).toEqual([{ machine: 'a', what: 'notebook', cause: 'idle', at: at(2), lost: hour }]);
  expect(world.useAt(one(), at(2) + minute)).toBeUndefined();
  until(2.5);
  expect(one().status).toBe('RUNNING');
  expect(world.useAt(one(), at(2.5))?.what).toBe('notebook');
});

test('who comes back to a machine that was stopped has found it off, unless they have switched it off themselves', () => {
  const { world, until, one } = open(
    plan({ uses: [notebook(1, 2), notebook(10, 11), notebook(20, 21)], offs: [at(11)] }),
  );
  until(5);
  world.stop(one(), 'idle');
  until(10.5);
  expect(world).toMatchObject({ foundOff: 1, killed: [] });
  until(20.5);
  expect(world.foundOff).toBe(1);
});

test('when all is stopped since the budget is spent, nobody starts a machine any more', () => {
  const { world, until, one } = open(plan({ uses: [notebook(1, 2), notebook(10, 11)] }));
  until(1.5);
  world.stop(one(), 'budget');
  until(20);
  expect(one().status).toBe('TERMINATED');
  expect(one().runs).toHaveLength(1);
});

test('the sample for capping costs asks for nothing as it is, and ends everything as it is meant', async () => {
  const letter = (costAmount: number) => ({
    topic: '',
    attributes: {},
    data: JSON.stringify({ costAmount, budgetAmount: 100 }),
  });
  for (const isMeant of [false, true]) {
    const { world, until, one } = open(plan({ uses: [notebook(1, 100)] }));
    until(2);
    const sample = capBilling(world, isMeant);
    await sample.hear(letter(100));
    expect(one().status).toBe('RUNNING');
    await sample.hear(letter(101));
    expect(one().status).toBe(isMeant ? 'STOPPING' : 'RUNNING');
  }
});

test('the idle timer stops notebooks after three hours, and nothing else', async () => {
  const uses = [notebook(1, 2)];
  const { clock, world, until } = open(plan({ uses }), plan({ name: 'b', isNotebook: false, uses }));
  const timer = idleTimer(world, clock);
  const statuses = async (hours: number) => {
    until(hours);
    await timer.tick();
    return world.machines().map(({ status }) => status);
  };
  expect(await statuses(4.9)).toEqual(['RUNNING', 'RUNNING']);
  expect(await statuses(5)).toEqual(['STOPPING', 'RUNNING']);
});

test('the same seed draws the same month, and no two things are done on a machine at once', () => {
  const draws = [1, 1, 2].map((seed) => agendaOf(seed, start, at(30 * 24), true));
  expect(draws[0]).toEqual(draws[1]);
  expect(draws[0]).not.toEqual(draws[2]);
  for (const { uses } of draws.flat())
    for (const [index, { from, to }] of uses.entries()) {
      expect(to).toBeGreaterThan(from);
      expect(uses[index + 1]?.from ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(to);
    }
});

test('records in memory keep to generations as those in a bucket do', async () => {
  const records = recordsInMemory();
  const one = await records.write('a/1', { n: 1 }, '0');
  expect(await records.write('a/1', { n: 2 }, '0')).toBeUndefined();
  expect(await records.write('a/1', { n: 2 }, one ?? '')).toBeDefined();
  const N = z.object({ n: z.number() });
  await records.update('a/1', N, (before: { n: number } | undefined) => ({ n: (before?.n ?? 0) + 1 }));
  expect((await records.read('a/1', N))?.value).toEqual({ n: 3 });
  await expect(records.read('a/1', z.object({ m: z.number() }))).rejects.toThrow();
  expect(await Array.fromAsync(records.list('a/'))).toEqual(['a/1']);
  expect(await records.remove('a/1', one)).toBe(false);
  expect(await records.remove('a/1')).toBe(true);
});
