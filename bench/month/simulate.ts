import { createClock } from '../placement/clock.ts';
import { draw } from '../placement/draw.ts';
import { minute } from '../placement/world.ts';
import { agendaOf, hour } from './agenda.ts';
import { simulatedBilling } from './billing.ts';
import { capBilling } from './capBilling.ts';
import { gazeline } from './gazeline.ts';
import { idleTimer } from './idleTimer.ts';
import { nothing, type Policy } from './policy.ts';
import { createWorld, type Killed, type Sums, sumsOf } from './world.ts';

export const policies = [
  'nothing',
  'cap-billing sample, as it is',
  'cap-billing sample, as it is meant',
  'idle timer of 180 min',
  'Gazeline',
  'Gazeline, with its agent',
] as const;
export type PolicyName = (typeof policies)[number];

export type Lab = {
  seed: number;
  days: number;
  /** US dollars a month. */
  budget: number;
  burst: boolean;
};

export type Outcome = Sums & {
  killed: Killed[];
  foundOff: number;
  /** What Google bills in the end. */
  billed: number;
  /** Beyond the budget, and how much of that is allowed: 1 % of it and ten minutes of what ran then. */
  beyond: number;
  allowed: number;
};

/** The first of a month on the Pacific coast, where a budget begins. */
export const start = Date.parse('2026-11-01T07:00:00Z');
const tick = 5 * minute;

export async function simulate(name: PolicyName, { seed, days, budget, burst }: Lab): Promise<Outcome> {
  const end = start + days * 24 * hour;
  const clock = createClock(start);
  const world = createWorld(agendaOf(seed, start, end, burst), clock);
  const billing = simulatedBilling(world, clock, seed, budget);
  const outageAt = start + draw(seed, 'outage') * (end - start);
  const policy = ((): Policy => {
    const ours = { world, clock, seed, outage: { from: outageAt, to: outageAt + 2 * hour } };
    switch (name) {
      case 'nothing':
        return nothing;
      case 'cap-billing sample, as it is':
        return capBilling(world, false);
      case 'cap-billing sample, as it is meant':
        return capBilling(world, true);
      case 'idle timer of 180 min':
        return idleTimer(world, clock);
      case 'Gazeline':
        return gazeline({ ...ours, hasAgent: false });
      case 'Gazeline, with its agent':
        return gazeline({ ...ours, hasAgent: true });
    }
  })();
  for (let at = start; at < end; at += tick) {
    clock.until(at);
    world.catchUp();
    for (const letter of billing.hear()) await policy.hear(letter);
    await policy.tick();
  }
  clock.until(end);
  world.catchUp();
  billing.hear();
  billing.close();
  const sums = sumsOf(world, world.machines(), start, end, budget);
  const { killed, foundOff } = world;
  const beyond = Math.max(0, sums.spent - budget);
  const allowed = 0.01 * budget + ((sums.crossed?.perHour ?? 0) * 10) / 60;
  return { ...sums, killed, foundOff, billed: billing.billed(), beyond, allowed };
}
