import { availableParallelism } from 'node:os';
import { type Usage, usageOf, usedBetween } from '../../machines/usage.ts';
import type { Running } from '../compute/machines.ts';
import { everyPeriod } from './everyPeriod.ts';
import type { Parts } from './parts.ts';
import type { Series } from './series/series.ts';

export type Sampler = {
  /** Looks again at when to look next, because the clock was set. */
  wake(): void;
  /** Leaves this machine alone from now on: a test says what is to be seen of it. */
  leave(id: string): void;
  close(): void;
};

const minute = 60_000;
/** After a longer time than this the laptop has slept, and a look is a beginning (real ms). */
const longestGap = 600_000;

type Look = { session: number; usage: Usage; at: number; time: number };

/**
 * Once in each minute of the clock: how much of the processors and disks each machine's processes have really used.
 * What they did on the network cannot be told apart without rights that a laptop does not give.
 */
export function createSampler(parts: Parts): Sampler {
  const { clock, machines, context, tables } = parts;
  const before = new Map<string, Look>();
  const left = new Set<string>();

  const look = () => {
    const running = machines.running().filter(({ id }) => !left.has(id));
    const usages = usageOf(running.map(({ session }) => session));
    const now = clock.now();
    context.store.transaction(() => {
      for (const machine of running) {
        const usage = usages.get(machine.session);
        if (!usage) continue;
        const { id, session } = machine;
        const last = before.get(id);
        if (last?.session === session && last.at <= now && (now - last.at) / clock.speed() < longestGap)
          write(machine, last, usage, now);
        before.set(id, { session, usage, at: now, time: performance.now() });
      }
    });
    for (const id of before.keys()) if (!running.some((machine) => machine.id === id)) before.delete(id);
  };

  /** A point for each full minute since the last look. */
  const write = (machine: Running, last: Look, usage: Usage, now: number) => {
    const ends: number[] = [];
    for (let end = Math.floor(last.at / minute + 1) * minute; end <= now; end += minute) ends.push(end);
    const used = usedBetween(last.usage, usage);
    const seconds = Math.max(performance.now() - last.time, 1) / 1000;
    // A machine that has more processors than this computer is busy when this computer is.
    const cpus = Math.min(machine.cpus, availableParallelism());
    const cpu = Math.min(1, used.cpuSeconds / seconds / cpus);
    const share = 1 / Math.max(ends.length, 1);
    tables.put(
      seriesOf(parts, machine, 'instance/cpu/utilization', {}),
      ends.map((end) => ({ start: end, end, value: cpu, arrived: end })),
    );
    for (const [way, bytes] of [
      ['read', used.read],
      ['write', used.written],
    ] as const) {
      const labels = {
        device_name: 'persistent-disk-0',
        device_type: 'permanent',
        storage_type: 'pd-balanced',
      };
      tables.put(
        seriesOf(parts, machine, `instance/disk/${way}_bytes_count`, labels),
        ends.map((end) => ({ start: end - minute, end, value: Math.round(bytes * share), arrived: end })),
      );
    }
  };

  const looking = everyPeriod(parts, minute, look);

  return {
    wake() {
      before.clear();
      looking.sleep();
    },
    leave: (id) => void left.add(id),
    close: looking.close,
  };
}

function seriesOf(
  { context, descriptorOf }: Parts,
  { id, zone, name }: Running,
  metric: string,
  labels: Record<string, string>,
): Series {
  const type = `compute.googleapis.com/${metric}`;
  const descriptor = descriptorOf(type);
  return {
    metric: { type, labels: { instance_name: name, ...labels } },
    resource: { type: 'gce_instance', labels: { project_id: context.project, instance_id: id, zone } },
    metricKind: descriptor?.metricKind ?? 'GAUGE',
    valueType: descriptor?.valueType ?? 'DOUBLE',
    unit: descriptor?.unit,
  };
}
