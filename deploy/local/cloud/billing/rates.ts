import { gpuNamed } from '../../../../shared/machines/accelerators.ts';
import { machineTypeIn } from '../compute/catalogue/machineTypes.ts';
import { regionOf } from '../compute/catalogue/zones.ts';
import type { Disk } from '../compute/disks.ts';
import type { Run } from '../compute/tables.ts';
import type { Run as TpuRun } from '../tpu/tables.ts';
import { catalogueOf, families, gpus, services, tpus } from './catalogue.ts';

/** https://cloud.google.com/compute/disks-image-pricing: a month of a disk is billed as 730 hours. */
const hoursOfMonth = 730;
const gibOfLocalSsd = 375;

/** Of a machine that shares its cores with others, so many are billed. https://cloud.google.com/compute/vm-instance-pricing#e2_sharedcore_machine_types */
const sharedCores: { [machineType: string]: number } = { 'e2-micro': 0.25, 'e2-small': 0.5, 'e2-medium': 1 };

/** US dollars an hour, by the SKUs that Google would bill. What the catalogue has no SKU for costs nothing here. */
export function rateOfRun(run: Omit<Run, 'startedAt' | 'endedAt'>): number {
  const { zone, machineType, accelerators, provisioningModel, localSsds } = run;
  const region = regionOf(zone);
  const isSpot = provisioningModel === 'SPOT';
  const type = machineTypeIn(zone, machineType);
  const words = wordsOf(machineType);
  const spot = isSpot ? 'Spot Preemptible ' : '';
  const place = isSpot ? 'attached to Spot Preemptible VMs running in' : 'running in';
  return sum([
    [`${spot}${words} Core running in ${region}`, sharedCores[machineType] ?? type?.cpus ?? 0],
    [`${spot}${words} Ram running in ${region}`, (type?.memoryMb ?? 0) / 1024],
    ...accelerators.map(
      ({ type, count }): Use => [`${gpus[gpuNamed(type) ?? '']} ${place} ${region}`, count],
    ),
    [
      `SSD backed Local Storage ${isSpot ? 'attached to Spot Preemptible VMs in' : 'in'} ${region}`,
      ((localSsds ?? 0) * gibOfLocalSsd) / hoursOfMonth,
    ],
  ]);
}

export function rateOfTpu({ zone, acceleratorType, provisioningModel }: TpuRun): number {
  const [generation = '', count = '0'] = acceleratorType.split('-');
  const { words, units } = tpus[generation] ?? { words: '', units: 1 };
  // Of these the name counts cores, two to a chip; their SKUs count chips, or eight cores.
  const perUnit = generation === 'v4' ? 8 : generation === 'v5p' ? 2 : units;
  const spot = provisioningModel === 'SPOT' ? 'Preemptible ' : '';
  return sum([[`${spot}${words} running in ${regionOf(zone)}`, Number(count) / perUnit]]);
}

export function rateOfDisk({ zone, type, sizeGb }: Pick<Disk, 'zone' | 'type' | 'sizeGb'>): number {
  const words = diskWords[type];
  return words ? sum([[`${words} in ${regionOf(zone)}`, sizeGb / hoursOfMonth]]) : 0;
}
const diskWords: { [type: string]: string } = {
  'pd-balanced': 'Balanced PD Capacity',
  'hyperdisk-balanced': 'Hyperdisk Balanced Capacity',
};

/** The SKU by its description, and how much of it. */
type Use = [description: string, quantity: number];

const sum = (uses: Use[]): number =>
  uses.reduce((all, [description, quantity]) => all + quantity * (prices().get(description) ?? 0), 0);

const wordsOf = (machineType: string): string =>
  families.find(({ shapes }) => Object.keys(shapes).some((shape) => machineType.startsWith(shape)))?.words ??
  families.find(({ shapes }) => Object.keys(shapes).some((shape) => isOfFamily(machineType, shape)))?.words ??
  '';
/** All shapes of a family are billed by the same cores and the same memory, but of those of A2 and A3. */
const isOfFamily = (machineType: string, shape: string) => machineType.split('-')[0] === shape.split('-')[0];

type Sku = {
  description: string;
  pricingInfo: {
    pricingExpression: { tieredRates: { unitPrice: { units: string; nanos: number } }[] };
  }[];
};
let read: Map<string, number> | undefined;
function prices(): Map<string, number> {
  read ??= new Map(
    (Object.keys(services).flatMap(catalogueOf) as Sku[]).map(({ description, pricingInfo }) => {
      const price = pricingInfo[0]?.pricingExpression.tieredRates[0]?.unitPrice;
      return [description, Number(price?.units ?? 0) + (price?.nanos ?? 0) / 1e9];
    }),
  );
  return read;
}
