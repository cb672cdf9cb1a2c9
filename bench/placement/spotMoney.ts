import type { Job } from '../../shared/jobs/job.ts';
import { type Attempt, newRecord } from '../../shared/jobs/jobRecord.ts';
import { costOf } from '../../shared/jobs/spent.ts';
import type { Candidate } from '../../shared/machines/candidate.ts';
import { candidatesOf, modelsOf, spotRule } from '../../shared/machines/candidates.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { median, quantile, table } from '../report.ts';
import { draw } from './draw.ts';
import { job } from './job.ts';
import { minute } from './world.ts';

const hour = 60 * minute;
/** What a machine does before it works: it starts, installs, copies its inputs and the last checkpoint. */
const overhead = 6 * minute;
const start = Date.parse('2026-01-01T00:00:00Z');
const mostAttempts = 1000;

type Work = {
  /** Of work, without what is lost. */
  hours: number;
  /** Between two checkpoints; undefined for none. */
  checkpoint: number | undefined;
  /** Preemptions in an hour of a spot machine. */
  rate: number;
};
type Finished = { dollars: number; hours: number; preemptions: number };
type Policy = { spot: Job['spot']; rule?: typeof spotRule };

const policies: [string, Policy][] = [
  ['Gazeline, prefer spot', { spot: 'prefer' }],
  ['spot for ever', { spot: 'only' }],
  ['dsub-like, 3 spot', { spot: 'prefer', rule: { ...spotRule, preemptions: 3 } }],
  ['on demand only', { spot: 'never' }],
];

/** Runs the job to its end, on the machines that `modelsOf` says, at the prices of the table; there is always a machine. */
function finish(seed: number, { hours, checkpoint, rate }: Work, { spot, rule }: Policy): Finished {
  const attempts: Attempt[] = [];
  let at = start;
  let left = hours * hour;
  let preemptions = 0;
  for (let number = 1; left > 0 && number <= mostAttempts; number++) {
    const [model = 'standard'] = modelsOf(spot, { preemptions, waitedMinutes: 0 }, rule);
    const [candidate] = candidatesOf(job, [model], priceTable()) as [Candidate];
    const lives =
      model === 'spot' && rate > 0 ? (-Math.log(1 - draw(seed, 'lives', number)) / rate) * hour : Infinity;
    const needs = overhead + left;
    const isPreempted = lives < needs;
    const lasts = Math.min(lives, needs);
    if (isPreempted) {
      const worked = Math.max(0, lasts - overhead);
      if (checkpoint) left -= Math.floor(worked / checkpoint) * checkpoint;
      preemptions++;
    } else left = 0;
    const [insertedAt, releasedAt] = [at, at + lasts].map((time) => new Date(time).toISOString());
    attempts.push({ number, candidate, insertedAt, releasedAt, tries: [], tried: 0, sequence: 0 });
    at += lasts;
  }
  const of = { id: 'bench', digest: '', job, owner: 'bench', createdAt: new Date(start).toISOString() };
  const { dollars } = costOf({ ...newRecord(of), attempts }, at);
  return { dollars: left > 0 ? Infinity : dollars, hours: (at - start) / hour, preemptions };
}

/** What a finished job has cost. */
export function spotMoney(seeds: number[], hours: number): string {
  const rows = [30 * minute, 5 * minute, undefined].flatMap((checkpoint) =>
    [0, 0.05, 0.2, 0.5].flatMap((rate) =>
      policies.flatMap(([name, policy]) => {
        if (policy.spot === 'never' && rate > 0) return [];
        const ended = seeds.map((seed) => finish(seed, { hours, checkpoint, rate }, policy));
        const alone = seeds.map((seed) => finish(seed, { hours, checkpoint, rate }, { spot: 'never' }));
        const mean = (of: (one: Finished) => number, all = ended) =>
          all.reduce((sum, one) => sum + of(one), 0) / all.length;
        return [
          [
            checkpoint ? `${checkpoint / minute} min` : 'none',
            rate,
            name,
            mean(({ dollars }) => dollars).toFixed(2),
            quantile(
              ended.map(({ dollars }) => dollars),
              0.95,
            ).toFixed(2),
            (mean(({ dollars }) => dollars) / mean(({ dollars }) => dollars, alone)).toFixed(2),
            mean(({ hours }) => hours).toFixed(1),
            median(ended.map(({ preemptions }) => preemptions)),
          ],
        ];
      }),
    ),
  );
  const head = ['checkpoints', 'preemptions / h', '', '$ a job', 'p95', '÷ on demand', 'h', 'preempted'];
  const title =
    `Money for a job of ${hours} hours on an L4, list prices of ${priceTable().asOf}; ${overhead / minute} minutes of each machine ` +
    'are spent before it works; preemptions are drawn';
  return `${title}\n${table(head, rows)}`;
}
