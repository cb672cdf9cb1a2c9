import { userInfo } from 'node:os';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { accrue } from '../../shared/budget/accrue.ts';
import { raiseGuard } from '../../shared/budget/changeGuard.ts';
import { type CostRecord, costRecordName } from '../../shared/budget/costRecord.ts';
import { hear } from '../../shared/budget/guard.ts';
import { GuardRecord, guardRecordName } from '../../shared/budget/guardRecord.ts';
import { Thresholds } from '../../shared/budget/levels.ts';
import { periodAt } from '../../shared/budget/period.ts';
import type { Running } from '../../shared/budget/running.ts';
import { reconcile } from '../../shared/budget/spending.ts';
import { clients } from '../../shared/clients.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { makeTopic, pullAll } from '../deploy/local/cloud/billing/kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { gazeline } from './gazeline.ts';

const cloud = useLocalCloud();
let records: Records;
const hour = 3_600_000;
const me = userInfo().username;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state');
  await makeTopic(cloud, 'budget-notified');
});
afterEach(async () => {
  for await (const name of records.list('')) await records.remove(name);
});

const running = (name: string, from: number, more: Partial<Running> = {}): Running => ({
  key: `z/${name}`,
  kind: 'machine',
  zone: 'z',
  name,
  words: 'g2-standard-8',
  labels: {},
  perHour: 1,
  from: new Date(from).toISOString(),
  ...more,
});

/** Two hours of a notebook and of a job, a machine without a price, and a bill. */
async function spend(change: (record: CostRecord) => CostRecord = (record) => record): Promise<void> {
  const now = Date.now();
  // In the period, whatever day it is.
  const from = Math.max(now - 2 * hour, Date.parse(periodAt(now, 'month').start));
  const labels = { 'gazeline-owner': 'ada', 'gazeline-job': 'fit-0a1b2c3d' };
  const { perHour: _, ...unpriced } = running('odd', from, { words: 'x9-huge' });
  const look = {
    at: now,
    running: [running('note\u001b[31m', from), running('fit', from, { labels, perHour: 4 }), unpriced],
    wasSeen: () => true,
    unseen: [],
    ends: {},
  };
  await records.write(
    costRecordName,
    change({ ...accrue(undefined, look, 'month'), prices: '2025-03-06' }),
    '0',
  );
}

async function guardAt(cost: number): Promise<void> {
  const period = periodAt(Date.now(), 'month');
  const figure = {
    kind: 'billed' as const,
    budgetId: 'b',
    name: 'The lab',
    period,
    cost,
    amount: 100,
    currency: 'USD',
  };
  const settings = { thresholds: Thresholds.parse({}), budgets: ['b'], amount: 100 };
  await records.write(guardRecordName, hear(undefined, figure, settings, Date.now()), '0');
}
const guard = async () => (await records.read(guardRecordName, GuardRecord))?.value;

test('cost tells what is spent now, today and in the period, by whom and what, and what would be saved', async () => {
  await guardAt(60);
  await spend((record) => reconcile(record, { cost: 60, heardAt: new Date().toISOString() }));
  const { code, out, err } = await gazeline(['cost'], {
    env: { GAZELINE_BUDGETS: 'b', GAZELINE_CREDIT_LEFT: '300' },
  });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(
    /^What is spent, by what runs and list prices of 2025-03-06, as of (just now|[\d.]+ s ago)\n/,
  );
  expect(out).toMatch(/\n {2}now +\$5\.00 an hour, \$120\.00 a day\n/);
  expect(out).toMatch(/\n {2}this period \$10\.00 since /);
  expect(out).toMatch(
    /\n {2}billed +\$60\.00 by Google, heard (just now|[\d.]+ s ago): \$50\.00 more than what was counted then/,
  );
  expect(out).toMatch(/\n {2}estimate +\$60\.00: what was billed, and what is counted since\n/);
  expect(out).toMatch(
    /\n {2}budget +\$100\.00, of which (59\.9|60) % is spent and \$40\.00 is left; at this rate it lasts 8 hours; the guard is at warned\n/,
  );
  expect(out).toMatch(
    /\n {2}credit +(at most )?\$290\.00 is left; at this rate it ends by being spent, in 2 days\n/,
  );
  expect(out).toMatch(/\nBy whom\n +\$8\.00 {2}ada\n +\$2\.00 {2}nobody’s name is on it\n/);
  expect(out).toMatch(/\nBy job\n +\$8\.00 {2}fit-0a1b2c3d\n +\$2\.00 {2}no job\n/);
  expect(out).toMatch(/npx gazeline job cancel fit-0a1b2c3d/);
  expect(out).toMatch(/gcloud compute instances stop note.* --zone z/);
  expect(out).toMatch(/\nNot known\n {2}machine: x9-huge, for 2 hours: its price is not known\n/);
  expect(out).toMatch(/\nNot counted: network traffic/);
  expect(out).toMatch(/This is a local cloud: nothing is really paid\.\n$/);
  expect(out).not.toContain('\u001b');
});

test('the same for programs', async () => {
  await spend();
  const { code, out } = await gazeline(['cost', '--json'], { env: { GAZELINE_BUDGET_AMOUNT: '50' } });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    spending: {
      perHour: 5,
      counted: expect.closeTo(10, 6),
      estimate: expect.closeTo(10, 6),
      unknown: [expect.stringContaining('x9-huge')],
    },
    budget: { amount: 50, left: expect.closeTo(40, 6), days: expect.closeTo(1 / 3, 6), level: 'open' },
    savings: [{ perHour: 4 }, { perHour: 1 }],
    isLocal: true,
  });
});

test('when nobody has looked for a while, that is said', async () => {
  await spend((record) => ({ ...record, asOf: new Date(Date.now() - hour).toISOString() }));
  const { code, out } = await gazeline(['cost']);
  expect(code).toBe(0);
  expect(out).toMatch(
    /, as of 1 hour ago\n {2}It is to be looked at every five minutes: cost-tick does not run/,
  );
});

test('before anything is counted, it says so, and nothing is zero', async () => {
  expect(await gazeline(['cost'])).toEqual({
    code: 2,
    out: '',
    err: 'Nothing is counted yet. cost-tick looks every five minutes: try again a little later.\n',
  });
});

test('guard show tells the level and why, the budgets, what was done, and who has changed it', async () => {
  expect(await gazeline(['guard', 'show'])).toMatchObject({
    code: 0,
    out: 'open: nothing was heard of a budget yet.\n',
  });
  await guardAt(95);
  const { code, out } = await gazeline(['guard', 'show']);
  expect(code).toBe(0);
  expect(out).toMatch(/^no-new-work since .*: 95 % of the budget is spent: 95\.00 USD billed\n/);
  expect(out).toMatch(/\n {2}budget +The lab: 100\.00 USD; 95\.00 billed, heard (just now|[\d.]+ s ago)\n/);
  expect(out).toMatch(/\nWhat was done\n {2}warned +not begun\n {2}no-new-work +not begun\n/);
  expect(out).toMatch(/\nHistory\n.* no-new-work +95 % of the budget is spent/);
  const json = JSON.parse((await gazeline(['guard', 'show', '--json'])).out);
  expect(json).toMatchObject({ level: 'no-new-work', budgets: { b: { billed: { cost: 95 } } } });
});

test('guard release asks, keeps who and why, and says when it comes back', async () => {
  await guardAt(95);
  const refused = await gazeline(['guard', 'release', '--why', 'a paper is due']);
  expect(refused).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /^The guard is at no-new-work: .*\nThere is nobody to ask whether open is meant\./,
    ),
  });
  expect((await guard())?.level).toBe('no-new-work');
  const done = await gazeline(['guard', 'release', '--why', 'a paper is due', '--yes']);
  expect(done).toMatchObject({
    code: 0,
    out: '✓ The guard is at open. It comes back at 100 % of the budget.\n',
  });
  expect(await guard()).toMatchObject({
    level: 'open',
    released: { by: me, why: 'a paper is due', from: 'no-new-work', to: 'open' },
  });
  expect(await gazeline(['guard', 'release', '--why', 'again', '--yes'])).toMatchObject({
    code: 1,
    out: 'It is not above open: there is nothing to let down.\n',
  });
});

test('guard raise asks, keeps who and why, and lets the guard do what that asks for', async () => {
  await pullAll(cloud, 'budget-notified');
  const raised = await gazeline([
    'guard',
    'raise',
    'no-new-work',
    '--why',
    'the grant is used up',
    '--yes',
    '--json',
  ]);
  expect(raised).toMatchObject({ code: 0, err: 'no-new-work: No new jobs are started.\n' });
  expect(JSON.parse(raised.out)).toEqual({ level: 'no-new-work', isNews: true });
  expect(await guard()).toMatchObject({ level: 'no-new-work', reason: 'the grant is used up' });
  expect((await guard())?.history.at(-1)).toMatchObject({ by: me });
  expect((await pullAll(cloud, 'budget-notified')).map(({ data }) => data)).toEqual([{ check: {} }]);
  expect(await gazeline(['guard', 'raise', 'warned', '--why', 'w', '--yes'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('It is at no-new-work already'),
  });
});

test.each([
  [['raise', 'detached', '--why', 'w'], /Expected one of warned, no-new-work, stop-idle, stop-all/],
  [['raise', 'stop-all'], /required option '--why <text>' not specified/],
  [['raise', 'stop-all', '--why', ' '], /Say why/],
  [['release', '--why', 'w', '--to', 'shut'], /Allowed choices are open, warned/],
  [['relase'], /Did you mean release\?/],
])('guard %j is refused, and nothing is changed', async (args, reason) => {
  expect(await gazeline(['guard', ...args])).toMatchObject({ code: 2, err: expect.stringMatching(reason) });
  expect(await guard()).toBeUndefined();
});

test('what was raised by somebody else is shown with their name', async () => {
  const publish = async () => {};
  const change = { to: 'warned' as const, by: 'grace', why: 'to try it' };
  await raiseGuard({ records, publish, periodKind: 'month' }, change, Date.now());
  expect((await gazeline(['guard', 'show'])).out).toMatch(/ warned +grace: to try it\n/);
});

test('each has help with examples and exit codes', async () => {
  const all = [['cost'], ['guard', 'show'], ['guard', 'raise'], ['guard', 'release']];
  const ran = await Promise.all(all.map((args) => gazeline([...args, '--help'])));
  for (const { code, out } of ran)
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/Exit code: [\s\S]*Examples:\n {2}npx gazeline/),
    });
});
