import type { PriceTable } from '../../../shared/machines/priceTable.ts';
import { modelOf, type Sku, unitPriceOf } from './skus.ts';

/** By region: on demand, and for spot. */
type Pairs = { [region: string]: [number | null, number | null] };

/** No SKU names a machine type: a machine is its vCPUs and its memory, and they are found by these words. */
const families: { [shape: string]: { words: RegExp; memory: number } } = {
  'e2-standard': { words: /\bE2 Instance/, memory: 4 },
  'n1-standard': { words: /\bN1 Predefined Instance/, memory: 3.75 },
  'n1-highmem': { words: /\bN1 Predefined Instance/, memory: 6.5 },
  'g2-standard': { words: /\bG2 Instance/, memory: 4 },
  'a2-highgpu': { words: /\bA2 Instance/, memory: 85 / 12 },
  'a2-megagpu': { words: /\bA2 Instance/, memory: 1360 / 96 },
  'a2-ultragpu': { words: /\bA2 Instance/, memory: 170 / 12 },
  // Not “A3Plus”, which is A3 Mega.
  'a3-highgpu': { words: /\bA3 Instance/, memory: 9 },
  'a3-ultragpu': { words: /\bA3 ?Ultra Instance/i, memory: 2952 / 224 },
  'a4-highgpu': { words: /\bA4 Instance/, memory: 3968 / 224 },
};

const gpus: { [gpu: string]: RegExp } = {
  T4: /\bTesla T4 GPU/,
  P4: /\bTesla P4 GPU/,
  V100: /\bTesla V100 GPU/,
  L4: /\bL4 GPU/,
  // “A100 80GB GPU” does not match the one with 40 GB, nor “H100 80GB Mega” and “Plus”, which are A3 Mega, an H100.
  A100: /\bA100 GPU/,
  'A100-80GB': /\bA100 80GB GPU/,
  H100: /\bH100 80GB GPU/,
  H200: /\bH200 141GB GPU/,
  B200: /\bB200 \(1 gpu slice\)/i,
};

/** The words, and of how many of our units (`tpus`) the price is: of eight cores for v2 to v4, else of a chip. */
const tpus: { [generation: string]: { words: RegExp; units: number; pod?: true } } = {
  v2: { words: /\bTpu-v2\b/i, units: 8 },
  v3: { words: /\bTpu-v3\b/i, units: 8 },
  v4: { words: /\bTpu-v4\b/i, units: 4, pod: true },
  v5litepod: { words: /TpuV5e/i, units: 1 },
  v5p: { words: /TpuV5p/i, units: 1 },
  v6e: { words: /TpuV6e/i, units: 1 },
};

/**
 * The price table, from the SKUs of Compute Engine, of TPUs and of Cloud Storage. The catalogue knows no zones: those are kept.
 * @param tell is told what was left out, and why
 */
export function tableFromSkus(
  skus: Sku[],
  { asOf, zones, source }: { asOf: string; zones: PriceTable['zones']; source: string },
  tell: (problem: string) => void = () => {},
): PriceTable {
  const compute = skus.filter(({ category }) => category.resourceFamily === 'Compute');
  const storage = skus.filter(({ category }) => category.resourceFamily === 'Storage');
  const find = (name: string, among: Sku[], matches: (text: string) => boolean, unit: string) =>
    pairsOf(
      name,
      among.filter(({ description }) => matches(description)),
      unit,
      tell,
    );

  const vcpus = Object.entries(families).map(([shape, { words, memory }]): [string, Pairs] => {
    const core = find(`${shape} vCPU`, compute, (text) => words.test(text) && /\bCore\b/.test(text), 'h');
    const ram = find(
      `${shape} memory`,
      compute,
      (text) => words.test(text) && /\bRam\b/i.test(text),
      'GiBy.h',
    );
    return [shape, together(core, ram, memory)];
  });
  const tpuPrices = Object.entries(tpus).map(([generation, { words, units, pod }]): [string, Pairs] => {
    const matches = (text: string) => words.test(text) && /\bPod\b/i.test(text) === Boolean(pod);
    const prices = find(generation, compute, matches, 'h');
    return [generation, together(prices, {}, 0, units)];
  });
  const onDemand = (pairs: Pairs) =>
    Object.fromEntries(Object.entries(pairs).map(([region, [price]]) => [region, price]));
  const stored = (words: RegExp) =>
    onDemand(find(String(words), storage, (text) => words.test(text), 'GiBy.mo'));
  // A dual region is paid in both of its regions, by SKUs of theirs: what it costs is not known.
  const bucket = (storageClass: string) =>
    stored(new RegExp(`^${storageClass} Storage (?!.*(Dual-region|Early Delete))`, 'i'));
  return {
    asOf,
    sources: [source],
    currency: 'USD',
    vcpus: believed(Object.fromEntries(vcpus), tell),
    gpus: believed(
      Object.fromEntries(
        Object.entries(gpus).map(([gpu, words]) => [
          gpu,
          find(gpu, compute, (text) => words.test(text), 'h'),
        ]),
      ),
      tell,
    ),
    tpus: believed(Object.fromEntries(tpuPrices), tell),
    disks: {
      'pd-balanced': stored(/^Balanced PD Capacity/),
      'hyperdisk-balanced': stored(/^Hyperdisk Balanced Capacity/),
      'local-ssd': find(
        'Local SSD',
        [...storage, ...compute],
        (text) => /SSD backed Local Storage/.test(text),
        'GiBy.mo',
      ),
    },
    storage: {
      standard: bucket('standard'),
      nearline: bucket('nearline'),
      coldline: bucket('coldline'),
      archive: bucket('archive'),
    },
    zones,
  };
}

/** If several prices fit, the dearest is taken: an estimate may be too high, and must not be too low. */
function pairsOf(name: string, skus: Sku[], unit: string, tell: (problem: string) => void): Pairs {
  const pairs: Pairs = {};
  for (const sku of skus) {
    const model = modelOf(sku);
    if (!model) continue;
    const price = unitPriceOf(sku, unit);
    if (price === undefined) {
      tell(`${name}: no price for ${unit} in “${sku.description}”`);
      continue;
    }
    for (const region of sku.serviceRegions) {
      pairs[region] ??= [null, null];
      const at = model === 'spot' ? 1 : 0;
      const before = pairs[region][at];
      if (before !== null && before !== price)
        tell(`${name} in ${region}, ${model}: ${before} or ${price}; the dearer one is taken`);
      pairs[region][at] = round(Math.max(before ?? 0, price));
    }
  }
  return pairs;
}

/** One of the first with `amount` of the second; both have to be known. */
function together(first: Pairs, second: Pairs, amount: number, divisor = 1): Pairs {
  const sum = (one: number | null | undefined, other: number | null | undefined) => {
    if (one === null || one === undefined) return null;
    if (amount === 0) return round(one / divisor);
    return other === null || other === undefined ? null : round(one + amount * other);
  };
  return Object.fromEntries(
    Object.entries(first).map(([region, [standard, spot]]) => [
      region,
      [sum(standard, second[region]?.[0]), sum(spot, second[region]?.[1])],
    ]),
  );
}

/** On demand is never cheaper than spot: then it is the price of a commitment, which the catalogue also shows there. */
function believed(
  table: { [name: string]: Pairs },
  tell: (problem: string) => void,
): { [name: string]: Pairs } {
  for (const [name, pairs] of Object.entries(table))
    for (const [region, pair] of Object.entries(pairs)) {
      const [standard, spot] = pair;
      if (standard === null || spot === null || spot <= standard) continue;
      tell(`${name} in ${region}: ${standard} on demand is less than ${spot} for spot; it is left out`);
      pair[0] = null;
    }
  return table;
}

const round = (price: number) => Number(price.toFixed(6));
