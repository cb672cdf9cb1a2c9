import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { functions } from '../../functions/index.ts';
import { raiseGuard, releaseGuard } from '../../shared/budget/changeGuard.ts';
import type { Figure } from '../../shared/budget/figures.ts';
import { isOpenForWork } from '../../shared/budget/isOpenForWork.ts';
import { periodAt } from '../../shared/budget/period.ts';
import { stopAll } from '../../shared/machines/stopAll.ts';
import { NotYet } from '../../shared/once.ts';
import { listProblems, Unprocessable } from '../../shared/unprocessable.ts';
import {
  account,
  budgetOf,
  clientsOf,
  makeTopic,
  pullAll,
  punctual,
  setBilling,
} from '../deploy/local/cloud/billing/kit.ts';
import { quick, setCompute, zone } from '../deploy/local/cloud/compute/kit.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { budgetId, dyingAt, notification, oneMachine, openGuard, startChat } from './guardKit.ts';

const cloud = useLocalCloud();
let guard: Awaited<ReturnType<typeof openGuard>>;
const minute = 60_000;
const start = Date.parse('2026-11-20T12:00:00Z');

beforeAll(async () => {
  process.env.GAZELINE_BUDGETS = budgetId;
  guard = await openGuard(cloud);
  await setCompute(cloud, { ...quick, shutdown: 3000 });
});
beforeEach(async () => {
  guard.clock.now = start;
  Object.assign(guard.detaching, { isOn: false, allowed: [] });
  guard.webhook.url = undefined;
  guard.log.entries.length = 0;
  await forgetRequests(cloud);
});
afterEach(async () => {
  await setFaults(cloud);
  await guard.forget();
});

const updates = async () =>
  (await requestsAt(cloud, 'billing')).flatMap(({ method, detail }) =>
    method === 'PUT' ? [(detail as { body: string }).body] : [],
  );
const labels = (labels: Record<string, string>) => ({ labels });

/** As Pub/Sub sends it to the function. */
async function push(data: string, attributes: Record<string, string>, id: string) {
  const message = {
    messageId: id,
    data: Buffer.from(data).toString('base64'),
    attributes,
    publishTime: new Date().toISOString(),
  };
  const body = Buffer.from(JSON.stringify({ message, subscription: 's' }));
  const request = { method: 'POST', path: '/', headers: {}, body };
  return functions['budget-guard'].handle(request, { name: 'budget-guard', logOf: () => guard.log });
}

test('24. right message, right month, once: what the local Billing says goes through the function, and raises the level', async () => {
  const topic = await makeTopic(cloud, 'budget-said');
  await setBilling(cloud, 'settings', punctual);
  const { data } = await clientsOf(cloud).budgets.create({
    parent: account,
    requestBody: budgetOf(100, topic),
  });
  await setBilling(cloud, 'spend', { amount: 115 });
  await setBilling(cloud, 'clock', { advance: 3600 });
  await guard.start('a');
  const [said] = await pullAll(cloud, 'budget-said');
  const id = data.name?.split('/').at(-1) ?? '';
  const text = JSON.stringify(said?.data);
  // Its budget is not the one on the list of this lab: what is said of it is acknowledged, and kept.
  expect(await push(text, said?.attributes ?? {}, 'not-ours')).toEqual({ status: 204 });
  expect(await guard.guard()).toBeUndefined();
  expect(await push(text, { ...said?.attributes, budgetId }, 'ours')).toEqual({ status: 204 });
  expect(await guard.guard()).toMatchObject({ level: 'stop-all', period: periodAt(Date.now(), 'month') });
  expect(await guard.statusOf('a')).toBe('TERMINATED');
  expect((await guard.notices()).map(({ kind }) => kind)).toEqual(['raised', 'done']);
  const problems = await Array.fromAsync(listProblems(guard.records));
  expect(problems).toEqual([
    expect.objectContaining({
      event: 'not-ours',
      reason: expect.stringContaining(`“${id}” is not on the list`),
    }),
  ]);
});

test.each([
  ['garbage', 'garbage'],
  ['JSON of something else', '[1, 2]'],
  ['nothing', ''],
  ['an estimate that is none', '{"estimate":{"cost":"much"}}'],
  ['a notification without its attributes', JSON.stringify(notification(95).data)],
])('24. right message, right month, once: %s is acknowledged and kept', async (what, text) => {
  expect(await push(text, {}, what)).toEqual({ status: 204 });
  expect(await guard.guard()).toBeUndefined();
  expect(await Array.fromAsync(listProblems(guard.records))).toHaveLength(1);
});

test('24. right message, right month, once: duplicates, and 80 % after 110 %, cause no second action and no downgrade', async () => {
  await guard.start('a');
  await guard.deliver(notification(110));
  for (const cost of [110, 80, 110, 110]) await guard.deliver(notification(cost));
  expect(await guard.stops()).toEqual([expect.objectContaining({ name: 'a' })]);
  expect((await guard.guard()).level).toBe('stop-all');
  expect((await guard.notices()).map(({ kind, level }) => `${kind} ${level}`)).toEqual([
    'raised stop-all',
    'done stop-all',
  ]);
  // What somebody starts by hand is not stopped by a message that only comes again.
  await guard.start('b');
  await guard.deliver(notification(110));
  expect(await guard.statusOf('b')).toBe('RUNNING');
});

test('24. right message, right month, once: at the edge of the month, all latches are reset, and the old one is over', async () => {
  await guard.start('a');
  guard.clock.now = Date.parse('2026-12-01T07:59:59Z');
  await guard.deliver(notification(105));
  expect((await guard.guard()).level).toBe('stop-idle');
  expect((await isOpenForWork(guard.records, guard.clock.now)).isOpen).toBe(false);
  guard.clock.now = Date.parse('2026-12-01T08:00:00Z');
  // Nothing is heard of the new month yet, and it is open already.
  expect((await isOpenForWork(guard.records, guard.clock.now)).isOpen).toBe(true);
  await guard.deliver(notification(150));
  expect(await guard.stops()).toEqual([]);
  await guard.deliver(notification(3, { costIntervalStart: '2026-12-01T08:00:00Z' }));
  await guard.deliver(notification(150));
  expect(await guard.guard()).toMatchObject({
    level: 'open',
    period: { start: '2026-12-01T08:00:00.000Z', end: '2027-01-01T08:00:00.000Z' },
    steps: [],
  });
  await guard.deliver(notification(92, { costIntervalStart: '2026-12-01T08:00:00Z' }));
  expect((await guard.guard()).level).toBe('no-new-work');
});

test('24. right message, right month, once: it goes by the ratio where no threshold is named, and a forecast only warns', async () => {
  await guard.deliver(notification(10, { forecastThresholdExceeded: 5 }));
  expect((await guard.guard()).level).toBe('warned');
  await guard.deliver(notification(101, { alertThresholdExceeded: undefined }));
  expect((await guard.guard()).level).toBe('stop-idle');
});

test('24. right message, right month, once: after credits nothing starts again until a person says so, and that holds', async () => {
  await guard.deliver(notification(95));
  await guard.deliver(notification(20));
  expect((await isOpenForWork(guard.records, start)).isOpen).toBe(false);
  const change = { to: 'warned' as const, by: 'ada@lab.org', why: 'the credits have come' };
  expect(await releaseGuard(guard.records, change, start)).toMatchObject({ level: 'warned' });
  expect(await releaseGuard(guard.records, change, start)).toBeUndefined();
  for (const cost of [95, 20, 99]) await guard.deliver(notification(cost));
  expect(await isOpenForWork(guard.records, start)).toEqual({ isOpen: true });
  await guard.deliver(notification(100.5));
  expect((await guard.guard()).level).toBe('stop-idle');
});

test('24. right message, right month, once: while the store is down it throws, and what comes again is done', async () => {
  await guard.start('a');
  await setFaults(cloud, { service: 'storage', kind: 'status', status: 403, path: 'budget/guard' });
  await expect(guard.deliver(notification(110))).rejects.toThrow();
  expect(await guard.stops()).toEqual([]);
  await setFaults(cloud);
  await guard.deliver(notification(110));
  expect(await guard.statusOf('a')).toBe('TERMINATED');
});

test('25. ladder with brakes: from a warning to the last machine, each told and written down', async () => {
  await guard.start('a');
  const seen: string[] = [];
  for (const cost of [10, 55, 91, 100, 110]) {
    await guard.deliver(notification(cost));
    seen.push(`${(await guard.guard()).level} ${await guard.statusOf('a')}`);
  }
  expect(seen).toEqual([
    'open RUNNING',
    'warned RUNNING',
    'no-new-work RUNNING',
    'stop-idle RUNNING',
    'stop-all TERMINATED',
  ]);
  const { steps, busy } = await guard.guard();
  expect(busy).toBeUndefined();
  expect(steps).toEqual(
    ['warned', 'no-new-work', 'stop-idle', 'stop-all'].map((level) =>
      expect.objectContaining({
        level,
        startedAt: expect.any(String),
        doneAt: expect.any(String),
        announcedAt: expect.any(String),
        complete: true,
        results: level === 'stop-all' ? [{ what: `${zone}/a`, outcome: 'stopped' }] : [],
      }),
    ),
  );
  const notices = await guard.notices();
  expect(notices.map(({ level, kind }) => `${kind} ${level}`)).toEqual([
    ...['raised warned', 'raised no-new-work', 'raised stop-idle', 'raised stop-all', 'done stop-all'],
  ]);
  expect(notices[1]?.words).toBe(
    `Budget guard of ${cloud.project}: no-new-work. 91 % of the budget is spent: 91.00 USD billed. ` +
      'No new jobs are started. A new period begins on 2026-12-01T08:00:00.000Z; a person can release it before.',
  );
  expect(notices.at(-1)?.words).toBe(`Budget guard of ${cloud.project}, stop-all: 1 stopped.`);
});

test('25. ladder with brakes: a job has time to save a checkpoint before its machine is off', async () => {
  const script = "trap 'sleep 0.3; echo saved > checkpoint; exit' TERM; touch ready; sleep 100 & wait";
  await guard.start('job', labels({ 'gazeline-job': 'fit-0a1b2c3d' }), script);
  const file = (name: string) => readFile(join(cloud.dir, 'machines', zone, 'job', name), 'utf8');
  for (let i = 0; i < 100 && (await file('ready').catch(() => undefined)) === undefined; i++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await guard.deliver(notification(110));
  expect(await file('checkpoint')).toBe('saved\n');
  expect(await guard.statusOf('job')).toBe('TERMINATED');
});

test('25. ladder with brakes: one machine’s failure does not stop the rest, and it is tried again', async () => {
  for (const name of ['a', 'b', 'c']) await guard.start(name);
  await setFaults(cloud, { service: 'compute', kind: 'permissionDenied', path: 'instances/b/stop' });
  await guard.deliver(notification(115));
  expect(await Promise.all(['a', 'b', 'c'].map(guard.statusOf))).toEqual([
    'TERMINATED',
    'RUNNING',
    'TERMINATED',
  ]);
  const { steps } = await guard.guard();
  expect(steps.at(-1)).toMatchObject({
    complete: false,
    results: expect.arrayContaining([
      { what: `${zone}/b`, outcome: 'failed', words: expect.stringContaining('compute.instances.stop') },
    ]),
  });
  await setFaults(cloud);
  await guard.deliver(notification(115));
  expect(await guard.statusOf('b')).toBe('TERMINATED');
  expect((await guard.stops()).map(({ name }) => name).sort()).toEqual(['a', 'b', 'b', 'c']);
  expect((await guard.guard()).steps.at(-1)).toMatchObject({ complete: true });
});

test('25. ladder with brakes: a zone that does not answer is not called done, and looked at again', async () => {
  await guard.start('a');
  await setCompute(cloud, { ...quick, unreachableZones: [zone] });
  await guard.deliver(notification(115));
  expect((await guard.guard()).steps.at(-1)).toMatchObject({
    complete: false,
    results: [{ what: zone, outcome: 'failed', words: expect.stringContaining('not known') }],
  });
  await setCompute(cloud, { ...quick, shutdown: 3000 });
  await guard.deliver(notification(115));
  expect(await guard.statusOf('a')).toBe('TERMINATED');
});

test('25. ladder with brakes: what is protected runs on, until the day is over, and it is said why', async () => {
  await guard.start('kept', labels({ 'gazeline-protect': 'yes' }));
  await guard.start('dated', labels({ 'gazeline-protect': 'yes', 'gazeline-protect-until': '2026-11-20' }));
  await guard.start('past', labels({ 'gazeline-protect': 'yes', 'gazeline-protect-until': '2026-11-18' }));
  await guard.start('twin', labels({ 'gazeline-protected': 'yes' }));
  await guard.start('grouped', {
    metadata: {
      items: [
        { key: 'created-by', value: `projects/1/zones/${zone}/instanceGroupManagers/group` },
        { key: 'startup-script', value: 'sleep 100' },
      ],
    },
  });
  await guard.deliver(notification(115));
  expect((await guard.stops()).map(({ name }) => name).sort()).toEqual(['past', 'twin']);
  const { steps } = await guard.guard();
  const left = steps.at(-1)?.results.filter(({ outcome }) => outcome === 'left');
  expect(Object.fromEntries(left?.map(({ what, words }) => [what.split('/')[1], words]) ?? [])).toEqual({
    kept: 'it is labelled gazeline-protect',
    dated: 'it is protected until 2026-11-20',
    grouped: 'it belongs to the group group, which would make it anew; resize the group to 0',
  });
});

test('25. ladder with brakes: what is on Local SSDs is lost only by a setting, which is always sent, or if it is a job’s', async () => {
  const disks = (boot: string) => [
    {
      boot: true,
      autoDelete: true,
      initializeParams: {
        diskName: boot,
        sourceImage: 'projects/debian-cloud/global/images/family/debian-12',
      },
    },
    {
      type: 'SCRATCH',
      autoDelete: true,
      initializeParams: { diskType: `zones/${zone}/diskTypes/local-ssd` },
    },
  ];
  const machineType = `zones/${zone}/machineTypes/n1-standard-4`;
  await guard.start('fast', { machineType, disks: disks('fast') });
  await guard.start('job', {
    machineType,
    disks: disks('job'),
    ...labels({ 'gazeline-job': 'fit-0a1b2c3d' }),
  });
  await guard.deliver(notification(115));
  const stops = await guard.stops();
  expect(stops.find(({ name }) => name === 'fast')?.query).toContain('discardLocalSsd=false');
  expect(stops.find(({ name }) => name === 'job')?.query).toContain('discardLocalSsd=true');
});

test('25. ladder with brakes: the live estimate raises the level before the message comes, and stands beside it', async () => {
  await guard.start('a');
  await guard.deliver(notification(30));
  await guard.estimate(112);
  expect(await guard.guard()).toMatchObject({
    level: 'stop-all',
    reason: '112 % of the budget is spent: 112.00 USD estimated, by what ran and list prices',
    budgets: { [budgetId]: { amount: 100, billed: { cost: 30 } } },
    estimate: { cost: 112 },
  });
  expect(await guard.statusOf('a')).toBe('TERMINATED');
  // And it keeps the level: what somebody starts by hand is stopped, unless they protect or release it.
  await guard.start('b');
  guard.clock.now += 5 * minute;
  await guard.estimate(112.1);
  expect(await guard.statusOf('b')).toBe('TERMINATED');
  await releaseGuard(guard.records, { to: 'warned', by: 'ada', why: 'a deadline' }, guard.clock.now);
  await guard.start('c');
  guard.clock.now += 5 * minute;
  await guard.estimate(113);
  expect(await guard.statusOf('c')).toBe('RUNNING');
});

test('25. ladder with brakes: who dies at any step is followed by one who goes on where it was', async () => {
  const deaths = { before: 0, after: 0 };
  for (const when of ['before', 'after'] as const)
    for (let hasDied = true; hasDied; ) {
      await guard.forget();
      const { service, stops } = oneMachine();
      const { records, actions, log, now } = guard.dependencies();
      const stopThis: typeof actions.stopAll = (isWanted) =>
        stopAll(isWanted, { services: [service], discardLocalSsd: false, log, now });
      const real = { records, actions: { ...actions, stopAll: stopThis } };
      const dying = dyingAt(++deaths[when], when, real);
      await guard.deliver(notification(110), dying).catch(() => {});
      const done = (await guard.guard())?.steps.filter(({ doneAt }) => doneAt) ?? [];
      // The lease of the dead one has to end first.
      guard.clock.now += minute;
      await guard.deliver(notification(110), real);
      const { level, steps } = await guard.guard();
      expect({ level, done: steps.filter(({ doneAt }) => doneAt).length }).toEqual({
        level: 'stop-all',
        done: 4,
      });
      // What was done and written down is not done again.
      for (const one of done) expect(steps.find((step) => step.level === one.level)?.doneAt).toBe(one.doneAt);
      expect(stops).toEqual(['a']);
      expect((await guard.notices()).map(({ kind }) => kind)).toContain('raised');
      hasDied = dying.hasDied();
    }
  expect(Math.min(deaths.before, deaths.after)).toBeGreaterThan(20);
});

test('25. ladder with brakes: two at once are one, and the other comes again', async () => {
  await guard.start('a');
  const { actions } = guard.dependencies();
  const stopAll: typeof actions.stopAll = async (isWanted) => {
    await expect(guard.deliver(notification(111))).rejects.toThrow(NotYet);
    return actions.stopAll(isWanted);
  };
  await guard.deliver(notification(110), { actions: { ...actions, stopAll } });
  await guard.deliver(notification(111));
  expect(await guard.stops()).toHaveLength(1);
  expect(await guard.notices()).toHaveLength(2);
});

test('25. ladder with brakes: who was so slow that another has taken over does nothing more', async () => {
  const { actions } = guard.dependencies();
  const calls: string[] = [];
  const acts = (who: string, stopIdle: () => Promise<unknown>): typeof actions => ({
    ...actions,
    async stopIdle() {
      calls.push(`${who} stop-idle`);
      await stopIdle();
      return { results: [], complete: true };
    },
    async stopAll() {
      calls.push(`${who} stop-all`);
      return { results: [], complete: true };
    },
  });
  const hasBegun = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  let other: Promise<void> | undefined;
  await guard.deliver(notification(110), {
    actions: acts('first', async () => {
      guard.clock.now += 2 * minute;
      const waits = async () => {
        hasBegun.resolve();
        await goesOn.promise;
      };
      other = guard.deliver(notification(110), { actions: acts('second', waits) });
      await hasBegun.promise;
    }),
  });
  expect(calls).toEqual(['first stop-idle', 'second stop-idle']);
  goesOn.resolve();
  await other;
  expect(calls).toEqual(['first stop-idle', 'second stop-idle', 'second stop-all']);
  const { level, busy } = await guard.guard();
  expect({ level, busy }).toEqual({ level: 'stop-all', busy: undefined });
});

test('25. ladder with brakes: a person who changes their mind while machines are stopped is heard', async () => {
  await guard.start('a');
  const { actions } = guard.dependencies();
  const stopAll: typeof actions.stopAll = async (isWanted) => {
    await releaseGuard(guard.records, { to: 'open', by: 'ada', why: 'not now' }, start);
    return actions.stopAll(isWanted);
  };
  await guard.deliver(notification(110), { actions: { ...actions, stopAll } });
  expect(await guard.stops()).toEqual([]);
  expect(await guard.guard()).toMatchObject({ level: 'open', steps: [] });
});

test('25. ladder with brakes: a person can raise it, and it is done', async () => {
  await guard.start('a');
  await makeTopic(cloud, 'budget-notified');
  const change = { to: 'stop-all' as const, by: 'ada', why: 'holidays' };
  const raised = await raiseGuard({ ...guard, periodKind: 'month' }, change, start);
  expect(raised).toMatchObject({ level: 'stop-all', reason: 'holidays' });
  const [message] = await pullAll(cloud, 'budget-notified');
  await guard.deliver(message as never);
  expect(await guard.statusOf('a')).toBe('TERMINATED');
});

test('25. ladder with brakes: nothing is detached unless two settings and a list say so', async () => {
  await guard.deliver(notification(5000));
  expect((await guard.guard()).level).toBe('stop-all');
  guard.detaching.isOn = true;
  await guard.deliver(notification(5000));
  guard.clock.now += 31 * minute;
  await guard.deliver(notification(5000));
  expect((await guard.guard()).steps.at(-1)).toMatchObject({
    level: 'detached',
    results: [{ what: `project ${cloud.project}`, outcome: 'left' }],
  });
  expect(await updates()).toEqual([]);
});

test('25. ladder with brakes: it is rehearsed, then detached by a fresh message, with an empty name on the wire', async () => {
  Object.assign(guard.detaching, { isOn: true, allowed: [cloud.project] });
  await guard.estimate(5000, { amount: 100 });
  expect((await guard.guard()).level).toBe('stop-all');
  await guard.deliver(notification(200));
  expect((await guard.guard()).steps.at(-1)).toMatchObject({
    rehearsedAt: expect.any(String),
    results: [{ outcome: 'rehearsed', words: `it would be taken from ${account}` }],
  });
  await guard.deliver(notification(200));
  guard.clock.now += 31 * minute;
  // Not by an estimate, not by a message of yesterday, and not where the cost has fallen.
  await guard.estimate(5000);
  await guard.deliver(notification(200), {}, new Date(guard.clock.now - 2 * 60 * minute).toISOString());
  await guard.deliver(notification(150));
  expect(await updates()).toEqual([]);
  await guard.deliver(notification(201));
  await guard.deliver(notification(201));
  expect(await updates()).toEqual(['{"billingAccountName":""}']);
  const { data } = await clientsOf(cloud).billing.projects.getBillingInfo({
    name: `projects/${cloud.project}`,
  });
  expect(data.billingEnabled).toBe(false);
  expect((await guard.guard()).steps.at(-1)).toMatchObject({
    complete: true,
    results: [{ outcome: 'detached' }],
  });
});

test('a chat is told once, in its own form, and one that hangs or is down keeps nothing', async () => {
  for (const answer of [200, 500, 'hang'] as const) {
    await guard.forget();
    const chat = await startChat(() => answer);
    guard.webhook.url = chat.url;
    await guard.deliver(notification(110));
    expect(chat.texts).toEqual([
      expect.stringMatching(/^Budget guard of .*: stop-all\. 110 % of the budget is spent/),
    ]);
    expect((await guard.guard()).steps.at(-1)).toMatchObject({ complete: true });
    expect(await guard.notices()).toHaveLength(1);
    chat.close();
  }
  expect(JSON.stringify(guard.log.entries)).not.toContain('secret');
});

test('that nobody could be told keeps nothing from being stopped, and they are told later', async () => {
  await guard.start('a');
  await setFaults(cloud, { service: 'pubsub', kind: 'status', status: 403, path: 'guard-notices' });
  await expect(guard.deliver(notification(110))).rejects.toThrow();
  expect(await guard.statusOf('a')).toBe('TERMINATED');
  await setFaults(cloud);
  await guard.deliver(notification(110));
  expect((await guard.notices()).map(({ kind }) => kind)).toEqual(['raised']);
});

test('an estimate in another currency is not held against the budget', async () => {
  await guard.deliver(notification(10));
  await expect(guard.estimate(500, {}, { currency: 'EUR' } satisfies Partial<Figure>)).rejects.toThrow(
    Unprocessable,
  );
});
