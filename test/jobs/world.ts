import { type Failure, failureOf } from '../../shared/machines/failure.ts';
import type { Disk, Machine, Machines, Removed } from '../../shared/machines/machines.ts';
import { labelValue, machineNamed } from '../../shared/machines/names.ts';
import type { Outcome, Phase } from './lifecycleKit.ts';

/*
 * A Compute Engine in simulated time, for hundreds of jobs that take hours: it sells out, loses answers, takes machines
 * away and ends them by itself, and it keeps a bill. What it says of failures is what the real service says.
 */

type Insert = {
  zone: string;
  requestId: string;
  instanceResource: {
    name: string;
    labels: Record<string, string>;
    scheduling: { provisioningModel: string; maxRunDuration: { seconds: number } };
  };
};

type Simulated = Machine & {
  isSpot: boolean;
  isGone: boolean;
  endedAt?: number;
  end: number;
  isPreempted: boolean;
};

export type Bill = { job: string; attempt: number; from: number; to?: number };

const second = 1000;
const minute = 60 * second;

/** What the machine of a job does, once it runs. */
export type Life = {
  /** Reports, by the machine's seconds after its start. */
  reports: { after: number; phase: Phase; outcome?: Outcome }[];
  /** When it powers itself off; never, if it hangs. */
  poweredOff?: number;
  /** When the service takes it away, or loses it without a word. */
  preempted?: number;
  lost?: number;
};

export function createWorld(random: () => number, lifeOf: (isSpot: boolean, seconds: number) => Life) {
  let time = Date.parse('2026-12-01T00:00:00Z');
  let isStormy = true;
  const machines = new Map<string, Simulated>();
  const disks = new Map<string, Disk>();
  const answers = new Map<string, { answer: 'there' | Failure }>();
  const preempted = new Set<string>();
  const bills: Bill[] = [];
  const wrongs: string[] = [];
  const events: { at: number; happen: () => Promise<void> | void }[] = [];
  const truth = new Map<string, { attempt: number; outcome: Outcome; at: number }[]>();
  let writeReport: (
    job: string,
    attempt: number,
    sequence: number,
    phase: Phase,
    outcome?: Outcome,
  ) => Promise<void> = async () => {};

  const iso = (ms: number) => new Date(ms).toISOString();
  const chance = (probability: number) => isStormy && random() < probability;
  const between = (from: number, to: number) => from + random() * (to - from);
  const key = (zone: string, name: string) => `${zone}/${name}`;
  const takes = (from: number, to: number) => {
    time += between(from, to) * second;
  };
  const at = (when: number, happen: () => Promise<void> | void) => events.push({ at: when, happen });

  function end(machine: Simulated, isGone: boolean): void {
    if (machine.endedAt === undefined) {
      // Time may have passed its own end in one step.
      machine.endedAt = Math.min(time, machine.end);
      const bill = bills.find(
        (one) => one.to === undefined && key(...nameOf(one, machine)) === key(machine.zone, machine.name),
      );
      if (bill) bill.to = machine.endedAt;
    }
    machine.status = 'TERMINATED';
    machine.stoppedAt = iso(machine.endedAt);
    if (isGone) machine.isGone = true;
  }
  const nameOf = (bill: Bill, { zone }: Simulated): [string, string] => [
    zone,
    `gazeline-${bill.job}-${bill.attempt}`,
  ];

  function begin(request: Insert): void {
    const { name, labels, scheduling } = request.instanceResource;
    const named = machineNamed(name);
    if (!named) throw new Error(`a machine called ${name}`);
    const { seconds } = scheduling.maxRunDuration;
    const isSpot = scheduling.provisioningModel === 'SPOT';
    const machine: Simulated = {
      kind: 'vm',
      name,
      zone: request.zone,
      status: 'RUNNING',
      labels,
      createdAt: iso(time - 3 * second),
      startedAt: iso(time),
      endsAt: iso(time + seconds * second),
      isSpot,
      isGone: false,
      isPreempted: false,
      end: time + seconds * second + between(0, 30) * second,
    };
    for (const other of machines.values())
      if (machineNamed(other.name)?.job === named.job && other.endedAt === undefined)
        wrongs.push(`${name} runs while ${other.name} does`);
    machines.set(key(request.zone, name), machine);
    bills.push({ ...named, from: time });
    live(machine, named, seconds);
  }

  function live(
    machine: Simulated,
    { job, attempt }: { job: string; attempt: number },
    seconds: number,
  ): void {
    const life = lifeOf(machine.isSpot, seconds);
    const start = time;
    const isUp = () => machine.endedAt === undefined;
    const stop = (one: Simulated, isGone: boolean) => {
      if (isUp()) end(one, isGone);
    };
    life.reports.forEach(({ after, phase, outcome }, index) => {
      at(start + after * second, async () => {
        if (!isUp()) return;
        if (outcome) {
          const known = truth.get(job) ?? [];
          truth.set(job, [...known, { attempt, outcome, at: time }]);
        }
        await writeReport(job, attempt, index + 1, phase, outcome);
      });
    });
    if (life.poweredOff !== undefined) at(start + life.poweredOff * second, () => stop(machine, false));
    if (life.lost !== undefined) at(start + life.lost * second, () => stop(machine, true));
    if (life.preempted !== undefined)
      at(start + life.preempted * second, () => {
        if (!isUp()) return;
        preempted.add(key(machine.zone, machine.name));
        machine.isPreempted = true;
        end(machine, true);
      });
    at(machine.end, () => {
      if (!machine.isGone) end(machine, true);
    });
  }

  const operation = (code: string, message: string, http = 503) =>
    failureOf({
      status: 'DONE',
      httpErrorStatusCode: http,
      error: { errors: [{ code, message }] },
    }) as Failure;
  const error = (code: number, message: string, reason?: string) =>
    failureOf(Object.assign(new Error(message), { code, reason })) as Failure;

  /** The same place is sold out for minutes. */
  const soldOut = new Map<string, boolean>();
  function isSoldOut(zone: string): boolean {
    const slot = `${zone}/${Math.floor(time / (20 * minute))}`;
    if (!soldOut.has(slot)) soldOut.set(slot, chance(0.45));
    return soldOut.get(slot) ?? false;
  }

  const service: Machines<Insert> = {
    async insert(request) {
      takes(1, 4);
      const { zone, requestId, instanceResource } = request;
      const { name } = instanceResource;
      const before = answers.get(requestId);
      if (before && !chance(0.2)) return before.answer;
      const there = machines.get(key(zone, name));
      if (there && !there.isGone) return error(6, `The resource '${name}' already exists`);
      if (chance(0.03)) return error(7, 'Rate Limit Exceeded', 'rateLimitExceeded');
      if (chance(0.003)) return error(7, "Required 'compute.instances.create' permission for 'projects/p'");
      if (chance(0.02)) return error(14, 'The service is currently unavailable: socket hang up');
      takes(5, 30);
      if (chance(0.05))
        return keep(
          requestId,
          operation('QUOTA_EXCEEDED', "Quota 'CPUS' exceeded.  Limit: 24.0 in region x."),
        );
      if (chance(0.02)) {
        const leftover = {
          name,
          zone,
          labels: instanceResource.labels,
          users: [],
          sizeGb: 100,
          type: 'pd-balanced',
        };
        if (random() < 0.5) disks.set(key(zone, name), { ...leftover, createdAt: iso(time) });
        return keep(requestId, operation('RESOURCE_NOT_FOUND', `The resource '${name}' was not found`, 404));
      }
      if (isSoldOut(zone))
        return keep(
          requestId,
          operation('ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS', `${zone} does not have enough resources`),
        );
      begin(request);
      keep(requestId, 'there');
      if (chance(0.04)) return 'unknown';
      if (chance(0.03)) return error(14, 'socket hang up');
      return 'there';
    },

    async look(zone, name) {
      takes(0.1, 0.5);
      if (chance(0.02)) throw new Error('socket hang up');
      const machine = machines.get(key(zone, name));
      return machine && !machine.isGone ? shown(machine) : undefined;
    },

    async remove(zone, name): Promise<Removed> {
      takes(0.1, 0.5);
      if (chance(0.03)) throw new Error('socket hang up');
      const machine = machines.get(key(zone, name));
      if (!machine || machine.isGone)
        return {
          gone: true,
          ...(machine?.endedAt ? { at: iso(machine.endedAt), startedAt: machine.startedAt } : {}),
        } as Removed;
      if (chance(0.05)) return { gone: false, failure: error(14, 'socket hang up') };
      takes(10, 60);
      end(machine, true);
      return { gone: true, at: iso(machine.endedAt ?? time), startedAt: machine.startedAt } as Removed;
    },

    async removeDisk({ zone, name }) {
      takes(1, 3);
      disks.delete(key(zone, name));
      return { gone: true };
    },

    async list(lab) {
      takes(0.5, 2);
      const isOurs = ({ labels }: { labels: Record<string, string> }) =>
        labels['gazeline-lab'] === labelValue(lab);
      const zones = [...new Set([...machines.values()].map(({ zone }) => zone))];
      const unseen = chance(0.03) ? ['everywhere'] : zones.filter(() => chance(0.05));
      const isSeen = ({ zone }: { zone: string }) => !unseen.includes(zone) && !unseen.includes('everywhere');
      return {
        machines: [...machines.values()]
          .filter((one) => !one.isGone && isOurs(one) && isSeen(one))
          .map(shown),
        disks: [...disks.values()].filter((one) => isOurs(one) && isSeen(one)),
        unseen,
        wasSeen: (zone) => isSeen({ zone }),
      };
    },

    async wasPreempted(zone, name) {
      takes(0.1, 0.5);
      return preempted.has(key(zone, name));
    },

    async bootLines() {
      return ['startup-script exit status 1'];
    },
  };

  const shown = ({
    kind,
    name,
    zone,
    status,
    labels,
    createdAt,
    startedAt,
    stoppedAt,
    endsAt,
  }: Simulated): Machine => ({
    kind,
    name,
    zone,
    status,
    labels,
    createdAt,
    ...(startedAt ? { startedAt } : {}),
    ...(stoppedAt ? { stoppedAt } : {}),
    ...(endsAt ? { endsAt } : {}),
  });
  function keep(requestId: string, answer: 'there' | Failure): 'there' | Failure {
    answers.set(requestId, { answer });
    return answer;
  }

  return {
    service,
    bills,
    wrongs,
    truth,
    machines,
    disks,
    events,
    at,
    chance,
    between,
    now: () => time,
    passTo(when: number) {
      time = Math.max(time, when);
    },
    onReport(write: typeof writeReport) {
      writeReport = write;
    },
    quiet() {
      isStormy = false;
      soldOut.clear();
    },
    /** Time goes on while something else is done. */
    takes,
  };
}
export type World = ReturnType<typeof createWorld>;
