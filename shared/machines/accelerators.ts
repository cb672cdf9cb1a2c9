/**
 * A kind of GPU: with which machine type each count comes. Built-in GPUs belong to the machine type; the others are
 * attached to an N1 machine, within https://cloud.google.com/compute/docs/gpus#n1-gpus (a T4 alone: at most 48 vCPUs; a
 * V100 alone: at most 12; a P4: 24).
 */
type Gpu = {
  /** The accelerator type in the API. */
  type: string;
  attached: boolean;
  machines: { [count: number]: string };
  /**
   * Counts that can be had as spot only (or reserved, or with flex-start, which are not done here).
   * https://cloud.google.com/compute/docs/accelerator-optimized-machines#consumption_option_availability_by_machine_type
   */
  spotOnly?: number[];
};

export const gpus = {
  T4: {
    type: 'nvidia-tesla-t4',
    attached: true,
    machines: { 1: 'n1-standard-8', 2: 'n1-standard-16', 4: 'n1-standard-32' },
  },
  P4: {
    type: 'nvidia-tesla-p4',
    attached: true,
    machines: { 1: 'n1-standard-8', 2: 'n1-standard-16', 4: 'n1-standard-32' },
  },
  V100: {
    type: 'nvidia-tesla-v100',
    attached: true,
    machines: { 1: 'n1-standard-8', 2: 'n1-standard-16', 4: 'n1-standard-32', 8: 'n1-standard-64' },
  },
  L4: {
    type: 'nvidia-l4',
    attached: false,
    machines: { 1: 'g2-standard-8', 2: 'g2-standard-24', 4: 'g2-standard-48', 8: 'g2-standard-96' },
  },
  A100: {
    type: 'nvidia-tesla-a100',
    attached: false,
    machines: {
      1: 'a2-highgpu-1g',
      2: 'a2-highgpu-2g',
      4: 'a2-highgpu-4g',
      8: 'a2-highgpu-8g',
      16: 'a2-megagpu-16g',
    },
  },
  'A100-80GB': {
    type: 'nvidia-a100-80gb',
    attached: false,
    machines: { 1: 'a2-ultragpu-1g', 2: 'a2-ultragpu-2g', 4: 'a2-ultragpu-4g', 8: 'a2-ultragpu-8g' },
  },
  H100: {
    type: 'nvidia-h100-80gb',
    attached: false,
    machines: { 1: 'a3-highgpu-1g', 2: 'a3-highgpu-2g', 4: 'a3-highgpu-4g', 8: 'a3-highgpu-8g' },
    spotOnly: [1, 2, 4],
  },
  H200: {
    type: 'nvidia-h200-141gb',
    attached: false,
    machines: { 8: 'a3-ultragpu-8g' },
    spotOnly: [8],
  },
  B200: {
    type: 'nvidia-b200',
    attached: false,
    machines: { 8: 'a4-highgpu-8g' },
    spotOnly: [8],
  },
} as const satisfies { [name: string]: Gpu };

export type GpuName = keyof typeof gpus;
export const gpuNames = Object.keys(gpus) as GpuName[];
export const gpuOf = (name: GpuName): Gpu => gpus[name];
export const countsOf = (name: GpuName): number[] => Object.keys(gpus[name].machines).map(Number);

/** What else people call them. */
const otherNames = new Map<string, GpuName>([
  ['a100-40gb', 'A100'],
  ['h100-80gb', 'H100'],
  ['h200-141gb', 'H200'],
  ...gpuNames.map((name): [string, GpuName] => [gpus[name].type, name]),
]);

export const gpuNamed = (text: string): GpuName | undefined =>
  gpuNames.find((name) => name.toLowerCase() === text.toLowerCase()) ?? otherNames.get(text.toLowerCase());

/**
 * TPUs with one host, as Google names them: the number is of cores up to v5p, of chips for v5litepod and v6e. A larger
 * slice has several hosts, and a job runs on one machine. https://cloud.google.com/tpu/docs/runtimes
 */
export const tpus = {
  'v2-8': { generation: 'v2', units: 8, runtime: 'tpu-ubuntu2204-base' },
  'v3-8': { generation: 'v3', units: 8, runtime: 'tpu-ubuntu2204-base' },
  'v4-8': { generation: 'v4', units: 4, runtime: 'tpu-ubuntu2204-base' },
  'v5litepod-1': { generation: 'v5litepod', units: 1, runtime: 'v2-alpha-tpuv5-lite' },
  'v5litepod-4': { generation: 'v5litepod', units: 4, runtime: 'v2-alpha-tpuv5-lite' },
  'v5litepod-8': { generation: 'v5litepod', units: 8, runtime: 'v2-alpha-tpuv5-lite' },
  'v5p-8': { generation: 'v5p', units: 4, runtime: 'v2-alpha-tpuv5' },
  'v6e-1': { generation: 'v6e', units: 1, runtime: 'v2-alpha-tpuv6e' },
  'v6e-4': { generation: 'v6e', units: 4, runtime: 'v2-alpha-tpuv6e' },
  'v6e-8': { generation: 'v6e', units: 8, runtime: 'v2-alpha-tpuv6e' },
} as const;

export type TpuName = keyof typeof tpus;
export const tpuNames = Object.keys(tpus) as TpuName[];
export const tpuNamed = (text: string): TpuName | undefined => {
  const name = text
    .toLowerCase()
    .replace(/^(tpu-)?v5e-/, 'v5litepod-')
    .replace(/^tpu-/, '');
  return tpuNames.find((one) => one === name);
};
/** One that Google has and that is too large for a job. */
export const isLargerTpu = (text: string): boolean =>
  /^(tpu-)?(v[234]|v5p|v5e|v5litepod|v6e)-\d{1,5}$/i.test(text);
