import { median, table } from '../report.ts';
import { who } from './bench.ts';
import type { Ran } from './children.ts';
import { type Counts, startMeter } from './meter.ts';

/** One run of one of those who are compared. */
export type Sample = { seconds: number; settled?: number; counts: Counts; megabytes: number };

/** Every run of a case, by who ran, in the order in which they first did. */
export type Samples = Map<string, Sample[]>;

export function keep(samples: Samples, who: string, sample: Sample): void {
  samples.set(who, [...(samples.get(who) ?? []), sample]);
  console.error(`    ${who}: ${sample.seconds.toFixed(2)} s`);
}

export async function metered(work: () => Promise<Ran>): Promise<Sample> {
  const meter = startMeter();
  try {
    const { seconds, megabytes } = await work();
    return { seconds, megabytes, counts: meter.stop() };
  } finally {
    meter.stop();
  }
}

const secondsOf = (samples: Samples, who: string) =>
  median((samples.get(who) ?? []).map(({ seconds }) => seconds));

export const countsOf = (samples: Samples, who: string): Counts => last(samples.get(who) ?? []).counts;

function last(runs: Sample[]): Sample {
  const run = runs.at(-1);
  if (!run) throw new Error('Nothing was measured');
  return run;
}

/** Times are medians, memory is the most of all runs, counts are those of the last run. */
export function tableOf(samples: Samples, { amount, unit, pipe }: Measure): string {
  const rows = Array.from(samples, ([name, runs]) => {
    const seconds = secondsOf(samples, name);
    const ends = runs.flatMap(({ settled }) => settled ?? []);
    const { drive, storage } = last(runs).counts;
    return [
      name,
      seconds.toFixed(2),
      ends.length > 0 ? median(ends).toFixed(2) : '',
      ...(amount > 0 ? [(amount / seconds).toPrecision(3), ratio(secondsOf(samples, pipe), seconds)] : []),
      ratio(seconds, secondsOf(samples, who.gazeline)),
      `${drive.requests} (${drive.listings})`,
      drive.downloads,
      (drive.bytes / 1e6).toFixed(2),
      `${storage.requests} (${storage.listings})`,
      megabytesOf(runs),
    ];
  });
  const head = [
    '',
    'seconds',
    'until\nsettled',
    ...(amount > 0 ? [unit, 'rate:\n× pipe'] : []),
    'Gazeline\nis × fast',
    'Drive\nrequests\n(listings)',
    'down-\nloads',
    'MB from\nDrive',
    'storage\nrequests\n(listings)',
    'peak\nMB',
  ];
  return table(head, rows);
}

/** What the rates are of, and whose rate is 1. With an amount of 0 there are none. */
export type Measure = { amount: number; unit: string; pipe: string };

const ratio = (one: number, other: number) => (Number.isNaN(one / other) ? '' : (one / other).toFixed(2));

function megabytesOf(runs: Sample[]): string {
  const most = Math.max(...runs.map(({ megabytes }) => megabytes));
  return Number.isNaN(most) ? 'not known' : most.toFixed(0);
}
