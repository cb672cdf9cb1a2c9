import type { Accelerator } from '../jobs/accelerator.ts';
import type { Job } from '../jobs/job.ts';
import { gpuOf, tpus } from './accelerators.ts';
import type { Candidate } from './candidate.ts';
import { diskTypeOf, machinesWith, shapeOf } from './machineTypes.ts';
import { priceOf } from './prices.ts';
import type { PriceTable } from './priceTable.ts';

export type Model = Candidate['model'];

/** When a job that prefers spot machines gets others. */
export type SpotRule = {
  /** After so many preemptions. */
  preemptions: number;
  /** After so many minutes without a spot machine. */
  minutes: number;
};
export const spotRule: SpotRule = { preemptions: 2, minutes: 10 };

/**
 * The models that are tried, the first one first. The last one per cent of spot jobs took as long as all others, where
 * nobody ever gave up on spot (https://github.com/DataBiosphere/dsub/issues/160).
 */
export function modelsOf(
  spot: Job['spot'],
  { preemptions, waitedMinutes }: { preemptions: number; waitedMinutes: number },
  rule = spotRule,
): Model[] {
  if (spot === 'only') return ['spot'];
  if (spot === 'never' || preemptions >= rule.preemptions) return ['standard'];
  return waitedMinutes >= rule.minutes ? ['spot', 'standard'] : ['spot'];
}

/**
 * Every machine that the job would accept: in the order of its list; for each entry in the order of `models`; then the
 * cheapest first, and those whose price is not known last.
 * @param regions the only ones that the lab allows; undefined for all
 */
export function candidatesOf(
  job: Pick<Job, 'accelerators' | 'regions' | 'disk'>,
  models: Model[],
  table: PriceTable,
  regions?: string[],
): Candidate[] {
  const allowed = (region: string) =>
    (!job.regions || job.regions.includes(region)) && (!regions || regions.includes(region));
  return job.accelerators.flatMap((accelerator) =>
    models.flatMap((model) =>
      machinesOf(accelerator, model, table)
        .filter(({ region }) => allowed(region))
        .map((machine) => withPrice(machine, job.disk, table))
        .sort(cheapestFirst),
    ),
  );
}

function withPrice(machine: Omit<Candidate, 'price'>, disk: number, table: PriceTable): Candidate {
  const price = priceOf(machine, disk, table);
  return price ? { ...machine, price } : machine;
}

/** At the same price in the order of names, so that two calls say the same. */
function cheapestFirst(one: Candidate, other: Candidate): number {
  const difference =
    (one.price?.perHour ?? Number.POSITIVE_INFINITY) - (other.price?.perHour ?? Number.POSITIVE_INFINITY);
  if (difference < 0 || difference > 0) return difference;
  return one.zone < other.zone ? -1 : one.zone > other.zone ? 1 : 0;
}

function machinesOf(accelerator: Accelerator, model: Model, table: PriceTable): Omit<Candidate, 'price'>[] {
  if ('tpu' in accelerator) {
    const { generation } = tpus[accelerator.tpu];
    return inZones(table.zones[generation], {
      kind: 'tpu',
      machineType: accelerator.tpu,
      guestAccelerators: [],
      accelerator: accelerator.tpu,
      model,
    });
  }
  if ('cpu' in accelerator) {
    const { cpu, memory } = accelerator;
    return machinesWith(cpu, memory).flatMap((machineType) =>
      inZones(table.zones[machineType.split('-')[0] ?? ''], {
        kind: 'vm',
        machineType,
        guestAccelerators: [],
        accelerator: `cpu:${cpu}`,
        model,
      }),
    );
  }
  const { gpu, count } = accelerator;
  const { type, attached, machines, spotOnly } = gpuOf(gpu);
  const machineType = machines[count];
  if (!machineType || (model === 'standard' && spotOnly?.includes(count))) return [];
  // Where GPU and machine are offered in different zones, the machine's own come first.
  return inZones(table.zones[shapeOf(machineType)?.shape ?? ''] ?? table.zones[gpu], {
    kind: 'vm',
    machineType,
    guestAccelerators: attached ? [{ type, count }] : [],
    accelerator: count === 1 ? gpu : `${gpu}:${count}`,
    model,
  });
}

function inZones(
  zones: string[] = [],
  machine: Omit<Candidate, 'price' | 'zone' | 'region' | 'localSsd' | 'diskType'>,
): Omit<Candidate, 'price'>[] {
  const localSsd = (shapeOf(machine.machineType)?.localSsd ?? 0) > 0;
  const diskType = diskTypeOf(machine.machineType);
  return zones.map((zone) => ({ ...machine, zone, region: regionOf(zone), localSsd, diskType }));
}

export const regionOf = (zone: string): string => zone.replace(/-[a-z]$/, '');
