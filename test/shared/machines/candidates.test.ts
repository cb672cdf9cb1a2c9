import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { countsOf, gpuNames, tpuNames, tpus } from '../../../shared/machines/accelerators.ts';
import { candidatesOf, modelsOf, regionOf } from '../../../shared/machines/candidates.ts';
import { block, noCooldown } from '../../../shared/machines/cooldown.ts';
import { shapeOf } from '../../../shared/machines/machineTypes.ts';
import { leftToTry } from '../../../shared/machines/order.ts';
import { estimate, isWithinMoney, priceOf } from '../../../shared/machines/prices.ts';
import { PriceTable, priceTable } from '../../../shared/machines/priceTable.ts';

const table = priceTable();
const jobWith = (more: object = {}) =>
  parseJob(JSON.stringify({ name: 'n', repository: 'https://h/r', command: 'c', ...more }));

test('candidates come in the order of the list, spot first, then cheapest first', () => {
  const candidates = candidatesOf(jobWith({ accelerators: ['V100', 'L4'] }), ['spot', 'standard'], table);
  const groups = [...new Set(candidates.map(({ accelerator, model }) => `${accelerator} ${model}`))];
  expect(groups).toEqual(['V100 spot', 'V100 standard', 'L4 spot', 'L4 standard']);
  for (const group of groups) {
    const prices = candidates
      .filter(({ accelerator, model }) => `${accelerator} ${model}` === group)
      .map(({ price }) => price?.perHour ?? Number.POSITIVE_INFINITY);
    expect(prices).toEqual(prices.toSorted((one, other) => one - other));
    expect(prices.length).toBeGreaterThan(10);
  }
});

test('a price is that of all parts', () => {
  const [l4] = candidatesOf(jobWith({ accelerators: ['L4'], regions: 'us-central1' }), ['standard'], table);
  // 8 of 32 vCPUs at 1.17434, one L4 at 0.56004, 100 GB at 0.10 a month.
  expect(l4).toMatchObject({ machineType: 'g2-standard-8', guestAccelerators: [], zone: 'us-central1-a' });
  expect(l4?.price?.perHour).toBeCloseTo(1.17434 / 4 + 0.56004 + 10 / 730, 5);
  const [t4] = candidatesOf(jobWith({ accelerators: ['T4:2'], regions: 'europe-west4' }), ['spot'], table);
  expect(t4).toMatchObject({
    machineType: 'n1-standard-16',
    guestAccelerators: [{ type: 'nvidia-tesla-t4', count: 2 }],
    accelerator: 'T4:2',
  });
  expect(t4?.price?.perHour).toBeCloseTo(
    16 * (table.vcpus['n1-standard']?.['europe-west4']?.[1] ?? 0) + 2 * 0.175 + 11 / 730,
    5,
  );
  // Local SSD comes with it, and is paid.
  const [a100] = candidatesOf(
    jobWith({ accelerators: ['A100-80GB'], regions: 'us-east5' }),
    ['standard'],
    table,
  );
  expect(a100).toMatchObject({ localSsd: true });
  expect(a100?.price?.perHour).toBeCloseTo(8.79698 / 8 + 4.4242 + (375 * 0.08) / 730 + 10 / 730, 4);
  const [tpu] = candidatesOf(
    jobWith({ accelerators: ['v5litepod-4'], regions: 'us-west4' }),
    ['spot'],
    table,
  );
  expect(tpu).toMatchObject({ kind: 'tpu', price: { perHour: 4 * 0.48 } });
});

test('an unknown price is unknown, comes last, and is never zero', () => {
  const [b200] = candidatesOf(jobWith({ accelerators: ['B200:8'] }), ['spot'], table);
  expect(b200).not.toHaveProperty('price');
  const h100 = candidatesOf(jobWith({ accelerators: ['H100:8'] }), ['standard'], table);
  const known = h100.map(({ price }) => price !== undefined);
  expect(known).toEqual(known.toSorted((one, other) => Number(other) - Number(one)));
  expect(known).toContain(false);
  expect(PriceTable.safeParse({ ...table, gpus: { T4: { 'us-east1': [0, 0] } } }).success).toBe(false);
  const said = estimate(jobWith({ limits: { money: 5 } }), h100.at(-1) as never, table);
  expect(said.words).toMatch(/^What H100:8 .* costs is not known/);
  expect(isWithinMoney(jobWith({ limits: { money: 5 } }), said)).toBe(false);
  expect(isWithinMoney(jobWith(), said)).toBe(true);
});

test('an estimate says in words what attempts and hours mean', () => {
  const job = jobWith({ accelerators: ['L4'], regions: ['us-central1'], limits: { hours: 10, money: 5 } });
  const [candidate] = candidatesOf(job, ['standard'], table);
  if (!candidate) throw new Error('no candidate');
  const said = estimate(job, candidate, table);
  expect(said).toMatchObject({
    perHour: candidate.price?.perHour,
    most: 10 * (candidate.price?.perHour ?? 0),
    asOf: table.asOf,
  });
  expect(said.words).toBe(
    `$0.8673 an hour for L4 (g2-standard-8, standard) in us-central1-a, with its disk of 100 GB: at most $8.67 for 10 hours, all 3 attempts together; the limit is $5.00 (list prices of ${table.asOf}).`,
  );
  expect(isWithinMoney(job, said)).toBe(false);
});

test('some GPUs are to be had as spot only', () => {
  expect(candidatesOf(jobWith({ accelerators: ['H100:2'] }), ['standard'], table)).toEqual([]);
  expect(candidatesOf(jobWith({ accelerators: ['H100:2'] }), ['spot'], table)).not.toEqual([]);
});

test('without an accelerator it is the smallest machines that are large enough', () => {
  const typesOf = (cpu: number, memory: number) =>
    [
      ...new Set(
        candidatesOf(jobWith({ accelerators: [{ cpu, memory }] }), ['standard'], table).map(
          ({ machineType }) => machineType,
        ),
      ),
    ].sort();
  expect(typesOf(4, 16)).toEqual(['e2-standard-4', 'n1-highmem-4', 'n1-standard-8']);
  expect(typesOf(3, 10)).toEqual(['e2-standard-4', 'n1-highmem-4', 'n1-standard-4']);
  expect(typesOf(96, 624)).toEqual(['n1-highmem-96']);
});

test('only the regions that person and lab allow', () => {
  const regionsOf = (job: object, lab?: string[]) => [
    ...new Set(
      candidatesOf(jobWith({ accelerators: ['L4'], ...job }), ['spot'], table, lab).map(
        ({ region }) => region,
      ),
    ),
  ];
  expect(regionsOf({ regions: ['europe-west4', 'us-east1'] }, ['us-east1', 'us-west1'])).toEqual([
    'us-east1',
  ]);
  expect(regionsOf({ regions: ['mars-north1'] })).toEqual([]);
});

test('spot: only, never, and prefer, which gives up after preemptions or minutes', () => {
  const since = (preemptions: number, waitedMinutes: number) => ({ preemptions, waitedMinutes });
  expect(modelsOf('only', since(9, 999))).toEqual(['spot']);
  expect(modelsOf('never', since(0, 0))).toEqual(['standard']);
  expect(modelsOf('prefer', since(0, 0))).toEqual(['spot']);
  expect(modelsOf('prefer', since(1, 9))).toEqual(['spot']);
  expect(modelsOf('prefer', since(1, 10))).toEqual(['spot', 'standard']);
  expect(modelsOf('prefer', since(2, 0))).toEqual(['standard']);
});

test('everything that a job may ask for is offered somewhere, and every machine is understood', () => {
  const accelerators = [
    ...gpuNames.flatMap((name) => countsOf(name).map((count) => `${name}:${count}`)),
    ...tpuNames,
  ];
  for (const accelerator of accelerators) {
    const candidates = candidatesOf(jobWith({ accelerators: [accelerator] }), ['spot'], table);
    expect({ accelerator, candidates: candidates.length > 0 }).toEqual({ accelerator, candidates: true });
    for (const { machineType, kind } of candidates)
      expect(kind === 'tpu' ? machineType in tpus : shapeOf(machineType)).toBeTruthy();
  }
});

test('the table holds no price that cannot be: spot is never dearer, no vCPU or GPU is nearly free', () => {
  const rows = [table.vcpus, table.gpus, table.tpus].flatMap((part) =>
    Object.entries(part).flatMap(([name, regions]) =>
      Object.entries(regions).map(([region, price]) => ({ name, region, price })),
    ),
  );
  expect(rows.length).toBeGreaterThan(200);
  for (const row of rows) {
    const [onDemand, spot] = row.price;
    if (onDemand !== null && spot !== null)
      expect({ ...row, fine: spot <= onDemand }).toMatchObject({ fine: true });
    // SkyPilot writes 700 for what it does not know.
    expect(onDemand ?? 1).toBeLessThan(30);
    expect(spot ?? 1).toBeGreaterThan(0.001);
  }
  for (const zone of Object.values(table.zones).flat()) expect(regionOf(zone)).not.toBe(zone);
});

test('a hint is tried first among its like, and what is blocked is left out', () => {
  const job = jobWith({ accelerators: ['V100', 'T4'] });
  const candidates = candidatesOf(job, ['spot'], table);
  const hinted = leftToTry(candidates, noCooldown, 0, ['us-west1-b']);
  expect(hinted[0]).toMatchObject({ accelerator: 'V100', zone: 'us-west1-b' });
  expect(hinted).toHaveLength(candidates.length);
  expect(hinted.find(({ accelerator }) => accelerator === 'T4')).toMatchObject({ zone: 'us-west1-b' });
  const [first] = candidates;
  if (!first) throw new Error('no candidate');
  const failure = { kind: 'stock-out', scope: 'zone', words: 'sold out' } as const;
  const left = leftToTry(candidates, block(noCooldown, failure, first, 0), 1);
  expect(left).toEqual(candidates.slice(1));
});

test('candidates and prices are the same at each call, whatever is asked for', () => {
  const accelerator = fc.constantFrom<unknown>(
    ...gpuNames.flatMap((name) => countsOf(name).map((count) => `${name}:${count}`)),
    ...tpuNames,
    'cpu',
    { cpu: 96, memory: 600 },
  );
  fc.assert(
    fc.property(
      fc.array(accelerator, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 10, max: 10_000 }),
      (accelerators, disk) => {
        const job = jobWith({ accelerators, disk });
        const candidates = candidatesOf(job, ['spot', 'standard'], table);
        expect(candidatesOf(job, ['spot', 'standard'], table)).toEqual(candidates);
        for (const candidate of candidates) expect(priceOf(candidate, disk, table)).toEqual(candidate.price);
      },
    ),
    { numRuns: 30 },
  );
});
