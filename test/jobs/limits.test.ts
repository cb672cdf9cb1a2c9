import { beforeEach, expect, test } from '@jest/globals';
import { CostRecord, costRecordName } from '../../shared/budget/costRecord.ts';
import { periodAt } from '../../shared/budget/period.ts';
import { heldRecordName, type Limits } from '../../shared/jobs/limits.ts';
import { useLocalCloud } from '../localCloud.ts';
import { type Jobs, openJobs } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;

beforeEach(async () => {
  jobs ??= await openJobs(cloud);
  await jobs.clear();
});

const within = (limits: Limits) => ({ limits: { ...limits, periodKind: 'month' as const } });
/** An L4 machine in europe-west4, on demand, and its disk of 100 GB. */
const onDemand = { spot: 'never', accelerators: ['L4'] };
const priceOf = async (id: string) => (await jobs.read(id)).attempts[0]?.candidate?.price?.perHour ?? 0;
const stateOf = async (id: string) => (await jobs.read(id)).state;

/** What cost-tick has counted. */
async function counted(by: Record<string, number>, items: CostRecord['items'] = {}): Promise<void> {
  const at = new Date(jobs.now()).toISOString();
  const period = periodAt(jobs.now(), 'month');
  const empty = { kind: {}, job: {}, label: {} };
  await jobs.records.write(
    costRecordName,
    CostRecord.parse({
      ...{ period, since: period.start, asOf: at, total: 0, guessed: 0, by: { ...empty, owner: by } },
      ...{ days: {}, units: {}, items, unpriced: {}, unseen: [], ahead: 0 },
    }),
    '0',
  );
}

test('job limit per user reached in parallel submits: never more machines than that at once', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => jobs.submit(onDemand)));
  const other = await jobs.submit(onDemand, { owner: 'you@lab.org' });
  const limits = within({ mostMachinesPerPerson: 2 });
  await Promise.all([...ids, other].map((id) => jobs.start(id, limits)));
  const states = await Promise.all(ids.map(stateOf));
  expect(states.toSorted()).toEqual([...Array(2).fill('starting'), ...Array(4).fill('waiting-for-capacity')]);
  expect(await stateOf(other)).toBe('starting');
  expect(await jobs.machines()).toHaveLength(3);
  expect(await jobs.inserts()).toHaveLength(3);
  const waiting = await jobs.read(ids[states.indexOf('waiting-for-capacity')] ?? '');
  expect(waiting.reason).toBe(
    'me@lab.org has 2 machines already, and 2 at once is the most; this waits until one has ended',
  );
  // It does not wait for want of a machine.
  expect(waiting.waitingSince).toBeUndefined();
});

test('what waits for room starts when a machine has ended, and not before', async () => {
  const limits = within({ mostMachinesPerPerson: 1 });
  const first = await jobs.submit(onDemand);
  const second = await jobs.submit(onDemand);
  await jobs.deliver(limits);
  expect([await stateOf(first), await stateOf(second)]).toEqual(['starting', 'waiting-for-capacity']);
  jobs.clock.ahead += 5 * 60_000;
  await jobs.start(second, limits);
  expect(await stateOf(second)).toBe('waiting-for-capacity');
  await jobs.cancel(first);
  await jobs.deliver(limits);
  expect(await stateOf(first)).toBe('cancelled');
  jobs.clock.ahead += 5 * 60_000;
  await jobs.start(second, limits);
  expect(await stateOf(second)).toBe('starting');
});

test('a cap on the burn of an hour holds for parallel submits of different people, notebooks included', async () => {
  const first = await jobs.submit(onDemand);
  await jobs.deliver();
  const price = await priceOf(first);
  await jobs.clear();
  const at = new Date(jobs.now()).toISOString();
  const notebook = { kind: 'machine' as const, zone: 'z', name: 'n', words: '', labels: {}, perHour: price };
  await counted({}, { n: { ...notebook, from: at, until: at, state: 'running' } });
  const ids = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => jobs.submit(onDemand, { owner })));
  const limits = within({ mostPerHour: 3.5 * price });
  await Promise.all(ids.map((id) => jobs.start(id, limits)));
  expect((await Promise.all(ids.map(stateOf))).toSorted()).toEqual([
    ...Array(2).fill('starting'),
    ...Array(2).fill('waiting-for-capacity'),
  ]);
  expect(await jobs.machines()).toHaveLength(2);
  const reasons = await Promise.all(ids.map(async (id) => (await jobs.read(id)).reason));
  expect(reasons).toContainEqual(
    expect.stringMatching(/an hour are being spent, and with .* that the lab allows/),
  );
});

test('a machine that alone would be more than the lab allows is never asked for, and a cheaper one of the list is', async () => {
  const dear = await jobs.submit({ spot: 'never', accelerators: ['A100:8'] });
  const either = await jobs.submit({ spot: 'never', accelerators: ['A100:8', 'cpu'] });
  await jobs.deliver(within({ mostPerHour: 5 }));
  expect(await jobs.read(dear)).toMatchObject({
    state: 'refused',
    reason: expect.stringMatching(
      /^the cheapest machine costs \$\d+\.\d\d an hour, and the lab allows \$5\.00/,
    ),
  });
  expect((await jobs.read(either)).attempts[0]?.candidate?.accelerator).toMatch(/^cpu/);
});

test('what one person may spend in a period counts what is spent, what runs, and what this may cost at most', async () => {
  const first = await jobs.submit({ ...onDemand, limits: { hours: 2 } });
  await jobs.deliver();
  const most = 2 * (await priceOf(first));
  await jobs.clear();
  await counted({ 'me-lab-org': 10 });
  const limits = within({ mostPerPerson: 10 + 1.5 * most });
  const ids = await Promise.all([1, 2].map(() => jobs.submit({ ...onDemand, limits: { hours: 2 } })));
  const tooLong = await jobs.submit({ ...onDemand, limits: { hours: 4 } });
  const yours = await jobs.submit({ ...onDemand, limits: { hours: 2 } }, { owner: 'you@lab.org' });
  await Promise.all([...ids, tooLong, yours].map((id) => jobs.start(id, limits)));
  expect((await Promise.all(ids.map(stateOf))).toSorted()).toEqual(['starting', 'waiting-for-capacity']);
  expect(await stateOf(yours)).toBe('starting');
  expect(await jobs.read(tooLong)).toMatchObject({
    state: 'refused',
    reason: expect.stringMatching(
      /^me@lab\.org has spent \$10\.00 in this period; what runs may cost .* is the most for one person before \d{4}-/,
    ),
  });
});

test('what is held is let go after many jobs, though there was room for all of them', async () => {
  const over = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [
      `gone-${index}`,
      { owner: 'you', at: '2026-01-01T00:00:00.000Z', until: '2026-01-02T00:00:00.000Z' },
    ]),
  );
  await jobs.records.write(heldRecordName, over, '0');
  const id = await jobs.submit(onDemand);
  await jobs.deliver(within({ mostMachinesPerPerson: 1 }));
  expect(await stateOf(id)).toBe('starting');
  const [held] = await jobs.storage.bucket('state').file(heldRecordName).download();
  expect(Object.keys(JSON.parse(held.toString()))).toEqual([id]);
});

test('without limits, nothing is held and nothing is written', async () => {
  await jobs.submit(onDemand);
  await jobs.deliver(within({}));
  expect(await Array.fromAsync(jobs.records.list('budget/'))).toEqual([]);
});
