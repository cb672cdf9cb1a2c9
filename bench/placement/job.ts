import { parseJob } from '../../shared/jobs/parseJob.ts';
import { candidatesOf } from '../../shared/machines/candidates.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import type { Place } from './world.ts';

/** Where an L4 is offered but for one region: 40 zones in 17 regions. */
const regions = [...new Set((priceTable().zones.L4 ?? []).map((zone) => zone.replace(/-[a-z]$/, '')))].filter(
  (region) => region !== 'asia-south1',
);

/** On demand, so that nobody turns from spot to on-demand in the middle. */
export const job = parseJob(
  JSON.stringify({
    name: 'bench',
    repository: 'https://example.org/repository',
    command: 'true',
    accelerators: ['L4'],
    spot: 'never',
    regions,
  }),
);

const candidates = candidatesOf(job, ['standard'], priceTable());

/** The cheapest first, as all three go. */
export const places: Place[] = candidates.map(({ zone, region }) => ({ zone, region }));

/** US dollars an hour; not a number for no zone. */
export const priceIn = (zone: string | undefined): number =>
  candidates.find((candidate) => candidate.zone === zone)?.price?.perHour ?? Number.NaN;
