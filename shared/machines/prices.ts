import type { Job } from '../jobs/job.ts';
import { type GpuName, gpuNames, gpuOf, type TpuName, tpus } from './accelerators.ts';
import type { Candidate, Price } from './candidate.ts';
import { shapeOf } from './machineTypes.ts';
import type { PriceTable } from './priceTable.ts';

/** Google bills a month of a disk as 730 hours. https://cloud.google.com/compute/disks-image-pricing */
export const hoursOfMonth = 730;

/**
 * What a machine costs an hour: vCPUs and memory, accelerators, the boot disk, and Local SSD that comes with it. Sustained
 * use discounts, traffic and what the objects cost are not in it.
 * @returns undefined if a single part of it is not known
 */
export function priceOf(
  candidate: Omit<Candidate, 'price'>,
  diskGb: number,
  table: PriceTable,
): Price | undefined {
  const { kind, diskType: type, region } = candidate;
  const machine = priceOfHardware(candidate, table);
  const disk = kind === 'tpu' ? 0 : priceOfDisk({ type, region, sizeGb: diskGb }, table);
  if (machine === undefined || disk === undefined) return undefined;
  return { perHour: Number((machine + disk).toFixed(6)), asOf: table.asOf };
}

/**
 * An hour of a machine as it runs, without its disks.
 * @returns undefined if a single part of it is not known
 */
export function priceOfHardware(hardware: Priced, table: PriceTable): number | undefined {
  const parts = hardware.kind === 'tpu' ? tpuParts(hardware, table) : vmParts(hardware, table);
  let perHour = 0;
  for (const part of parts) {
    if (part === undefined || part === null) return undefined;
    perHour += part;
  }
  return perHour;
}

/** An hour of a disk, whether or not something uses it. */
export function priceOfDisk(
  { type, region, sizeGb }: { type: string; region: string; sizeGb: number },
  { disks }: PriceTable,
): number | undefined {
  const prices = type === 'pd-balanced' || type === 'hyperdisk-balanced' ? disks[type] : undefined;
  return times(prices?.[region], sizeGb / hoursOfMonth);
}

type Part = number | null | undefined;
type Priced = Pick<Candidate, 'kind' | 'region' | 'machineType' | 'guestAccelerators' | 'model'> & {
  /** Of Local SSDs, where more than the type brings by itself may be there. */
  localSsdGb?: number;
};

function vmParts(machine: Priced, table: PriceTable): Part[] {
  const { machineType, region, model, guestAccelerators, localSsdGb = 0 } = machine;
  const paid = model === 'spot' ? 1 : 0;
  const shape = shapeOf(machineType);
  if (!shape) return [undefined];
  const gpu = gpusOf(machine);
  const localSsd = Math.max(shape.localSsd, localSsdGb);
  // What is a GPU all the same would cost nothing.
  if (!gpu && (guestAccelerators.length > 0 || /^(g2|a[234])-/.test(machineType))) return [undefined];
  return [
    times(table.vcpus[shape.shape]?.[region]?.[paid], shape.vcpus),
    ...(gpu ? [times(table.gpus[gpu.name]?.[region]?.[paid], gpu.count)] : []),
    ...(localSsd ? [times(table.disks['local-ssd'][region]?.[paid], localSsd / hoursOfMonth)] : []),
  ];
}

/** The boot disk of a TPU's host is part of its price. https://cloud.google.com/tpu/pricing */
function tpuParts({ machineType, region, model }: Priced, table: PriceTable): Part[] {
  const tpu = tpus[machineType as TpuName];
  if (!tpu) return [undefined];
  return [times(table.tpus[tpu.generation]?.[region]?.[model === 'spot' ? 1 : 0], tpu.units)];
}

const times = (price: Part, count: number): number | undefined =>
  typeof price === 'number' ? price * count : undefined;

/** GPUs of the machine, attached or built in. */
function gpusOf({ machineType, guestAccelerators }: Priced): { name: GpuName; count: number } | undefined {
  const [guest] = guestAccelerators;
  for (const name of gpuNames) {
    const { type, attached, machines } = gpuOf(name);
    if (guest?.type === type) return { name, count: guest.count };
    const count = Object.keys(machines).find((one) => machines[Number(one)] === machineType);
    if (!attached && count) return { name, count: Number(count) };
  }
  return undefined;
}

export type Estimate = {
  /** Undefined if a price is not known. */
  perHour?: number;
  /** The most that it can come to. */
  most?: number;
  /** The same in a sentence. */
  words: string;
  asOf: string;
};

/**
 * What a job may cost on this machine. The hours are those of all attempts together, so attempts do not multiply them:
 * a machine that is taken away after two of six hours leaves four for the next one.
 */
export function estimate(job: Job, candidate: Candidate, table: PriceTable): Estimate {
  const { hours, attempts, money } = job.limits;
  const machine = `${candidate.accelerator} (${candidate.machineType}, ${candidate.model}) in ${candidate.zone}`;
  const { asOf } = table;
  if (!candidate.price) return { words: `What ${machine} costs is not known (prices of ${asOf}).`, asOf };
  const { perHour } = candidate.price;
  const most = perHour * hours;
  const shared = attempts > 1 ? `, all ${attempts} attempts together` : '';
  const disks = candidate.kind === 'tpu' ? '' : `, with its disk of ${job.disk} GB`;
  const limit = money !== undefined && most > money ? `; the limit is ${dollars(money)}` : '';
  return {
    perHour,
    most,
    words:
      `${dollars(perHour)} an hour for ${machine}${disks}: at most ${dollars(most)} for ` +
      `${hours} hours${shared}${limit} (list prices of ${asOf}).`,
    asOf,
  };
}

export const dollars = (amount: number) => `$${amount.toFixed(amount < 1 ? 4 : 2)}`;

/** Whether it keeps within the money: what is not known does not. */
export const isWithinMoney = ({ limits: { money } }: Job, { most }: Estimate): boolean =>
  money === undefined || (most !== undefined && most <= money);
