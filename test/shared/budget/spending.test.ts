import { expect, test } from '@jest/globals';
import { accrue } from '../../../shared/budget/accrue.ts';
import { creditOf } from '../../../shared/budget/credit.ts';
import { runningOf } from '../../../shared/budget/running.ts';
import { savingsOf } from '../../../shared/budget/savings.ts';
import { reconcile, spendingOf } from '../../../shared/budget/spending.ts';
import { unitsIn } from '../../../shared/budget/unitPrices.ts';
import type { Machine } from '../../../shared/machines/machines.ts';
import { priceTable } from '../../../shared/machines/priceTable.ts';

const hour = 3_600_000;
const start = Date.parse('2026-11-20T12:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();
const zone = 'europe-west4-a';

const machine = (name: string, more: Partial<Machine> = {}): Machine => ({
  kind: 'vm',
  name,
  zone,
  status: 'RUNNING',
  labels: {},
  createdAt: iso(start - 100 * hour),
  startedAt: iso(start),
  hardware: { machineType: 'n1-standard-4', guestAccelerators: [], model: 'standard', localSsdGb: 0 },
  ...more,
});
const hardware = (machineType: string, more: Partial<NonNullable<Machine['hardware']>> = {}) => ({
  hardware: { machineType, guestAccelerators: [], model: 'standard' as const, localSsdGb: 0, ...more },
});
const disk = {
  name: 'd',
  zone,
  labels: {},
  users: ['m'],
  sizeGb: 730,
  type: 'pd-balanced',
  createdAt: iso(start),
};

const runningWith = (...machines: Machine[]) => runningOf({ machines, disks: [] }, priceTable());
const recordAt = (hours: number, ...machines: Machine[]) =>
  accrue(
    undefined,
    {
      at: start + hours * hour,
      running: runningWith(...machines),
      wasSeen: () => true,
      unseen: [],
      ends: {},
    },
    'month',
  );

test('a machine costs its vCPUs, its GPUs and its Local SSDs, as spot or not; a disk costs by itself', () => {
  const table = priceTable();
  const region = 'europe-west4';
  const [vcpu = 0, spot = 0] = table.vcpus['n1-standard']?.[region] ?? [];
  const [t4 = 0] = table.gpus.T4?.[region] ?? [];
  const [ssd = 0] = table.disks['local-ssd'][region] ?? [];
  const prices = runningWith(
    machine('plain'),
    machine('spot', hardware('n1-standard-4', { model: 'spot' })),
    machine('gpu', hardware('n1-standard-4', { guestAccelerators: [{ type: 'nvidia-tesla-t4', count: 2 }] })),
    machine('fast', hardware('n1-standard-4', { localSsdGb: 375 })),
  ).map(({ perHour }) => perHour);
  expect(prices).toEqual([
    expect.closeTo(4 * (vcpu ?? 0), 9),
    expect.closeTo(4 * (spot ?? 0), 9),
    expect.closeTo(4 * (vcpu ?? 0) + 2 * (t4 ?? 0), 9),
    expect.closeTo(4 * (vcpu ?? 0) + (375 / 730) * (ssd ?? 0), 9),
  ]);
  expect(runningOf({ machines: [], disks: [disk] }, table)).toEqual([
    expect.objectContaining({ kind: 'disk', perHour: table.disks['pd-balanced'][region], from: iso(start) }),
  ]);
});

test.each([
  [
    'a GPU that is not known',
    hardware('n1-standard-4', { guestAccelerators: [{ type: 'nvidia-x1', count: 1 }] }),
  ],
  ['a type with a GPU that it does not name', hardware('g2-standard-4')],
  ['a type that is not in the table', hardware('n2-custom-4-8192')],
  ['a machine of which nothing is said', { hardware: undefined as never }],
])('%s has no price, and is never free', (_, more) => {
  const spending = spendingOf(recordAt(3, machine('m', more)));
  expect(spending).toMatchObject({ perHour: 0, counted: 0 });
  expect(spending.unknown).toEqual([
    expect.stringMatching(/^machine: .*, for 3 hours: its price is not known$/),
  ]);
});

test.each([
  ['PROVISIONING', {}, 0],
  ['STAGING', {}, 0],
  ['RUNNING', {}, 1],
  ['STOPPING', {}, 1],
  ['PENDING_STOP', {}, 1],
  ['REPAIRING', {}, 1],
  ['SOME_NEW_WORD', {}, 1],
  ['TERMINATED', { stoppedAt: iso(start + hour / 2) }, 0.5],
  ['SUSPENDED', { stoppedAt: iso(start + hour / 2) }, 0.5],
])('a machine that is %s costs what it ran for', (status, more, hours) => {
  const spending = spendingOf(recordAt(1, machine('m', { status, ...more })));
  const [{ perHour = 0 } = {}] = runningWith(machine('m'));
  expect(spending.counted).toBeCloseTo(hours * perHour, 9);
  expect(spending.unknown).toEqual(
    status === 'SUSPENDED' ? [expect.stringContaining('memory of a suspended machine, for 0.5 hours')] : [],
  );
});

test('what Google has billed and is counted since is the estimate where that is larger, and stays so after credits', () => {
  const [{ perHour = 0 } = {}] = runningWith(machine('m'));
  const heard = reconcile(recordAt(10, machine('m')), { cost: 50, heardAt: iso(start + 10 * hour) });
  expect(spendingOf(heard)).toMatchObject({
    counted: expect.closeTo(10 * perHour, 9),
    estimate: expect.closeTo(50, 9),
    billed: { cost: 50, difference: expect.closeTo(50 - 10 * perHour, 9) },
  });
  const look = {
    at: start + 20 * hour,
    running: runningWith(machine('m')),
    wasSeen: () => true,
    unseen: [],
    ends: {},
  };
  const later = accrue(heard, look, 'month');
  expect(spendingOf(later).estimate).toBeCloseTo(50 + 10 * perHour, 9);
  // The same figure that is only said again, and one that is less.
  for (const cost of [50, -3]) {
    const again = spendingOf(reconcile(later, { cost, heardAt: iso(start + 20 * hour) }));
    expect(again.estimate).toBeCloseTo(50 + 10 * perHour, 9);
    expect(again.billed?.difference).toBeCloseTo(cost - 20 * perHour, 9);
  }
  // A late bill is less than what is known here already.
  expect(
    spendingOf(reconcile(recordAt(10, machine('m')), { cost: 0.01, heardAt: iso(start) })).estimate,
  ).toBeCloseTo(10 * perHour, 9);
});

test('the forecast goes on with what runs until it ends by itself, or the period does', () => {
  const [{ perHour = 0 } = {}] = runningWith(machine('m'));
  const ends = { endsAt: iso(start + 6 * hour) };
  const { forecast, counted } = spendingOf(recordAt(2, machine('m', ends)));
  expect(forecast - counted).toBeCloseTo(4 * perHour, 9);
  const left = (Date.parse('2026-12-01T08:00:00Z') - start) / hour - 2;
  expect(spendingOf(recordAt(2, machine('m'))).forecast).toBeCloseTo((2 + left) * perHour, 6);
});

test('what would be saved is told with the command for it, the largest first; a disk in use goes with its machine', () => {
  const machines = [
    machine('notebook', { labels: { 'gazeline-owner': 'ada' } }),
    machine('gazeline-fit-0a1b2c3d-1', {
      labels: { 'gazeline-job': 'fit-0a1b2c3d' },
      endsAt: iso(start + 3 * hour),
      ...hardware('a2-highgpu-1g'),
    }),
    // Stopped behind Workbench's back, its instance would be known as broken.
    machine('session-pupils', { labels: { 'gazeline-session': 'pupils' }, ...hardware('a2-highgpu-1g') }),
    machine('off', { status: 'TERMINATED', stoppedAt: iso(start + hour) }),
  ];
  const disks = [disk, { ...disk, name: 'left', users: [] }];
  const look = {
    at: start + 2 * hour,
    running: runningOf({ machines, disks }, priceTable()),
    wasSeen: () => true,
    unseen: [],
    ends: {},
  };
  const savings = savingsOf(spendingOf(accrue(undefined, look, 'month')));
  expect(savings.map(({ by, words }) => [by, words])).toEqual([
    ['npx gazeline session stop pupils', 'a2-highgpu-1g'],
    [`gcloud compute instances stop notebook --zone ${zone}`, 'n1-standard-4, of ada'],
    [`gcloud compute disks delete left --zone ${zone}`, '730 GB of pd-balanced, $80.30 a month'],
    ['npx gazeline job cancel fit-0a1b2c3d', 'a2-highgpu-1g'],
  ]);
  expect(savings[3]?.inPeriod).toBeCloseTo(savings[3]?.perHour ?? 0, 9);
});

test('units of Vision and Natural Language cost at most so much, by days whose noon is in the period', () => {
  const record = { ...recordAt(1), units: {} as Record<string, { vision: number; language: number }> };
  for (const day of ['2026-10-31', '2026-11-01', '2026-11-20', '2026-12-01'])
    record.units[day] = { vision: 1000, language: 2000 };
  const now = Date.parse('2026-12-15T00:00:00Z');
  expect(unitsIn(record.units, record.period, now)).toEqual({ vision: 2000, language: 4000 });
  expect(spendingOf(record)).toMatchObject({
    counted: expect.closeTo(8.5, 9),
    today: expect.closeTo(4.25, 9),
    units: { vision: 2000, language: 4000, cost: expect.closeTo(8.5, 9) },
    by: { kind: { 'Vision and Natural Language': expect.closeTo(8.5, 9) } },
  });
});

test('a credit lasts until it is spent at the present rate, or until its last day', () => {
  const record = { ...recordAt(1), days: { '2026-11-18': 5, '2026-11-19': 10, '2026-11-20': 20 } };
  const settings = { creditLeft: 300, creditLeftOn: '2026-11-19' };
  expect(creditOf(record, {}, 1)).toBeUndefined();
  expect(creditOf(record, settings, 0)).toEqual({ left: 270, isPartlyKnown: false });
  expect(creditOf(record, settings, 1)).toEqual({
    left: 270,
    days: 270 / 24,
    endsBy: 'being spent',
    isPartlyKnown: false,
  });
  const ending = { ...settings, creditEnds: '2026-11-22' };
  expect(creditOf(record, ending, 1)).toMatchObject({
    days: expect.closeTo((Date.parse('2026-11-23T08:00:00Z') - start - hour) / (24 * hour), 9),
    endsBy: 'its date',
  });
  expect(creditOf(record, { ...settings, creditLeftOn: '2026-10-20' }, 0)).toEqual({
    left: 265,
    isPartlyKnown: true,
  });
  expect(creditOf(record, { ...settings, creditLeft: 3 }, 1)).toMatchObject({ left: 0, days: 0 });
});
