import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type JobStartDependencies, jobStart } from '../../functions/job-start.ts';
import { releaseGuard } from '../../shared/budget/changeGuard.ts';
import { hear } from '../../shared/budget/guard.ts';
import { guardRecordName } from '../../shared/budget/guardRecord.ts';
import { Thresholds } from '../../shared/budget/levels.ts';
import { periodAt } from '../../shared/budget/period.ts';
import { clients } from '../../shared/clients.ts';
import type { JobEvent } from '../../shared/jobs/advance.ts';
import { changeJob, readJobRecord } from '../../shared/jobs/changeJob.ts';
import { parseJob } from '../../shared/jobs/parseJob.ts';
import { submitJob } from '../../shared/jobs/submitJob.ts';
import { candidatesOf } from '../../shared/machines/candidates.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { rememberLog, rememberPublish } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

useLocalCloud();
let time = Date.parse('2026-11-20T12:00:00Z');
let dependencies: JobStartDependencies;
const asked: unknown[] = [];
const job = parseJob('{name: fit, repository: "https://h/r", command: c, accelerators: [cpu]}');

beforeAll(async () => {
  const storage = await clients.storage();
  for (const name of ['raw', 'state', 'derived']) await storage.createBucket(name);
  const now = () => time;
  dependencies = {
    raw: storage.bucket('raw'),
    records: recordsIn(storage, 'state'),
    publish: rememberPublish(),
    prices: priceTable(),
    regions: undefined,
    allowFile: false,
    deadline: Number.POSITIVE_INFINITY,
    random: Math.random,
    // Only that it is asked for one matters here.
    machines: async () => {
      asked.push('a machine');
      throw new Error('no machines in this test');
    },
    settings: {
      ...{ project: 'p', lab: 'gazeline', rawBucket: 'raw', derivedBucket: 'derived' },
      ...{ serviceAccount: 'm@p.iam', startupScript: '#!/bin/bash' },
    },
    patience: 1000,
    log: rememberLog(),
    now,
  } as JobStartDependencies;
  const period = periodAt(time, 'month');
  const figure = {
    kind: 'billed' as const,
    budgetId: 'b',
    name: '',
    period,
    cost: 95,
    amount: 100,
    currency: 'USD',
  };
  const record = hear(
    undefined,
    figure,
    { thresholds: Thresholds.parse({}), budgets: ['b'], amount: 100 },
    time,
  );
  await dependencies.records.write(guardRecordName, record, '0');
});
beforeEach(() => {
  asked.length = 0;
});

const submit = async (key: string) =>
  (await submitJob(dependencies.records, { job, key, owner: 'ada' }, new Date(time))).id;
const recordOf = (id: string) => readJobRecord(dependencies.records, id);

test('new work is refused with the reason and the date when that is over, and no machine is asked for', async () => {
  const id = await submit('new');
  await jobStart({ job: id }, dependencies);
  expect(await recordOf(id)).toMatchObject({
    state: 'refused',
    reason: expect.stringMatching(
      /^the budget guard is at no-new-work \(95 % of the budget is spent: 95\.00 USD billed\): no new work is started before 2026-12-01T08:00:00\.000Z/,
    ),
  });
  expect(asked).toEqual([]);
});

test('work that was begun waits, and goes on when a person has released it or the period is over', async () => {
  const id = await submit('begun');
  const [candidate] = candidatesOf(job, ['standard'], priceTable());
  if (!candidate) throw new Error('no candidate');
  const at = new Date(time).toISOString();
  const events: JobEvent[] = [
    { type: 'place', at },
    { type: 'asking', attempt: 1, candidate, requestId: 'r', at },
    { type: 'inserted', attempt: 1, candidate, insertedAt: at, endsAt: '2026-11-21T12:00:00.000Z', at },
    { type: 'gone', attempt: 1, cause: 'preempted', reason: 'taken away', at },
    { type: 'released', attempt: 1, at },
  ];
  for (const event of events) await changeJob(dependencies.records, id, event);
  await jobStart({ job: id }, dependencies);
  const held = await recordOf(id);
  expect(held).toMatchObject({
    state: 'waiting-for-capacity',
    retryAt: '2026-11-20T18:00:00.000Z',
    reason: expect.stringContaining('the budget guard is at no-new-work'),
  });
  // It does not wait for a machine: when it may go on, it has all the time for that.
  expect(held?.waitingSince).toBeUndefined();
  expect(asked).toEqual([]);

  await releaseGuard(dependencies.records, { to: 'open', by: 'ada', why: 'there is money' }, time);
  time = Date.parse(held?.retryAt ?? '');
  await expect(jobStart({ job: id }, dependencies)).rejects.toThrow('no machines in this test');
  expect(asked).toEqual(['a machine']);
});
