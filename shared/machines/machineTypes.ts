/** What the name of a machine type says. */
export type MachineShape = {
  /** Those that differ in size only, and cost the same for each vCPU with its memory. */
  shape: string;
  vcpus: number;
  /** Gigabytes. */
  memory: number;
  /** Gigabytes of Local SSD that come with it. */
  localSsd: number;
};

const perVcpu: { [shape: string]: number } = {
  'e2-standard': 4,
  'n1-standard': 3.75,
  'n1-highmem': 6.5,
  'g2-standard': 4,
};

/** For each GPU: vCPUs, memory and Local SSD. https://cloud.google.com/compute/docs/accelerator-optimized-machines */
const perGpu: { [shape: string]: [number, number, number] } = {
  'a2-highgpu': [12, 85, 0],
  'a2-megagpu': [6, 85, 0],
  'a2-ultragpu': [12, 170, 375],
  'a3-highgpu': [26, 234, 750],
  'a3-ultragpu': [28, 369, 1500],
  'a4-highgpu': [28, 496, 1500],
};

/** @returns undefined for a type that is not looked for */
export function shapeOf(machineType: string): MachineShape | undefined {
  const [, shape = '', size, gpus] = /^([a-z]\d[a-z]?-[a-z]+)-(\d+)(g?)$/.exec(machineType) ?? [];
  const memory = perVcpu[shape];
  const gpu = perGpu[shape];
  const count = Number(size);
  if (memory && !gpus) return { shape, vcpus: count, memory: count * memory, localSsd: 0 };
  if (!gpu || !gpus) return undefined;
  return { shape, vcpus: gpu[0] * count, memory: gpu[1] * count, localSsd: gpu[2] * count };
}

const sizes: { [shape: string]: number[] } = {
  'e2-standard': [2, 4, 8, 16, 32],
  'n1-standard': [2, 4, 8, 16, 32, 64, 96],
  'n1-highmem': [2, 4, 8, 16, 32, 64, 96],
};

/** The smallest machine of each kind that has as much. */
export function machinesWith(cpu: number, memory: number): string[] {
  return Object.entries(sizes).flatMap(([shape, vcpus]) => {
    const size = vcpus.find((one) => one >= cpu && one * (perVcpu[shape] ?? 0) >= memory);
    return size ? [`${shape}-${size}`] : [];
  });
}

/** Newer families take only this kind of disk. https://cloud.google.com/compute/docs/disks#disk-types */
export const diskTypeOf = (machineType: string): 'pd-balanced' | 'hyperdisk-balanced' =>
  /^(a4|a3-ultragpu|g4|c4|n4|m4|h3)/.test(machineType) ? 'hyperdisk-balanced' : 'pd-balanced';
