import { median, quantile, table } from '../report.ts';
import { type Contestant, contest, contestants, type Run } from './contest.ts';
import type { Lab } from './lab.ts';
import { second, type Weather } from './world.ts';

const head = ['', 'to a machine, s', 'p95', 'calls', '$ / h', '2nd job, s', 'p95', 'calls', '$ / h'];

const secondsOf = (times: number[], q = 0.5) => {
  const time = quantile(times, q);
  return Number.isFinite(time) ? (time / second).toFixed(0) : 'never';
};

/** Times and calls until a machine runs, and of another job right after it. */
export async function sellOut(
  lab: Lab,
  seeds: number[],
  title: string,
  weather: Omit<Weather, 'hints'>,
): Promise<string> {
  const runs: Record<string, Run[]> = {};
  const add = (who: string, run: Run) => {
    runs[who] = [...(runs[who] ?? []), run];
  };
  for (const seed of seeds) {
    const without = await contest(lab, seed, { ...weather, hints: false }, true);
    const withHints = await contest(lab, seed, { ...weather, hints: true }, true);
    for (const who of contestants) add(who, without[who]);
    add('Gazeline, hints', withHints.Gazeline);
  }
  const ours = ['Gazeline', 'Gazeline, hints'];
  const rows = [...ours, 'SkyPilot-like', 'dstack-like'].map((who) => rowOf(who, runs[who] ?? []));
  const peers: Contestant[] = ['SkyPilot-like', 'dstack-like'];
  const ratios = ours.flatMap((who) =>
    peers.map((peer) => ratioRow(who, runs[who] ?? [], peer, runs[peer] ?? [])),
  );
  return `${title}\n${table(head, [...rows, ...ratios])}`;
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function rowOf(who: string, runs: Run[]): (string | number)[] {
  const seconds = runs.flatMap((run) => run.second ?? []);
  return [who, ...[runs, seconds].flatMap(figuresOf)];
}

const figuresOf = (runs: Pick<Run, 'time' | 'calls' | 'perHour'>[]) => [
  secondsOf(runs.map(({ time }) => time)),
  secondsOf(
    runs.map(({ time }) => time),
    0.95,
  ),
  median(runs.map(({ calls }) => calls)),
  mean(runs.map(({ perHour }) => perHour)).toFixed(3),
];

/** The median of the ratios, world by world. */
function ratioRow(who: string, ours: Run[], peer: string, theirs: Run[]): string[] {
  const ratio = (of: (run: Run) => number | undefined) =>
    median(
      ours.map((run, index) => (of(run) ?? Number.NaN) / (of(theirs[index] as Run) ?? Number.NaN)),
    ).toFixed(2);
  return [
    `${who} ÷ ${peer}`,
    ...[ratio(({ time }) => time), '', ratio(({ calls }) => calls), ratio(({ perHour }) => perHour)],
    ...[
      ratio((run) => run.second?.time),
      '',
      ratio((run) => run.second?.calls),
      ratio((run) => run.second?.perHour),
    ],
  ];
}
