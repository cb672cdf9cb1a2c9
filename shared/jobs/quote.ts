import type { Config } from '../config.ts';
import type { Candidate } from '../machines/candidate.ts';
import { candidatesOf, modelsOf } from '../machines/candidates.ts';
import { Cooldown, cooldownRecord, isBlocked, noCooldown } from '../machines/cooldown.ts';
import { leftToTry } from '../machines/order.ts';
import { type Estimate, estimate, isWithinMoney } from '../machines/prices.ts';
import { type PriceTable, priceTable } from '../machines/priceTable.ts';
import type { Records } from '../storage/records.ts';
import type { Accelerator } from './accelerator.ts';
import { advance } from './advance.ts';
import { choose } from './choose.ts';
import type { Job } from './job.ts';
import { newRecord } from './jobRecord.ts';
import type { Limits } from './limits.ts';

/** What would be asked for of one entry of the job's accelerators. */
export type Offer = {
  /** As the person wrote it: `L4`, `A100:2`, `cpu:4`. */
  accelerator: string;
  /** Undefined if no zone has any, or none that the lab or the job allows. */
  candidate?: Candidate;
  estimate?: Estimate;
  isOverLimit: boolean;
  /** Until when nobody asks for it, since there was none. */
  soldOutUntil?: string;
};

export type Quote = {
  offers: Offer[];
  /** What the first machine would be, if there is one at the moment. */
  choice: ReturnType<typeof choose>;
  /** For a job that takes a machine on demand when it gets no spot machine; no estimate if its limit rules them out. */
  onDemand?: { estimate?: Estimate };
  asOf: string;
};

/** What would be chosen for a job now, and what it may cost: by the same rules as it is going to be. */
export async function quoteOf(
  { records, config }: { records: Records; config: Pick<Config, 'regions' | keyof Limits> },
  job: Job,
  now: number,
): Promise<Quote> {
  const cooldown = (await records.read(cooldownRecord, Cooldown))?.value ?? noCooldown;
  const prices = priceTable();
  const { regions } = config;
  const at = new Date(now).toISOString();
  const record = newRecord({ id: 'quote', digest: '', job, owner: '', createdAt: at });
  const choice = choose(advance(record, { type: 'place', at }), {
    ...{ cooldown, prices, regions, limits: config, now },
    random: () => 0.5,
  });
  const models = modelsOf(job.spot, { preemptions: 0, waitedMinutes: 0 });
  const offers = job.accelerators.map((accelerator) =>
    offerOf(accelerator, { ...job, accelerators: [accelerator] }, { models, prices, cooldown, regions, now }),
  );
  const onDemand = job.spot === 'prefer' ? onDemandOf(job, prices, regions) : undefined;
  return { offers, choice, asOf: prices.asOf, ...(onDemand ? { onDemand } : {}) };
}

type At = {
  models: Candidate['model'][];
  prices: PriceTable;
  cooldown: Cooldown;
  regions: string[] | undefined;
  now: number;
};

function offerOf(accelerator: Accelerator, job: Job, { models, prices, cooldown, regions, now }: At): Offer {
  const candidates = candidatesOf(job, models, prices, regions);
  const affordable = candidates.filter((one) => isWithinMoney(job, estimate(job, one, prices)));
  const possible = affordable.length > 0 ? affordable : candidates;
  const [open] = leftToTry(possible, cooldown, now);
  const candidate = open ?? possible[0];
  const name = candidate?.accelerator ?? nameOf(accelerator);
  if (!candidate) return { accelerator: name, isOverLimit: false };
  const until = open ? undefined : isBlocked(cooldown, candidate, now)?.until;
  return {
    accelerator: name,
    candidate,
    estimate: estimate(job, candidate, prices),
    isOverLimit: affordable.length === 0,
    ...(until ? { soldOutUntil: until } : {}),
  };
}

function onDemandOf(
  job: Job,
  prices: PriceTable,
  regions: string[] | undefined,
): { estimate?: Estimate } | undefined {
  const estimates = candidatesOf(job, ['standard'], prices, regions).map((one) => estimate(job, one, prices));
  if (estimates.length === 0) return undefined;
  const first = estimates.find((one) => isWithinMoney(job, one));
  return first ? { estimate: first } : {};
}

function nameOf(accelerator: Accelerator): string {
  if ('tpu' in accelerator) return accelerator.tpu;
  if ('cpu' in accelerator) return `cpu:${accelerator.cpu}`;
  return accelerator.count === 1 ? accelerator.gpu : `${accelerator.gpu}:${accelerator.count}`;
}
