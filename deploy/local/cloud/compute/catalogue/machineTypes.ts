import { acceleratorNamed } from './accelerators.ts';
import { zones } from './zones.ts';

export type MachineType = {
  name: string;
  cpus: number;
  memoryMb: number;
  /** What is built in. What can be attached to an N1 is no part of its type. */
  accelerators: { type: string; count: number }[];
  /** Local SSDs that come with it unasked. https://cloud.google.com/compute/docs/disks/local-ssd#lssd_disks_fixed */
  localSsds: number;
  isSharedCpu: boolean;
};

const plain = { accelerators: [], localSsds: 0, isSharedCpu: false };

/** The sizes of a family that has so many GB of memory for each vCPU. */
const sized = (family: string, gigabytes: number, ...cpus: number[]): MachineType[] =>
  cpus.map((count) => ({
    ...plain,
    name: `${family}-${count}`,
    cpus: count,
    memoryMb: count * gigabytes * 1024,
  }));

const shared = (name: string, cpus: number, memoryMb: number): MachineType => ({
  ...plain,
  name,
  cpus,
  memoryMb,
  isSharedCpu: true,
});

const accelerated = (
  name: string,
  cpus: number,
  gigabytes: number,
  type: string,
  count: number,
  localSsds = 0,
): MachineType => ({
  ...plain,
  name,
  cpus,
  memoryMb: gigabytes * 1024,
  accelerators: [{ type, count }],
  localSsds,
});

const l4 = 'nvidia-l4';
const a100 = 'nvidia-tesla-a100';
const a100x80 = 'nvidia-a100-80gb';
const h100 = 'nvidia-h100-80gb';

/**
 * The machine types that jobs of a lab ask for; Google has hundreds.
 * https://cloud.google.com/compute/docs/general-purpose-machines
 * https://cloud.google.com/compute/docs/accelerator-optimized-machines
 */
export const machineTypes: MachineType[] = [
  shared('e2-micro', 2, 1024),
  shared('e2-small', 2, 2048),
  shared('e2-medium', 2, 4096),
  ...sized('e2-standard', 4, 2, 4, 8, 16, 32),
  ...sized('e2-highmem', 8, 2, 4, 8, 16),
  ...sized('e2-highcpu', 1, 2, 4, 8, 16, 32),
  ...sized('n1-standard', 3.75, 1, 2, 4, 8, 16, 32, 64, 96),
  ...sized('n1-highmem', 6.5, 2, 4, 8, 16, 32, 64, 96),
  ...sized('n2-standard', 4, 2, 4, 8, 16, 32, 48, 64, 80, 96, 128),
  ...sized('n2-highmem', 8, 2, 4, 8, 16, 32, 48, 64, 80),
  accelerated('g2-standard-4', 4, 16, l4, 1),
  accelerated('g2-standard-8', 8, 32, l4, 1),
  accelerated('g2-standard-12', 12, 48, l4, 1),
  accelerated('g2-standard-16', 16, 64, l4, 1),
  accelerated('g2-standard-24', 24, 96, l4, 2),
  accelerated('g2-standard-32', 32, 128, l4, 1),
  accelerated('g2-standard-48', 48, 192, l4, 4),
  accelerated('g2-standard-96', 96, 384, l4, 8),
  accelerated('a2-highgpu-1g', 12, 85, a100, 1),
  accelerated('a2-highgpu-2g', 24, 170, a100, 2),
  accelerated('a2-highgpu-4g', 48, 340, a100, 4),
  accelerated('a2-highgpu-8g', 96, 680, a100, 8),
  accelerated('a2-megagpu-16g', 96, 1360, a100, 16),
  accelerated('a2-ultragpu-1g', 12, 170, a100x80, 1, 1),
  accelerated('a2-ultragpu-2g', 24, 340, a100x80, 2, 2),
  accelerated('a2-ultragpu-4g', 48, 680, a100x80, 4, 4),
  accelerated('a2-ultragpu-8g', 96, 1360, a100x80, 8, 8),
  accelerated('a3-highgpu-8g', 208, 1872, h100, 8, 16),
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** A type with something built in is only where that is. */
export const zonesOfType = ({ accelerators: [builtIn] }: MachineType): string[] =>
  builtIn ? (acceleratorNamed(builtIn.type)?.zones ?? []) : zones;

export const typesIn = (zone: string): MachineType[] =>
  machineTypes.filter((type) => zonesOfType(type).includes(zone));

export const machineTypeIn = (zone: string, name: string): MachineType | undefined =>
  typesIn(zone).find((type) => type.name === name);
