import { zones } from './zones.ts';

export type AcceleratorType = {
  name: string;
  description: string;
  /** Of them on one machine. */
  maximum: number;
  /** Of the quota of a region; spot machines have one of their own, with `PREEMPTIBLE_` before it. */
  metric: string;
  /** Whether `regions.list` shows that quota: https://github.com/dstackai/dstack `_has_gpu_quota` has met that it does not. */
  isQuotaListed: boolean;
  zones: string[];
};

const only = (...patterns: string[]) =>
  zones.filter((zone) => patterns.some((pattern) => new RegExp(`^(${pattern})$`).test(zone)));

/**
 * Which zone has what changes; this is roughly what Google lists, and good enough to look for a machine.
 * https://cloud.google.com/compute/docs/regions-zones/gpu-regions-zones
 */
export const accelerators: AcceleratorType[] = [
  {
    name: 'nvidia-tesla-t4',
    description: 'NVIDIA T4',
    maximum: 4,
    metric: 'NVIDIA_T4_GPUS',
    isQuotaListed: true,
    zones: only(
      'us-central1-[abcf]',
      'us-east1-[cd]',
      'us-east4-[abc]',
      'us-west1-[ab]',
      'us-west2-[bc]',
      'us-west3-b',
      'us-west4-[ab]',
      'europe-west1-[bcd]',
      'europe-west2-[ab]',
      'europe-west3-b',
      'europe-west4-[abc]',
      'asia-east1-[ac]',
      'asia-northeast1-[ac]',
      'asia-southeast1-[abc]',
    ),
  },
  {
    name: 'nvidia-tesla-v100',
    description: 'NVIDIA V100',
    maximum: 8,
    metric: 'NVIDIA_V100_GPUS',
    isQuotaListed: true,
    zones: only('us-central1-[abcf]', 'us-east1-c', 'us-west1-[ab]', 'europe-west4-[abc]', 'asia-east1-c'),
  },
  {
    name: 'nvidia-tesla-p100',
    description: 'NVIDIA Tesla P100',
    maximum: 4,
    metric: 'NVIDIA_P100_GPUS',
    isQuotaListed: true,
    zones: only(
      'us-central1-[cf]',
      'us-east1-[bc]',
      'us-west1-[ab]',
      'europe-west1-[bd]',
      'europe-west4-a',
      'asia-east1-[ac]',
    ),
  },
  {
    name: 'nvidia-l4',
    description: 'NVIDIA L4',
    maximum: 8,
    metric: 'NVIDIA_L4_GPUS',
    isQuotaListed: true,
    zones: only(
      'us-central1-[abc]',
      'us-east1-[bcd]',
      'us-east4-[ac]',
      'us-west1-[abc]',
      'us-west4-[ac]',
      'northamerica-northeast1-b',
      'northamerica-northeast2-[ab]',
      'europe-west1-[bc]',
      'europe-west2-[ab]',
      'europe-west3-[ab]',
      'europe-west4-[abc]',
      'europe-west6-[bc]',
      'me-central2-[ac]',
      'asia-east1-[abc]',
      'asia-northeast1-[abc]',
      'asia-northeast3-[ab]',
      'asia-south1-[abc]',
      'asia-southeast1-[abc]',
    ),
  },
  {
    name: 'nvidia-tesla-a100',
    description: 'NVIDIA A100 40GB',
    maximum: 16,
    metric: 'NVIDIA_A100_GPUS',
    isQuotaListed: true,
    zones: only(
      'us-central1-[abcf]',
      'us-east1-b',
      'us-west1-b',
      'us-west3-b',
      'us-west4-b',
      'europe-west4-[ab]',
      'asia-northeast1-[ac]',
      'asia-southeast1-[bc]',
    ),
  },
  {
    name: 'nvidia-a100-80gb',
    description: 'NVIDIA A100 80GB',
    maximum: 8,
    metric: 'NVIDIA_A100_80GB_GPUS',
    isQuotaListed: true,
    zones: only('us-central1-[ac]', 'us-east4-c', 'us-east5-b', 'europe-west4-a', 'asia-southeast1-c'),
  },
  {
    name: 'nvidia-h100-80gb',
    description: 'NVIDIA H100 80GB',
    maximum: 8,
    metric: 'NVIDIA_H100_GPUS',
    isQuotaListed: false,
    zones: only(
      'us-central1-[ac]',
      'us-east4-[abc]',
      'us-east5-a',
      'us-west1-[ab]',
      'us-west4-a',
      'europe-west1-[bc]',
      'europe-west4-[bc]',
      'asia-northeast1-b',
      'asia-southeast1-[bc]',
    ),
  },
];

export const acceleratorNamed = (name: string): AcceleratorType | undefined =>
  accelerators.find((one) => one.name === name);
