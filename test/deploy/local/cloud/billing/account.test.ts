import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from '@jest/globals';
import { PriceTable, priceTable } from '../../../../../shared/machines/priceTable.ts';
import { forgetRequests, requestsAt } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { account, clientsOf } from './kit.ts';

const cloud = useLocalCloud();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: unknown }) => Number(error.code),
  );
const name = () => `projects/${cloud.project}`;
const bodies = async () =>
  (await requestsAt(cloud, 'billing')).flatMap(({ method, detail }) =>
    method === 'PUT' ? [(detail as { body: string }).body] : [],
  );
beforeEach(() => forgetRequests(cloud));

test('there is one billing account, and the project belongs to it', async () => {
  const { billing } = clientsOf(cloud);
  const { data } = await billing.billingAccounts.list();
  expect(data.billingAccounts).toEqual([expect.objectContaining({ name: account, open: true })]);
  expect((await billing.billingAccounts.get({ name: account })).data.currencyCode).toBe('USD');
  expect((await billing.projects.getBillingInfo({ name: name() })).data).toEqual({
    name: `${name()}/billingInfo`,
    projectId: cloud.project,
    billingAccountName: account,
    billingEnabled: true,
  });
  expect(await codeOf(billing.projects.getBillingInfo({ name: 'projects/of-somebody-else' }))).toBe(403);
});

test('an empty body, as Google’s sample sends it, is accepted and does nothing', async () => {
  // By `resource`, which @google-cloud/billing does not know: `""` is what leaves it.
  for (const body of ['""', ''])
    expect((await fetch(`${cloud.origin}/v1/${name()}/billingInfo`, { method: 'PUT', body })).status).toBe(
      200,
    );
  const { projects } = clientsOf(cloud).billing;
  expect((await projects.getBillingInfo({ name: name() })).data.billingEnabled).toBe(true);
  expect(await bodies()).toEqual(['""', '']);
});

test('a project is taken from its account by an empty name, and given back to it', async () => {
  const { billing } = clientsOf(cloud);
  const { projects } = billing;
  const update = (billingAccountName: string) =>
    projects.updateBillingInfo({ name: name(), requestBody: { billingAccountName } });
  expect((await update('')).data).toMatchObject({ billingAccountName: '', billingEnabled: false });
  expect((await billing.billingAccounts.projects.list({ name: account })).data.projectBillingInfo).toEqual(
    [],
  );
  expect(await codeOf(update('billingAccounts/000000-000000-000000'))).toBe(403);
  expect((await update(account)).data.billingEnabled).toBe(true);
  expect((await bodies())[0]).toBe('{"billingAccountName":""}');
});

test('the price catalogue comes in pages', async () => {
  const { services } = clientsOf(cloud).billing;
  const parent = 'services/6F81-5844-456A';
  const first = await services.skus.list({ parent, pageSize: 100 });
  const pageToken = first.data.nextPageToken ?? '';
  const second = await services.skus.list({ parent, pageSize: 100, pageToken });
  expect(first.data.skus).toHaveLength(100);
  expect(second.data.skus?.[0]?.skuId).not.toBe(first.data.skus?.[0]?.skuId);
  expect(first.data.skus?.[0]).toMatchObject({
    description: expect.stringMatching(/^E2 Instance Core running in /),
    category: { resourceFamily: 'Compute', usageType: 'OnDemand' },
    pricingInfo: [{ pricingExpression: { usageUnit: 'h' } }],
  });
  expect(await codeOf(services.skus.list({ parent: 'services/0000-0000-0000' }))).toBe(404);
});

test('the price table that is made from the catalogue has every price of the one that it was made from', async () => {
  const out = join(await mkdtemp(join(tmpdir(), 'prices-')), 'table.json');
  const { stderr } = await promisify(execFile)(process.execPath, [
    'deploy/google/refreshPrices.ts',
    '--out',
    out,
    '--root',
    cloud.origin,
  ]);
  expect(stderr).not.toMatch(/has no price any more|another form/);
  const made = PriceTable.parse(JSON.parse(await readFile(out, 'utf8')));
  const before = priceTable();
  const wrong: string[] = [];
  for (const part of ['vcpus', 'gpus', 'tpus'] as const)
    for (const [what, regions] of Object.entries(before[part]))
      for (const [region, prices] of Object.entries(regions))
        for (const model of [0, 1] as const) {
          const is = made[part][what]?.[region]?.[model];
          const was = prices[model];
          if (was !== null && !(Math.abs((is ?? Number.NaN) - was) < 5e-6))
            wrong.push(`${what} in ${region}: ${is} instead of ${was}`);
        }
  expect(wrong).toEqual([]);
  expect(made.disks).toEqual({ 'hyperdisk-balanced': {}, ...before.disks });
  expect(made.storage).toEqual(before.storage);
});
