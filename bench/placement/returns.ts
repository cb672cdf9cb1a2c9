import { median, quantile, table } from '../report.ts';
import { contest, contestants, type Run } from './contest.ts';
import { draw } from './draw.ts';
import type { Lab } from './lab.ts';
import { minute } from './world.ts';

/** Everything is sold out until a drawn moment: who has a machine first after it, and how often was asked until then. */
export async function returns(lab: Lab, seeds: number[], [least, most]: [number, number]): Promise<string> {
  const runs: (Record<(typeof contestants)[number], Run> & { returnsAt: number })[] = [];
  for (const seed of seeds) {
    const returnsAt = (least + draw(seed, 'returns at') * (most - least)) * minute;
    runs.push({ ...(await contest(lab, seed, { soldOut: 1, hints: true, returnsAt }, false)), returnsAt });
  }
  const minutes = (times: number[], q = 0.5) => (quantile(times, q) / minute).toFixed(1);
  const rows = contestants.map((who) => {
    const after = runs.map((run) => run[who].time - run.returnsAt);
    const first = runs.filter((run) => contestants.every((other) => run[who].time <= run[other].time)).length;
    const calls = runs.map((run) => run[who].calls);
    const ratio = runs.map((run) => run.Gazeline.calls / run[who].calls);
    return [
      who,
      minutes(after),
      minutes(after, 0.95),
      `${first} of ${runs.length}`,
      median(calls),
      median(runs.map((run) => run[who].listCalls)),
      who === 'Gazeline'
        ? ''
        : median(
            runs.map((run) => (run.Gazeline.time - run.returnsAt) / (run[who].time - run.returnsAt)),
          ).toFixed(2),
      who === 'Gazeline' ? '' : median(ratio).toFixed(2),
    ];
  });
  const title = `All 40 zones are sold out; after ${least} to ${most} minutes two have machines again`;
  const head = [
    '',
    'after that, min',
    'p95',
    'first',
    'calls',
    'lists',
    'Gazeline ÷, time',
    'Gazeline ÷, calls',
  ];
  return `${title}\n${table(head, rows)}`;
}
