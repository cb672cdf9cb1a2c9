import { type PriceTable, priceTable } from '../../../../shared/machines/priceTable.ts';

export const services: { [id: string]: string } = {
  '6F81-5844-456A': 'Compute Engine',
  'E000-3F24-B8AA': 'Cloud TPU',
  '95FF-2EF5-5EA1': 'Cloud Storage',
};
const compute = '6F81-5844-456A';
const storage = '95FF-2EF5-5EA1';

type Paid = 'OnDemand' | 'Preemptible';
type Pairs = { [region: string]: readonly [number | null, number | null] };

/**
 * The price catalogue, made from the price table of the repository: what it says of a machine is taken apart into vCPUs
 * and memory, as no SKU names a machine. How much of it is memory is only known where two shapes share them.
 * https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list
 */
export function catalogueOf(service: string): object[] {
  made ??= {
    [compute]: ofCompute(priceTable()),
    'E000-3F24-B8AA': ofTpus(priceTable(), ['v2', 'v3', 'v4']),
    [storage]: ofBuckets(priceTable()),
  };
  return made[service] ?? [];
}
let made: { [service: string]: object[] } | undefined;

/** By the words of the SKU: shapes that share its vCPUs, and GiB of memory that each has for one of them. */
export const families: { words: string; shapes: { [shape: string]: number } }[] = [
  { words: 'E2 Instance', shapes: { 'e2-standard': 4 } },
  { words: 'N1 Predefined Instance', shapes: { 'n1-standard': 3.75, 'n1-highmem': 6.5 } },
  { words: 'G2 Instance', shapes: { 'g2-standard': 4 } },
  { words: 'A2 Instance', shapes: { 'a2-highgpu': 85 / 12, 'a2-ultragpu': 170 / 12 } },
  { words: 'A3 Instance', shapes: { 'a3-highgpu': 9 } },
  { words: 'A3Ultra Instance', shapes: { 'a3-ultragpu': 2952 / 224 } },
  { words: 'A4 Instance', shapes: { 'a4-highgpu': 3968 / 224 } },
];
export const gpus: { [gpu: string]: string } = {
  T4: 'Nvidia Tesla T4 GPU',
  P4: 'Nvidia Tesla P4 GPU',
  V100: 'Nvidia Tesla V100 GPU',
  L4: 'Nvidia L4 GPU',
  A100: 'Nvidia Tesla A100 GPU',
  'A100-80GB': 'Nvidia Tesla A100 80GB GPU',
  H100: 'Nvidia H100 80GB GPU',
  H200: 'Nvidia H200 141GB GPU',
  B200: 'Nvidia B200 (1 gpu slice)',
};
export const tpus: { [generation: string]: { words: string; units: number } } = {
  v2: { words: 'Tpu-v2 accelerator', units: 8 },
  v3: { words: 'Tpu-v3 accelerator', units: 8 },
  v4: { words: 'Tpu-v4 Pod accelerator', units: 4 },
  v5litepod: { words: 'TpuV5e chip', units: 1 },
  v5p: { words: 'TpuV5p chip', units: 1 },
  v6e: { words: 'TpuV6e chip', units: 1 },
};

function ofCompute(table: PriceTable): object[] {
  return [
    ...families.flatMap((family) => vcpusOf(family, table)),
    ...Object.entries(gpus).flatMap(([gpu, words]) =>
      pairsOf(table.gpus[gpu], (paid, region, price) =>
        sku(
          paid === 'OnDemand'
            ? `${words} running in ${region}`
            : `${words} attached to Spot Preemptible VMs running in ${region}`,
          {
            price,
            paid,
            region,
            unit: 'h',
            family: 'Compute',
            group: 'GPU',
          },
        ),
      ),
    ),
    ...ofTpus(table, ['v5litepod', 'v5p', 'v6e']),
    ...ofDisks(table),
  ];
}

function vcpusOf({ words, shapes }: (typeof families)[number], table: PriceTable): object[] {
  const regions = new Set(Object.keys(shapes).flatMap((shape) => Object.keys(table.vcpus[shape] ?? {})));
  return [...regions].flatMap((region) =>
    (['OnDemand', 'Preemptible'] as const).flatMap((paid) => {
      const parts = apart(shapes, (shape) => table.vcpus[shape]?.[region]?.[paid === 'OnDemand' ? 0 : 1]);
      if (!parts) return [];
      const name = paid === 'OnDemand' ? words : `Spot Preemptible ${words}`;
      const common = { paid, region, family: 'Compute' };
      return [
        sku(`${name} Core running in ${region}`, { ...common, price: parts.core, unit: 'h', group: 'CPU' }),
        sku(`${name} Ram running in ${region}`, {
          ...common,
          price: parts.memory,
          unit: 'GiBy.h',
          group: 'RAM',
        }),
      ];
    }),
  );
}

/** Of a core and of a GiB; undefined if no price is known. */
function apart(
  shapes: { [shape: string]: number },
  priceOf: (shape: string) => number | null | undefined,
): { core: number; memory: number } | undefined {
  const priced = Object.entries(shapes).flatMap(([shape, memory]) => {
    const price = priceOf(shape);
    return typeof price === 'number' ? [{ price, memory }] : [];
  });
  const [one, other] = priced;
  if (!one) return undefined;
  // Most of it is the core, as with most machines.
  const memory = other
    ? (other.price - one.price) / (other.memory - one.memory)
    : (one.price * 0.3) / one.memory;
  const known = Number(memory.toFixed(6));
  return { core: one.price - known * one.memory, memory: known };
}

function ofTpus(table: PriceTable, generations: string[]): object[] {
  return generations.flatMap((generation) => {
    const { words, units } = tpus[generation] ?? { words: generation, units: 1 };
    return pairsOf(table.tpus[generation], (paid, region, price) =>
      // Of a TPU it is the text that says so, and the usage type does not.
      sku(`${paid === 'Preemptible' ? 'Preemptible ' : ''}${words} running in ${region}`, {
        price: price * units,
        paid: 'OnDemand',
        region,
        unit: 'h',
        family: 'Compute',
        group: 'TPU',
      }),
    );
  });
}

function ofDisks({ disks }: PriceTable): object[] {
  const onDemand = (prices: { [region: string]: number | null } = {}): Pairs =>
    Object.fromEntries(Object.entries(prices).map(([region, price]) => [region, [price, null]]));
  const named = (words: string, pairs: Pairs) =>
    pairsOf(pairs, (paid, region, price) =>
      sku(
        paid === 'OnDemand'
          ? `${words} in ${region}`
          : `${words} attached to Spot Preemptible VMs in ${region}`,
        {
          price,
          paid,
          region,
          unit: 'GiBy.mo',
          family: 'Storage',
          group: 'SSD',
        },
      ),
    );
  return [
    ...named('Balanced PD Capacity', onDemand(disks['pd-balanced'])),
    ...named('Hyperdisk Balanced Capacity', onDemand(disks['hyperdisk-balanced'])),
    ...named('SSD backed Local Storage', disks['local-ssd']),
  ];
}

function ofBuckets(table: PriceTable): object[] {
  return Object.entries(table.storage).flatMap(([storageClass, prices]) =>
    Object.entries(prices).flatMap(([region, price]) =>
      price === null
        ? []
        : sku(`${storageClass[0]?.toUpperCase()}${storageClass.slice(1)} Storage ${region}`, {
            ...{ price, region, paid: 'OnDemand', unit: 'GiBy.mo', family: 'Storage' },
            group: 'RegionalStorage',
            service: storage,
          }),
    ),
  );
}

function pairsOf(pairs: Pairs = {}, make: (paid: Paid, region: string, price: number) => object): object[] {
  return Object.entries(pairs).flatMap(([region, [standard, spot]]) => [
    ...(standard === null ? [] : [make('OnDemand', region, standard)]),
    ...(spot === null ? [] : [make('Preemptible', region, spot)]),
  ]);
}

let last = 0;
function sku(
  description: string,
  {
    price,
    paid,
    region,
    unit,
    family,
    group,
    service = compute,
  }: {
    price: number;
    paid: Paid;
    region: string;
    unit: string;
    family: string;
    group: string;
    service?: string;
  },
): object {
  const units = Math.trunc(price);
  const skuId = (++last)
    .toString(16)
    .toUpperCase()
    .padStart(12, '0')
    .replace(/(.{4})(?=.)/g, '$1-');
  return {
    name: `services/${service}/skus/${skuId}`,
    skuId,
    description,
    category: {
      serviceDisplayName: services[service],
      resourceFamily: family,
      resourceGroup: group,
      usageType: paid,
    },
    serviceRegions: [region],
    pricingInfo: [
      {
        summary: '',
        pricingExpression: {
          usageUnit: unit,
          displayQuantity: 1,
          tieredRates: [
            {
              startUsageAmount: 0,
              unitPrice: {
                currencyCode: 'USD',
                units: String(units),
                nanos: Math.round((price - units) * 1e9),
              },
            },
          ],
        },
        currencyConversionRate: 1,
      },
    ],
    serviceProviderName: 'Google',
    geoTaxonomy: { type: 'REGIONAL', regions: [region] },
  };
}
