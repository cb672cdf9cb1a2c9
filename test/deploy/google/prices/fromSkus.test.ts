import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { tableFromSkus } from '../../../../deploy/google/prices/fromSkus.ts';
import type { Sku } from '../../../../deploy/google/prices/skus.ts';
import { PriceTable, priceTable } from '../../../../shared/machines/priceTable.ts';

/** Of the form that the catalogue has, with descriptions as facts and tools name them. Not recorded from Google. */
function sku(
  description: string,
  price: number,
  more: { usageType?: string; unit?: string; regions?: string[]; family?: string } = {},
): Sku {
  const { usageType = 'OnDemand', unit = 'h', regions = ['us-east1'], family = 'Compute' } = more;
  const unitPrice = {
    currencyCode: 'USD',
    units: String(Math.trunc(price)),
    nanos: Math.round((price % 1) * 1e9),
  };
  return {
    description,
    category: { resourceFamily: family, usageType },
    serviceRegions: regions,
    pricingInfo: [{ pricingExpression: { usageUnit: unit, tieredRates: [{ unitPrice }] } }],
  };
}
const spot = { usageType: 'Preemptible' };
const fixture: Sku[] = [
  sku('A2 Instance Core running in South Carolina', 0.031611),
  sku('A2 Instance Ram running in South Carolina', 0.004237, { unit: 'GiBy.h' }),
  sku('Spot Preemptible A2 Instance Core running in South Carolina', 0.01, spot),
  sku('Spot Preemptible A2 Instance Ram running in South Carolina', 0.001, { ...spot, unit: 'GiBy.h' }),
  sku('Commitment v1: A2 Cpu in South Carolina for 1 Year', 0.02, { usageType: 'Commit1Yr' }),
  sku('A2 Instance Core Sole Tenancy running in South Carolina', 9),
  sku('A2 Custom Instance Core running in South Carolina', 9),
  sku('Reserved A2 Instance Core in South Carolina', 9),
  sku('Nvidia Tesla A100 GPU running in South Carolina', 2.9),
  sku('Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running in South Carolina', 1.4, spot),
  sku('Nvidia Tesla A100 80GB GPU running in South Carolina', 4.4),
  sku('Nvidia H100 80GB Mega GPU running in South Carolina', 1),
  sku('Nvidia H100 80GB Plus GPU running in South Carolina', 1),
  sku('Nvidia H100 80GB GPU running in South Carolina', 9.8),
  sku('Nvidia H100 80GB GPU DWS Calendar Mode running in South Carolina', 4.2),
  // A commitment that looks like a price on demand.
  sku('Nvidia H100 80GB GPU running in Iowa', 1.1, { regions: ['us-central1'] }),
  sku('Nvidia H100 80GB GPU attached to Spot Preemptible VMs running in Iowa', 2.8, {
    ...spot,
    regions: ['us-central1'],
  }),
  sku('A3Plus Instance Core running in South Carolina', 9),
  sku('Nvidia B200 (1 gpu slice) running in South Carolina', 0),
  sku('Tpu-v3 accelerator running in South Carolina', 8),
  sku('Tpu-v3 Pod accelerator running in South Carolina', 99),
  sku('Preemptible Tpu-v3 accelerator running in South Carolina', 2.4),
  sku('Tpu-v4 Pod accelerator', 12.88),
  sku('TpuV5p chip', 4.2),
  sku('Balanced PD Capacity', 0.1, { unit: 'GiBy.mo', family: 'Storage' }),
  sku('Regional Balanced PD Capacity', 0.2, { unit: 'GiBy.mo', family: 'Storage' }),
  sku('SSD backed Local Storage', 0.08, { unit: 'GiBy.mo', family: 'Storage' }),
  sku('SSD backed Local Storage attached to Spot Preemptible VMs', 0.03, {
    ...spot,
    unit: 'GiBy.mo',
    family: 'Storage',
  }),
  sku('Standard Storage South Carolina', 0.02, { unit: 'GiBy.mo', family: 'Storage' }),
  sku('Standard Storage US Multi-region', 0.026, { unit: 'GiBy.mo', family: 'Storage', regions: ['us'] }),
  sku('Standard Storage Iowa/South Carolina Dual-region', 9, { unit: 'GiBy.mo', family: 'Storage' }),
  sku('Coldline Storage South Carolina', 0.004, { unit: 'GiBy.mo', family: 'Storage' }),
  sku('Coldline Storage South Carolina Early Delete', 9, { unit: 'GiBy.d', family: 'Storage' }),
];
const options = { asOf: '2026-01-01', zones: {}, source: 'a fixture' };

test('each price finds its place, past all that only looks like it', () => {
  const problems: string[] = [];
  const table = tableFromSkus(fixture, options, (problem) => problems.push(problem));
  const of = (pairs: { [region: string]: unknown } | undefined) => pairs?.['us-east1'];
  expect(of(table.vcpus['a2-highgpu'])).toEqual([0.061623, 0.017083]);
  expect(of(table.gpus.A100)).toEqual([2.9, 1.4]);
  expect(of(table.gpus['A100-80GB'])).toEqual([4.4, null]);
  expect(of(table.gpus.H100)).toEqual([9.8, null]);
  expect(table.gpus.H100?.['us-central1']).toEqual([null, 2.8]);
  expect(table.gpus.B200).toEqual({});
  expect(table.vcpus['a3-highgpu']).toEqual({});
  expect([of(table.tpus.v3), of(table.tpus.v4), of(table.tpus.v5p)]).toEqual([
    [1, 0.3],
    [3.22, null],
    [4.2, null],
  ]);
  expect(table.disks).toMatchObject({
    'pd-balanced': { 'us-east1': 0.1 },
    'local-ssd': { 'us-east1': [0.08, 0.03] },
  });
  expect(table.storage).toEqual({
    standard: { 'us-east1': 0.02, us: 0.026 },
    nearline: {},
    coldline: { 'us-east1': 0.004 },
    archive: {},
  });
  expect(PriceTable.parse(table)).toEqual(table);
  expect(problems).toEqual([
    'B200: no price for h in “Nvidia B200 (1 gpu slice) running in South Carolina”',
    'H100 in us-central1: 1.1 on demand is less than 2.8 for spot; it is left out',
  ]);
});

test('of two prices that fit the dearer one is taken, and it is told', () => {
  const problems: string[] = [];
  const twice = [
    sku('Nvidia L4 GPU running in A', 0.5),
    sku('Nvidia L4 GPU running in B', 0.7),
    sku('Nvidia L4 GPU running in C', 0.6),
  ];
  expect(tableFromSkus(twice, options, (problem) => problems.push(problem)).gpus.L4).toEqual({
    'us-east1': [0.7, null],
  });
  expect(problems).toHaveLength(2);
});

test('the command reads every page of all services, and writes a table', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const url = new URL(request.url ?? '', 'http://x');
    const second = url.searchParams.get('pageToken') === 'second';
    const compute = url.pathname.includes('6F81');
    const skus = compute
      ? second
        ? fixture.slice(10)
        : fixture.slice(0, 10)
      : [{ description: 'of another form' }];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ skus, nextPageToken: compute && !second ? 'second' : '' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const out = join(await mkdtemp(join(tmpdir(), 'prices-')), 'table.json');
    const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const run = await promisify(execFile)(process.execPath, [
      'deploy/google/refreshPrices.ts',
      '--out',
      out,
      '--root',
      root,
    ]);
    expect(run.stdout).toContain('33 prices read');
    expect(run.stderr).toMatch(/of another form[\s\S]*T4 has no price any more/);
    expect(asked).toHaveLength(4);
    const table = PriceTable.parse(JSON.parse(await readFile(out, 'utf8')));
    expect(table.gpus.A100).toEqual({ 'us-east1': [2.9, 1.4] });
    expect(table.zones).toEqual(priceTable().zones);
  } finally {
    server.close();
  }
});
