import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { budgetNotification } from '../../../../../shared/budget/budgetNotification.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { seeded } from '../../../../sync/model.ts';
import { until } from '../pubsub/receiver.ts';
import { call } from '../storage/raw.ts';
import {
  account,
  budgetOf,
  clientsOf,
  makeTopic,
  type Notification,
  pullAll,
  punctual,
  setBilling,
} from './kit.ts';

const cloud = useLocalCloud({ random: seeded(7) });
let topic = '';
let topics = 0;
const hour = 3600;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: unknown }) => Number(error.code),
  );
const costs = (notifications: Notification[]) => notifications.map(({ data }) => data.costAmount);

beforeAll(async () => {
  await setBilling(cloud, 'settings', punctual);
});
beforeEach(async () => {
  const { budgets } = clientsOf(cloud);
  for (const { name } of (await budgets.list({ parent: account })).data.budgets ?? [])
    await budgets.delete({ name: name ?? '' });
  await call('DELETE', `${cloud.origin}/_local/billing/spend`);
  await setBilling(cloud, 'settings', punctual);
  await setBilling(cloud, 'clock', { now: '2026-11-10T00:00:00Z', speed: 1 });
  topic = await makeTopic(cloud, `budget-${++topics}`);
});
const heard = () => pullAll(cloud, `budget-${topics}`);

test('a budget is made, read, listed page by page, changed and deleted', async () => {
  const { budgets } = clientsOf(cloud);
  const { data: made } = await budgets.create({ parent: account, requestBody: budgetOf(100, topic) });
  expect(made).toMatchObject({
    ...budgetOf(100, topic),
    name: expect.stringMatching(/^billingAccounts\/012345-567890-ABCDEF\/budgets\/[0-9a-f-]{36}$/),
    budgetFilter: { calendarPeriod: 'MONTH', creditTypesTreatment: 'INCLUDE_ALL_CREDITS' },
  });
  const name = made.name ?? '';
  expect((await budgets.get({ name })).data).toEqual(made);
  await budgets.create({ parent: account, requestBody: budgetOf(200, topic) });
  const first = await budgets.list({ parent: account, pageSize: 1 });
  const second = await budgets.list({
    parent: account,
    pageSize: 1,
    pageToken: first.data.nextPageToken ?? '',
  });
  expect([first, second].flatMap(({ data }) => data.budgets ?? [])).toHaveLength(2);
  expect(second.data.nextPageToken).toBeUndefined();

  const amount = { specifiedAmount: { units: '150' } };
  const { data: patched } = await budgets.patch({
    name,
    updateMask: 'amount',
    requestBody: { amount, displayName: 'not in the mask', etag: made.etag ?? '' },
  });
  expect(patched).toMatchObject({
    displayName: 'The lab',
    amount: { specifiedAmount: { currencyCode: 'USD', units: '150' } },
  });
  expect(await codeOf(budgets.patch({ name, requestBody: { amount, etag: made.etag ?? '' } }))).toBe(409);
  await budgets.delete({ name });
  expect(await codeOf(budgets.get({ name }))).toBe(404);
  expect(await codeOf(budgets.list({ parent: 'billingAccounts/000000-000000-000000' }))).toBe(403);
});

test.each([
  ['without an amount', { amount: undefined }],
  ['in another currency', { amount: { specifiedAmount: { currencyCode: 'EUR', units: '1' } } }],
  ['with two amounts', { amount: { specifiedAmount: { units: '1' }, lastPeriodAmount: {} } }],
  ['with a topic and no schema', { notificationsRule: { pubsubTopic: 'projects/p/topics/t' } }],
  ['with a field that is not known', { treshholdRules: [] }],
])('a budget %s is refused', async (_, wrong) => {
  const requestBody: object = { ...budgetOf(100, topic), ...wrong };
  expect(await codeOf(clientsOf(cloud).budgets.create({ parent: account, requestBody }))).toBe(400);
});

test('it tells what is spent in Google’s form, every 20 to 40 minutes, whatever was passed', async () => {
  const { data } = await clientsOf(cloud).budgets.create({
    parent: account,
    requestBody: budgetOf(100, topic),
  });
  await setBilling(cloud, 'clock', { advance: 24 * hour });
  const quiet = await heard();
  expect(quiet.length).toBeGreaterThanOrEqual(36);
  expect(quiet.length).toBeLessThanOrEqual(72);
  expect(quiet[0]).toEqual({
    attributes: {
      billingAccountId: '012345-567890-ABCDEF',
      budgetId: data.name?.split('/').at(-1),
      schemaVersion: '1.0',
    },
    data: {
      budgetDisplayName: 'The lab',
      costAmount: 0,
      costIntervalStart: '2026-11-01T07:00:00Z',
      budgetAmount: 100,
      budgetAmountType: 'SPECIFIED_AMOUNT',
      currencyCode: 'USD',
    },
  });
  await setBilling(cloud, 'spend', { amount: 60.5 });
  await setBilling(cloud, 'clock', { advance: 2 * hour });
  const [first, second] = await heard();
  // The threshold is said again and again. At this pace it will be 181 by the end of the month.
  for (const one of [first, second])
    expect(one?.data).toMatchObject({
      costAmount: 60.5,
      alertThresholdExceeded: 0.5,
      forecastThresholdExceeded: 1,
    });
  const settings = {
    budgets: [data.name?.split('/').at(-1) ?? ''],
    billingAccount: '012345-567890-ABCDEF',
    currency: 'USD',
    periodKind: 'month' as const,
  };
  const at = Date.parse('2026-11-11T02:00:00Z');
  expect(budgetNotification(first as Notification, settings, at)).toMatchObject({ cost: 60.5, amount: 100 });
});

test('a new month begins on the Pacific, and with nothing', async () => {
  await setBilling(cloud, 'clock', { now: '2026-12-01T06:00:00Z' });
  await clientsOf(cloud).budgets.create({ parent: account, requestBody: budgetOf(100, topic) });
  await setBilling(cloud, 'spend', { amount: 70 });
  await setBilling(cloud, 'clock', { advance: 2 * hour });
  const before = await heard();
  await setBilling(cloud, 'clock', { advance: hour });
  const after = await heard();
  expect(new Set(before.map(({ data }) => data.costIntervalStart))).toEqual(
    new Set(['2026-11-01T07:00:00Z']),
  );
  expect(new Set(costs(before))).toEqual(new Set([70]));
  expect(after.at(-1)?.data).toMatchObject({ costIntervalStart: '2026-12-01T08:00:00Z', costAmount: 0 });
});

test('a cost is known late, a credit lets it fall, and both are of the time when they were caused', async () => {
  await clientsOf(cloud).budgets.create({ parent: account, requestBody: budgetOf(100, topic) });
  await setBilling(cloud, 'spend', { amount: 80, late: 10 * hour });
  await setBilling(cloud, 'spend', { amount: -30, late: 20 * hour });
  await setBilling(cloud, 'clock', { advance: 9 * hour });
  expect(new Set(costs(await heard()))).toEqual(new Set([0]));
  await setBilling(cloud, 'clock', { advance: 10 * hour });
  expect(costs(await heard()).at(-1)).toBe(80);
  await setBilling(cloud, 'clock', { advance: 5 * hour });
  expect(costs(await heard()).at(-1)).toBe(50);
});

test('notifications come twice and in another order, if they are let', async () => {
  await setBilling(cloud, 'settings', { doubled: 1, overtaken: 0.5, late: [0, 0] });
  await clientsOf(cloud).budgets.create({ parent: account, requestBody: budgetOf(100, topic) });
  for (let day = 0; day < 3; day++) {
    await setBilling(cloud, 'spend', { amount: 1 });
    await setBilling(cloud, 'clock', { advance: 8 * hour });
  }
  const found = await heard();
  expect(found.length).toBeGreaterThanOrEqual(64);
  expect(costs(found)).not.toEqual(costs(found).toSorted((one, other) => Number(one) - Number(other)));
});

test('a budget of one project and service counts only those, and one of the last month takes its amount from it', async () => {
  const { budgets } = clientsOf(cloud);
  const budgetFilter = { projects: [`projects/${cloud.project}`], services: ['services/6F81-5844-456A'] };
  await budgets.create({ parent: account, requestBody: budgetOf(100, topic, { budgetFilter }) });
  await setBilling(cloud, 'spend', { amount: 1 });
  await setBilling(cloud, 'spend', { amount: 2, service: 'VISION' });
  await setBilling(cloud, 'spend', { amount: 4, project: 'another' });
  await setBilling(cloud, 'clock', { advance: hour });
  expect(costs(await heard()).at(-1)).toBe(1);
  const other = await makeTopic(cloud, `budget-${++topics}`);
  const amount = { lastPeriodAmount: {} };
  await budgets.create({ parent: account, requestBody: budgetOf(100, other, { amount }) });
  await setBilling(cloud, 'spend', { amount: 33, at: '2026-10-20T00:00:00Z', late: 0 });
  await setBilling(cloud, 'clock', { advance: hour });
  expect((await heard()).at(-1)?.data).toMatchObject({
    budgetAmount: 33,
    budgetAmountType: 'LAST_PERIODS_COST',
    costAmount: 7,
  });
});

test('by itself a fast clock sends them too', async () => {
  await clientsOf(cloud).budgets.create({ parent: account, requestBody: budgetOf(100, topic) });
  await setBilling(cloud, 'clock', { speed: 50_000 });
  const found: Notification[] = [];
  await until(async () => {
    found.push(...(await heard()));
    return found.length > 5 || undefined;
  });
  await setBilling(cloud, 'clock', { speed: 1 });
});
