/** Cores up to v5p, chips for v5litepod and v6e: by these, sizes are named and quotas counted. */
type Generation = {
  /** The number of a slice with one host; larger ones have several. */
  sizes: number[];
  /** `AcceleratorConfig.type`, and the topology of each size. */
  type: string;
  topologies: string[];
  /** The middle of the names of its quotas: `TPU…PerProjectPerZoneForTPUAPI`. */
  quota: string;
  spotQuota: string;
  zones: string[];
};

/**
 * Which zone has what changes; this is roughly what Google lists, and good enough to look for a TPU.
 * https://cloud.google.com/tpu/docs/regions-zones
 */
export const generations: { [name: string]: Generation } = {
  v2: {
    sizes: [8],
    type: 'V2',
    topologies: ['2x2'],
    quota: 'V2s',
    spotQuota: 'V2sPreemptible',
    zones: ['asia-east1-c', 'europe-west4-a', 'us-central1-b', 'us-central1-c', 'us-central1-f'],
  },
  v3: {
    sizes: [8],
    type: 'V3',
    topologies: ['2x2'],
    quota: 'V3s',
    spotQuota: 'V3sPreemptible',
    zones: ['europe-west4-a', 'us-central1-a', 'us-central1-b', 'us-central1-f', 'us-east1-d'],
  },
  v4: {
    sizes: [8],
    type: 'V4',
    topologies: ['2x2x1'],
    quota: 'V4sPod',
    spotQuota: 'V4sPreemptiblePod',
    zones: ['us-central2-b'],
  },
  v5litepod: {
    sizes: [1, 4, 8],
    type: 'V5LITE_POD',
    topologies: ['1x1', '2x2', '2x4'],
    quota: 'V5sLitepod',
    spotQuota: 'V5sPreemptibleLitepod',
    zones: [
      ...['asia-east1-a', 'asia-east1-b', 'asia-east1-c', 'asia-northeast1-b', 'asia-southeast1-b'],
      ...['europe-north1-a', 'europe-north1-c', 'europe-west1-b', 'europe-west1-c', 'europe-west3-c'],
      ...['europe-west4-a', 'europe-west4-b', 'northamerica-northeast1-b', 'southamerica-west1-b'],
      ...['southamerica-west1-c', 'us-central1-a', 'us-east1-b', 'us-east1-c', 'us-east4-b', 'us-east5-a'],
      ...['us-east5-b', 'us-east5-c', 'us-south1-a', 'us-south1-b', 'us-west1-c', 'us-west4-a', 'us-west4-b'],
    ],
  },
  v5p: {
    sizes: [8],
    type: 'V5P',
    topologies: ['2x2x1'],
    quota: 'V5P',
    spotQuota: 'V5PPreemptible',
    zones: [
      ...['europe-west1-b', 'europe-west1-d', 'europe-west4-b', 'us-central1-a', 'us-east1-d', 'us-east5-a'],
      ...['us-east5-b', 'us-east5-c', 'us-south1-a', 'us-south1-b', 'us-south1-c'],
    ],
  },
  v6e: {
    sizes: [1, 4, 8],
    type: 'V6E',
    topologies: ['1x1', '2x2', '2x4'],
    quota: 'V6E',
    spotQuota: 'V6EPreemptible',
    zones: [
      ...['asia-east1-c', 'asia-northeast1-b', 'asia-south1-b', 'asia-south1-c', 'asia-southeast1-b'],
      ...['europe-west4-a', 'southamerica-east1-c', 'southamerica-west1-a', 'us-central1-a', 'us-central1-b'],
      ...['us-central1-c', 'us-central2-b', 'us-east1-d', 'us-east4-a', 'us-east5-a', 'us-east5-b'],
      ...['us-east5-c', 'us-south1-a', 'us-south1-c', 'us-west1-c'],
    ],
  },
};

export const zones = [...new Set(Object.values(generations).flatMap(({ zones }) => zones))].sort();

export const regionOf = (zone: string): string => zone.replace(/-[a-z]$/, '');

export type AcceleratorType = {
  /** `v5litepod-4` */
  name: string;
  /** What it takes of a quota. */
  units: number;
  type: string;
  topology: string;
  quota: string;
  spotQuota: string;
  zones: string[];
};

const quotaName = (middle: string) => `TPU${middle}PerProjectPerZoneForTPUAPI`;

export const acceleratorTypes: AcceleratorType[] = Object.entries(generations).flatMap(
  ([generation, { sizes, type, topologies, quota, spotQuota, zones }]) =>
    sizes.map((units, index) => ({
      name: `${generation}-${units}`,
      units,
      type,
      topology: topologies[index] ?? '',
      quota: quotaName(quota),
      spotQuota: quotaName(spotQuota),
      zones,
    })),
);

export const acceleratorIn = (zone: string, name: string): AcceleratorType | undefined =>
  acceleratorTypes.find((one) => one.name === name && one.zones.includes(zone));

/** None of them is really there: a local node has what this computer has. https://cloud.google.com/tpu/docs/runtimes */
export const runtimeVersions = [
  'tpu-ubuntu2204-base',
  'v2-alpha-tpuv5',
  'v2-alpha-tpuv5-lite',
  'v2-alpha-tpuv6e',
];
