import type { Heartbeat } from '../../shared/machines/idle/heartbeat.ts';
import { draw } from '../placement/draw.ts';
import { minute } from '../placement/world.ts';
import { type Machine, vcpusOf, type World } from './world.ts';

/** Of the measurements of Monitoring, so many are never seen. */
export const lost = 0.03;

export type Signs = {
  /** The share of its processors that were busy in the minute that ended then. */
  cpu(machine: Machine, end: number): number;
  /** Bytes that it has received in that minute. */
  received(machine: Machine, end: number): number;
  /** Whether what was measured in that minute is never seen. */
  isLost(machine: Machine, end: number): boolean;
  /** What the agent would say now. */
  heartbeat(machine: Machine, now: number): Heartbeat | undefined;
};

/** What can be seen of a machine from outside, and what its agent sees. */
export function createSigns(world: World, seed: number): Signs {
  const known = new Map<string, number>();
  const once = (what: string, { name }: Machine, end: number, make: () => number): number => {
    const key = `${what} ${name} ${end}`;
    const value = known.get(key) ?? make();
    known.set(key, value);
    return value;
  };
  const useIn = (machine: Machine, end: number) => world.useAt(machine, end - minute / 2);

  return {
    cpu: (machine, end) =>
      once('cpu', machine, end, () => {
        const vcpus = vcpusOf(machine);
        const lot = draw(seed, 'cpu', machine.name, end);
        const much = draw(seed, 'much', machine.name, end);
        const quiet = 0.004 + 0.008 * much;
        const cores = (count: number) => Math.min(1, quiet + count / vcpus);
        switch (useIn(machine, end)?.what) {
          case 'notebook':
            return lot < 1 / 6 ? cores(0.8 + 2 * much) : cores(0.1 * much);
          case 'terminal':
            return lot < 1 / 8 ? cores(0.8 + 2 * much) : cores(0.05 * much);
          case 'training':
          case 'mining':
            return cores(machine.accelerators.length > 0 ? 1.1 + much : vcpus);
          case 'download':
            return cores(0.15 + 0.15 * much);
          case undefined:
            return quiet;
        }
      }),
    received: (machine, end) =>
      once('received', machine, end, () => {
        const much = draw(seed, 'received', machine.name, end);
        const perSecond = useIn(machine, end)?.what === 'download' ? 10e6 + 40e6 * much : 2e3 + 20e3 * much;
        return Math.round(perSecond * 60);
      }),
    isLost: (machine, end) =>
      once('lost', machine, end, () => Number(draw(seed, 'lost', machine.name, end) < lost)) === 1,
    heartbeat(machine, now) {
      const run = machine.runs.at(-1);
      if (machine.status !== 'RUNNING' || !run || now < run.from + 2 * minute) return undefined;
      const at = Math.floor(now / minute) * minute;
      const hasGpu = machine.accelerators.length > 0;
      /** When one of these was last seen, on any run of the machine but not before it was started. */
      const lastOf = (...what: string[]) => {
        const ends = machine.uses
          .filter((use) => use.from <= at && what.includes(use.what))
          .map(({ to }) => Math.min(to, at))
          .filter((end) => end > run.from);
        return ends.length > 0 ? Math.max(...ends) : undefined;
      };
      const begun = hasGpu ? run.from : undefined;
      const gpuAt = lastOf('training', 'mining') ?? begun;
      const networkAt = lastOf('download');
      const kernelAt = lastOf('notebook', 'training');
      const isComputing = world.useAt(machine, at)?.what === 'training';
      const session = machine.sessions.findLast(
        ({ from, to }) => from >= run.from - minute && from <= at && at < to,
      );
      const keyAt = lastOf('terminal') ?? session?.from;
      return {
        at: second(at),
        ...(gpuAt === undefined ? {} : { gpuAt: second(gpuAt) }),
        ...(networkAt === undefined ? {} : { networkAt: second(networkAt) }),
        ...(machine.isNotebook && kernelAt !== undefined
          ? { kernels: { count: 1, busy: isComputing ? 1 : 0, at: second(kernelAt) } }
          : {}),
        ssh: session ? { sessions: 1, at: second(keyAt ?? at) } : { sessions: 0 },
      };
    },
  };
}

/** As the agent writes it. */
const second = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
