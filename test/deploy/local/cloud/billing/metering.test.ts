import { DatabaseSync } from 'node:sqlite';
import { beforeAll, expect, test } from '@jest/globals';
import { createClock } from '../../../../../deploy/local/cloud/billing/clock.ts';
import { createMeter } from '../../../../../deploy/local/cloud/billing/meter.ts';
import { rateOfDisk, rateOfRun, rateOfTpu } from '../../../../../deploy/local/cloud/billing/rates.ts';
import { Settings } from '../../../../../deploy/local/cloud/billing/settings.ts';
import { openTables } from '../../../../../deploy/local/cloud/billing/tables.ts';
import { costOfUnits, unitsOf } from '../../../../../deploy/local/cloud/billing/units.ts';
import type { Disk } from '../../../../../deploy/local/cloud/compute/disks.ts';
import type { Run } from '../../../../../deploy/local/cloud/compute/tables.ts';
import type { Context } from '../../../../../deploy/local/cloud/service.ts';
import { clients } from '../../../../../shared/clients.ts';
import { computeEngine } from '../../../../../shared/machines/computeEngine.ts';
import { priceOfDisk, priceOfHardware } from '../../../../../shared/machines/prices.ts';
import { priceTable } from '../../../../../shared/machines/priceTable.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { clientsOf as computeClientsOf, insert, machine, quick, setCompute, zone } from '../compute/kit.ts';
import { call } from '../storage/raw.ts';
import { account, budgetOf, clientsOf, makeTopic, pullAll, punctual, setBilling } from './kit.ts';

const cloud = useLocalCloud();
const hour = 3_600_000;
const table = priceTable();
const vcpus = (count: number) => count * (table.vcpus['e2-standard']?.['europe-west4']?.[0] ?? 0);
const disk = (gb: number) => (gb * (table.disks['pd-balanced']['europe-west4'] ?? 0)) / 730;

type Cost = { at: number; knownAt: number; amount: number };
const costs = async () => (await call('GET', `${cloud.origin}/_local/billing/spend`)).body as Cost[];
const spent = async () => (await costs()).reduce((sum, { amount }) => sum + amount, 0);
const advance = (hours: number) => setBilling(cloud, 'clock', { advance: hours * 3600 });

beforeAll(async () => {
  await import('@google-cloud/compute');
  await setCompute(cloud, { ...quick, shutdown: 1000 });
});

test('what really runs is billed by the hour, known late, told to the budget, and ends with the machine', async () => {
  await setBilling(cloud, 'settings', { ...punctual, late: [10 * 3600, 20 * 3600] });
  await setBilling(cloud, 'clock', { now: '2026-11-10T00:30:00Z' });
  const topic = await makeTopic(cloud, 'bill');
  await clientsOf(cloud).budgets.create({ parent: account, requestBody: budgetOf(100, topic) });
  await advance(5);
  expect(await spent()).toBe(0);

  const initializeParams = {
    sourceImage: 'projects/debian-cloud/global/images/family/debian-12',
    diskType: `zones/${zone}/diskTypes/pd-balanced`,
    diskSizeGb: '100',
  };
  const google = computeClientsOf(cloud);
  const disks = [{ boot: true, autoDelete: true, initializeParams }];
  await insert(cloud, google, machine('notebook', 'sleep 100', { disks }));
  await advance(10);
  expect(await spent()).toBeCloseTo(10 * (vcpus(2) + disk(100)), 3);
  // Each hour by itself, and each known in its own time.
  const some = await costs();
  expect(some.length).toBeGreaterThanOrEqual(10);
  for (const { at, knownAt } of some) expect(knownAt - at).toBeGreaterThanOrEqual(10 * hour);
  const heard = (await pullAll(cloud, 'bill')).map(({ data }) => data.costAmount);
  expect(new Set(heard)).toEqual(new Set([0]));

  const compute = computeEngine(cloud.project, await clients.compute());
  await compute.stop(zone, 'notebook', { discardLocalSsd: false });
  const before = await spent();
  await advance(10);
  expect((await spent()) - before).toBeCloseTo(10 * disk(100), 3);
  await compute.remove(zone, 'notebook');
  const all = await spent();
  await advance(24);
  expect((await spent()) - all).toBeLessThan(disk(100));
  const last = (await pullAll(cloud, 'bill')).at(-1);
  expect(last?.data.costAmount).toBeCloseTo(await spent(), 5);
});

test('a clock that is fast or set counts its own time, and each month its own costs', async () => {
  let real = Date.parse('2026-11-30T00:00:00Z');
  const start = real;
  const { meter, clock, tables } = meterOf(() => real, [diskSince('2026-01-01T00:00:00Z')]);
  clock.set({ speed: 3600 });
  real += 32_000;
  const now = Date.parse('2026-12-01T08:00:00Z');
  expect(clock.now()).toBe(now);
  while (meter.next() <= now) meter.look(meter.next());
  const rows = tables.costs.all();
  expect(rows).toHaveLength(32);
  expect(rows[0]?.at).toBe(start);
  expect(rows.at(-1)?.at).toBe(now - hour);
  for (const { amount } of rows) expect(amount).toBeCloseTo(disk(10), 9);
  // Nothing happens in a time that is jumped over.
  clock.set({ now: Date.parse('2027-01-01T00:00:00Z') });
  meter.restart();
  real += 500;
  meter.look(clock.now());
  expect(tables.costs.all().slice(32)).toEqual([
    expect.objectContaining({ at: Date.parse('2027-01-01T00:00:00Z') }),
  ]);
  expect(tables.costs.all()[32]?.amount).toBeCloseTo(disk(10) / 2, 9);
});

test('what was there while the lab was closed is billed when it is opened', () => {
  const opened = Date.parse('2026-11-20T12:00:00Z');
  const { meter, tables } = meterOf(() => opened, [diskSince('2026-11-01T00:00:00Z')], opened - 3 * hour);
  while (meter.next() <= opened) meter.look(meter.next());
  expect(tables.costs.all()).toHaveLength(3);
});

const diskSince = (created: string): Disk => ({
  ...{ id: '1', name: 'd', zone, sizeGb: 10, type: 'pd-balanced', sourceImage: '', labels: {} },
  created,
});
function meterOf(real: () => number, disks: Disk[], last?: number) {
  const tables = openTables(new DatabaseSync(':memory:'));
  if (last !== undefined) tables.meter.saw(last);
  const clock = createClock(real);
  const things = { runs: () => [], tpuRuns: () => [], disks: () => disks };
  const context = { project: 'p' } as Context;
  const settings = Settings.parse({});
  return { meter: createMeter({ context, tables, settings, clock, things, draw: () => 0 }), clock, tables };
}

const run = (more: Partial<Run>): Run => ({
  ...{ zone, name: 'm', id: '1', machineType: 'e2-standard-4', accelerators: [], diskGb: 0, localSsds: 0 },
  ...{ provisioningModel: 'STANDARD' as const, labels: {}, startedAt: '', ...more },
});
test.each<[string, Partial<Run>]>([
  ['e2-standard-4', {}],
  ['n1-standard-8', { accelerators: [{ type: 'nvidia-tesla-t4', count: 1 }] }],
  ['g2-standard-24', { accelerators: [{ type: 'nvidia-l4', count: 2 }], provisioningModel: 'SPOT' }],
  ['a2-highgpu-8g', { accelerators: [{ type: 'nvidia-tesla-a100', count: 8 }] }],
])('%s costs by its SKUs what the price table says of it', (machineType, more) => {
  const guestAccelerators = more.accelerators ?? [];
  const model = more.provisioningModel === 'SPOT' ? 'spot' : 'standard';
  const hardware = {
    kind: 'vm' as const,
    region: 'europe-west4',
    machineType,
    guestAccelerators,
    model,
  } as const;
  const price = priceOfHardware(hardware, table) ?? Number.NaN;
  expect(rateOfRun(run({ machineType, ...more }))).toBeCloseTo(price, 5);
});

test('what the table of Gazeline does not know is billed all the same', () => {
  for (const machineType of ['e2-highmem-8', 'e2-micro']) {
    const hardware = { kind: 'vm', region: 'europe-west4', machineType, model: 'standard' } as const;
    expect(priceOfHardware({ ...hardware, guestAccelerators: [] }, table)).toBeUndefined();
    expect(rateOfRun(run({ machineType }))).toBeGreaterThan(0.005);
  }
});

test('disks and TPUs are billed as the table says', () => {
  const type = 'pd-balanced';
  expect(rateOfDisk({ zone, type, sizeGb: 500 })).toBeCloseTo(
    priceOfDisk({ type, region: 'europe-west4', sizeGb: 500 }, table) ?? Number.NaN,
    6,
  );
  for (const [acceleratorType, place] of [
    ['v2-8', 'us-central1-b'],
    ['v4-8', 'us-central2-b'],
    ['v5litepod-4', 'us-west4-a'],
    ['v5p-8', 'europe-west4-b'],
  ] as const)
    for (const [provisioningModel, model] of [
      ['STANDARD', 'standard'],
      ['SPOT', 'spot'],
    ] as const) {
      const node = { ...run({}), zone: place, acceleratorType, provisioningModel };
      const hardware = { kind: 'tpu', machineType: acceleratorType, model } as const;
      const region = place.replace(/-.$/, '');
      const price = priceOfHardware({ ...hardware, guestAccelerators: [], region }, table);
      expect(rateOfTpu(node)).toBeCloseTo(price ?? Number.NaN, 5);
    }
});

test('units are those of what was answered, and cost beyond what is free in a month', () => {
  const seen = { method: 'POST', url: '', status: 200 };
  const vision = {
    ...seen,
    service: 'vision',
    detail: { features: { WEB_DETECTION: 3, FACE_DETECTION: 1 } },
  };
  expect(unitsOf(vision)).toEqual([
    { service: 'vision', feature: 'WEB_DETECTION', count: 3 },
    { service: 'vision', feature: 'FACE_DETECTION', count: 1 },
  ]);
  expect(unitsOf({ ...vision, status: 503 })).toEqual([]);
  const detail = { features: { syntax: true, entities: false }, characters: 1001 };
  const [text] = unitsOf({ ...seen, service: 'language', detail });
  expect(text).toEqual({ service: 'language', feature: 'syntax', count: 2 });
  const [web] = unitsOf(vision);
  if (!web) throw new Error();
  expect(costOfUnits(web, 0)).toBe(0);
  expect(costOfUnits(web, 998)).toBeCloseTo(0.0035, 9);
  expect(costOfUnits(web, 5000)).toBeCloseTo(3 * 0.0035, 9);
});
