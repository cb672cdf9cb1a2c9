import { createClock } from './clock.ts';
import { draw } from './draw.ts';
import { dstackLike } from './dstackLike.ts';
import { openGazeline } from './gazeline.ts';
import { job, places, priceIn } from './job.ts';
import type { Lab } from './lab.ts';
import { skypilotLike } from './skypilotLike.ts';
import { createWorld, type Weather } from './world.ts';

/** What it took one of them in one world; times in milliseconds. */
export type Run = {
  time: number;
  calls: number;
  /** Of the machine, in dollars. */
  perHour: number;
  /** Requests for lists of all machines, which are there for all jobs together. */
  listCalls: number;
  second?: { time: number; calls: number; perHour: number };
};

export const contestants = ['Gazeline', 'SkyPilot-like', 'dstack-like'] as const;
export type Contestant = (typeof contestants)[number];

const start = Date.parse('2026-01-01T00:00:00Z');
const never = Number.POSITIVE_INFINITY;

/**
 * One world for each of them, drawn from the same seed.
 * @param isSecond whether a second job comes when the machine of the first one runs
 */
export async function contest(
  lab: Lab,
  seed: number,
  weather: Weather,
  isSecond: boolean,
): Promise<Record<Contestant, Run>> {
  const moved =
    weather.returnsAt === undefined ? weather : { ...weather, returnsAt: start + weather.returnsAt };
  const randomOf = (who: Contestant) => {
    let time = 0;
    return () => draw(seed, 'random', who, time++);
  };
  return {
    Gazeline: await ours(),
    'SkyPilot-like': theirs('SkyPilot-like', skypilotLike),
    'dstack-like': theirs('dstack-like', dstackLike),
  };

  async function ours(): Promise<Run> {
    const world = createWorld(places, seed, moved);
    const clock = createClock(start);
    const quotas = world.withoutQuota.map((region) => ({
      metric: 'NVIDIA_L4_GPUS',
      region,
      limit: 0,
      when: 'now',
    }));
    await lab.local('compute/settings', { delays: { provisioning: 0, staging: 0 }, shutdown: 1000, quotas });
    const gazeline = openGazeline(lab, world, clock, randomOf('Gazeline'));
    const { at = never, zone, calls, listCalls } = await gazeline.place(job);
    const run: Run = { time: at - start, calls, perHour: priceIn(zone), listCalls };
    if (isSecond) {
      clock.until(at);
      const from = clock.now();
      const { at: secondAt = never, zone, calls } = await gazeline.place(job);
      run.second = { time: secondAt - from, calls, perHour: priceIn(zone) };
    }
    await gazeline.forget();
    return run;
  }

  function theirs(who: Contestant, find: typeof skypilotLike | typeof dstackLike): Run {
    const world = createWorld(places, seed, moved);
    const look = (from: number) =>
      find === skypilotLike ? skypilotLike(world, from, randomOf(who)) : dstackLike(world, from);
    const first = look(start);
    const { at = never, calls } = first;
    const run: Run = { time: at - start, calls, perHour: priceIn(first.zone), listCalls: 0 };
    if (!isSecond) return run;
    const after = look(at);
    const { at: secondAt = never, zone } = after;
    return { ...run, second: { time: secondAt - at, calls: after.calls, perHour: priceIn(zone) } };
  }
}
