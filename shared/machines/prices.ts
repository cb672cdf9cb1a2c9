import type { Job } from '../jobs/job.ts';
import { type GpuName, gpuNames, gpuOf, type TpuName, tpus } from './accelerators.ts';
import type { Candidate, Price } from './candidate.ts';
import { shapeOf } from './machineTypes.ts';
import type { PriceTable } from './priceTable.ts';

/** Google bills a month of a disk as 730 hours. https://cloud.google.com/compute/disks-image-pricing */
const hoursOfMonth = 730;

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
  const parts = candidate.kind === 'tpu' ? tpuParts(candidate, table) : vmParts(candidate, diskGb, table);
  let perHour = 0;
  for (const part of parts) {
    if (part === undefined || part === null) return undefined;
    perHour += part;
  }
  return { perHour: Number(perHour.toFixed(6)), asOf: table.asOf };
}

type Part = number | null | undefined;
type Unpriced = Omit<Candidate, 'price'>;

function vmParts(candidate: Unpriced, diskGb: number, table: PriceTable): Part[] {
  const { machineType, region, model, diskType } = candidate;
  const paid = model === 'spot' ? 1 : 0;
  const shape = shapeOf(machineType);
  if (!shape) return [undefined];
  const gpu = gpusOf(candidate);
  return [
    times(table.vcpus[shape.shape]?.[region]?.[paid], shape.vcpus),
    ...(gpu ? [times(table.gpus[gpu.name]?.[region]?.[paid], gpu.count)] : []),
    times(table.disks[diskType]?.[region], diskGb / hoursOfMonth),
    ...(shape.localSsd
      ? [times(table.disks['local-ssd'][region]?.[paid], shape.localSsd / hoursOfMonth)]
      : []),
  ];
}

/** The boot disk of a TPU's host is part of its price. https://cloud.google.com/tpu/pricing */
function tpuParts({ machineType, region, model }: Unpriced, table: PriceTable): Part[] {
  const tpu = tpus[machineType as TpuName];
  if (!tpu) return [undefined];
  return [times(table.tpus[tpu.generation]?.[region]?.[model === 'spot' ? 1 : 0], tpu.units)];
}

const times = (price: Part, count: number): Part => (typeof price === 'number' ? price * count : undefined);

/** GPUs of the machine, attached or built in. */
function gpusOf({ machineType, guestAccelerators }: Unpriced): { name: GpuName; count: number } | undefined {
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
