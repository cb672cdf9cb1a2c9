import { rateOfDisk, rateOfRun } from '../../deploy/local/cloud/billing/rates.ts';
import type { Clock } from '../placement/clock.ts';
import { minute } from '../placement/world.ts';
import { hour, type Plan, type Use } from './agenda.ts';

export type Machine = Plan & {
  id: string;
  status: 'RUNNING' | 'STOPPING' | 'TERMINATED';
  labels: Record<string, string>;
  /** When it ran; the last one may go on. */
  runs: { from: number; to: number }[];
  /** US dollars an hour: while it runs, and of its disk. */
  rate: number;
  diskRate: number;
};

/** Who has stopped a machine. */
export type Cause = 'owner' | 'idle' | 'budget';

/** Work that was alive when its machine was stopped. */
export type Killed = { machine: string; what: Use['what']; cause: Cause; at: number; lost: number };

export type World = {
  /** Those that are there by now. */
  machines(): Machine[];
  /** Begins to stop it. @returns when it is off */
  stop(machine: Machine, cause: Cause): number;
  /** What goes on on it, if anything does. */
  useAt(machine: Machine, at: number): Use | undefined;
  /** People do what they have done until now, by the clock. */
  catchUp(): void;
  killed: Killed[];
  /** How often somebody came back and found their machine off. */
  foundOff: number;
};

/** As a guest needs to shut down. */
const shutdown = minute;
/** Who is there when their machine is stopped starts it again. */
const annoyed = 10 * minute;
const never = Number.POSITIVE_INFINITY;

type Event = { at: number; machine: Machine; what: 'comes' | 'switches off' };

/** The machines of a lab, and the people who use them, by a simulated clock. */
export function createWorld(plans: Plan[], clock: Clock): World {
  const all = plans.map((plan, index): Machine => {
    const { zone, machineType, accelerators, diskGb } = plan;
    const hardware = { zone, name: plan.name, id: '', machineType, accelerators, diskGb, localSsds: 0 };
    return {
      ...plan,
      uses: plan.uses.map((use) => ({ ...use })),
      id: String(1000 + index),
      status: 'TERMINATED',
      labels: {},
      runs: [],
      rate: rateOfRun({ ...hardware, provisioningModel: 'STANDARD', labels: {} }),
      diskRate: rateOfDisk({ zone, type: 'pd-balanced', sizeGb: diskGb }),
    };
  });
  const events: Event[] = all.flatMap((machine) => [
    ...machine.uses.filter(isAttended).map(({ from: at }): Event => ({ at, machine, what: 'comes' })),
    ...machine.offs.map((at): Event => ({ at, machine, what: 'switches off' })),
  ]);
  const later = (event: Event) => {
    events.push(event);
    events.sort((one, other) => one.at - other.at);
  };
  events.sort((one, other) => one.at - other.at);
  /** All has been stopped since the budget is spent, and people know it. */
  let isClosed = false;

  const useAt: World['useAt'] = ({ uses, runs }, at) => {
    if (!runs.some(({ from, to }) => from <= at && at < to)) return undefined;
    return uses.find(({ from, to }) => from <= at && at < to);
  };
  const settle = (machine: Machine, at: number) => {
    const last = machine.runs.at(-1);
    if (machine.status === 'STOPPING' && last && last.to <= at) machine.status = 'TERMINATED';
  };
  const stopAt = (machine: Machine, cause: Cause, at: number): number => {
    const run = machine.runs.at(-1);
    if (machine.status !== 'RUNNING' || !run) return run?.to ?? at;
    const use = useAt(machine, at);
    if (use && use.what !== 'mining')
      world.killed.push({ machine: machine.name, what: use.what, cause, at, lost: at - use.from });
    if (cause === 'budget') isClosed = true;
    if (use) {
      const isThere = isAttended(use) && use.what !== 'mining' && use.to > at + annoyed;
      if (isThere) machine.uses.push({ ...use, from: at + annoyed });
      if (isThere) later({ at: at + annoyed, machine, what: 'comes' });
      use.to = at;
    }
    machine.status = 'STOPPING';
    run.to = at + shutdown;
    return run.to;
  };

  const world: World = {
    killed: [],
    foundOff: 0,
    machines: () => all.filter(({ created }) => created <= clock.now()),
    stop: (machine, cause) => stopAt(machine, cause, clock.now()),
    useAt,
    catchUp() {
      for (let event = events[0]; event && event.at <= clock.now(); event = events[0]) {
        events.shift();
        const { at, machine, what } = event;
        settle(machine, at);
        if (what === 'switches off') stopAt(machine, 'owner', at);
        else if (isClosed && machine.status !== 'RUNNING') continue;
        else if (machine.status === 'STOPPING') later({ ...event, at: at + shutdown });
        else if (machine.status === 'TERMINATED') {
          const isOurs = machine.offs.some((off) => off + shutdown === machine.runs.at(-1)?.to);
          if (machine.runs.length > 0 && !isOurs) world.foundOff++;
          machine.status = 'RUNNING';
          machine.runs.push({ from: at, to: never });
        }
      }
      for (const machine of all) settle(machine, clock.now());
    },
  };
  return world;
}

/** Whoever begins it starts the machine for it. */
const isAttended = ({ what }: Use) => what === 'notebook' || what === 'terminal' || what === 'mining';

export const vcpusOf = ({ machineType }: Pick<Plan, 'machineType'>): number =>
  machineType === 'a2-highgpu-1g'
    ? 12
    : machineType === 'a2-highgpu-8g'
      ? 96
      : Number(machineType.split('-').at(-1));

export type Sums = {
  /** Dollars and hours of machines that run while nothing goes on on them. */
  idle: { money: number; hours: number };
  spent: number;
  /** When the budget was spent, and what ran then cost an hour. */
  crossed?: { at: number; perHour: number };
};

/** What it came to, by the truth of the world and not by what anybody has measured. */
export function sumsOf(world: World, machines: Machine[], start: number, end: number, budget: number): Sums {
  const sums: Sums = { idle: { money: 0, hours: 0 }, spent: 0 };
  for (let at = start; at < end; at += minute) {
    let perHour = 0;
    for (const machine of machines) {
      if (machine.created > at) continue;
      perHour += machine.diskRate;
      if (!machine.runs.some(({ from, to }) => from <= at && at < to)) continue;
      perHour += machine.rate;
      if (world.useAt(machine, at)) continue;
      sums.idle.hours += minute / hour;
      sums.idle.money += (machine.rate * minute) / hour;
    }
    sums.spent += (perHour * minute) / hour;
    if (!sums.crossed && sums.spent > budget) sums.crossed = { at, perHour };
  }
  return sums;
}
