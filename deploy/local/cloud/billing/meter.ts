import type { Disk } from '../compute/disks.ts';
import type { Run } from '../compute/tables.ts';
import type { Context } from '../service.ts';
import type { Run as TpuRun } from '../tpu/tables.ts';
import type { Clock } from './clock.ts';
import { rateOfDisk, rateOfRun, rateOfTpu } from './rates.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** What costs by the hour in the local cloud, by the times of this computer. */
export type Things = {
  /** What machines and TPUs have run, and run now. */
  runs(): Run[];
  tpuRuns(): TpuRun[];
  /** Those that are there. */
  disks(): Disk[];
};

export type Meter = {
  /** When it looks next, by Billing's clock: at each full hour, as usage is written down at Google. */
  next(): number;
  /** Counts what there was since the last look. */
  look(now: number): void;
  /** Begins anew at the present time: the clock was set. */
  restart(): void;
};

type MeterOptions = {
  context: Context;
  tables: Tables;
  settings: Settings;
  clock: Clock;
  things: Things;
  draw: (range: [number, number]) => number;
};

const hour = 3_600_000;
const compute = '6F81-5844-456A';

/**
 * What is really there becomes costs, by the hour of Billing's clock, however fast that is: a machine that runs for ten
 * seconds while an hour passes in one costs ten hours. Each is known late, like all that Google bills. A disk that is not
 * there any more is counted to the look before.
 */
export function createMeter({ context, tables, settings, clock, things, draw }: MeterOptions): Meter {
  // What ran while nobody was there, by Compute Engine's own account, is paid as well.
  let last = tables.meter.last() ?? clock.now();

  const look: Meter['look'] = (now) => {
    if (now <= last) return;
    const from = clock.ours(last);
    const to = clock.ours(now);
    const hoursOf = (start: string, end?: string) => {
      const begun = Math.max(from, Date.parse(start));
      const over = Math.min(to, end === undefined ? to : Date.parse(end));
      return (Math.max(0, over - begun) * clock.speed()) / hour;
    };
    const costs: { service: string; amounts: number[] }[] = [
      {
        service: compute,
        amounts: [
          ...things.runs().map((run) => hoursOf(run.startedAt, run.endedAt) * rateOfRun(run)),
          ...things.disks().map((disk) => hoursOf(disk.created) * rateOfDisk(disk)),
        ],
      },
      {
        service: 'E000-3F24-B8AA',
        amounts: things.tpuRuns().map((run) => hoursOf(run.startedAt, run.endedAt) * rateOfTpu(run)),
      },
    ];
    for (const { service, amounts } of costs) {
      const amount = amounts.reduce((sum, one) => sum + one, 0);
      // An hour has one day, and so one period: that of its beginning.
      if (amount > 0 && settings.isMetering)
        tables.costs.add({
          at: last,
          knownAt: now + draw(settings.late),
          amount,
          project: context.project,
          service,
        });
    }
    last = now;
    // Time that only Billing has let pass is none of this computer's.
    tables.meter.saw(Math.min(to, clock.ours(clock.now())));
  };

  return {
    next: () => (Math.floor(last / hour) + 1) * hour,
    look,
    restart() {
      last = clock.now();
    },
  };
}
