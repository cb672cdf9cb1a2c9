import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { accrue, assumedOf, type Look, longestGuess, missingFrom } from '../../../shared/budget/accrue.ts';
import { CostRecord } from '../../../shared/budget/costRecord.ts';
import type { Running } from '../../../shared/budget/running.ts';

const hour = 3_600_000;
const start = Date.parse('2026-11-20T12:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();

/** From `from` on, in hours after the first moment, at a dollar an hour. */
const machine = (name: string, from = 0, more: Partial<Running> = {}): Running => ({
  key: `z/${name}@${from}`,
  kind: 'machine',
  zone: 'z',
  name,
  words: 'n1-standard-4',
  labels: { 'gazeline-owner': 'ada', 'gazeline-job': name },
  perHour: 1,
  from: iso(start + from * hour),
  ...more,
});

type Seen = Partial<Omit<Look, 'at'>>;
const look = (at: number, running: Running[], more: Seen = {}): Look => ({
  at: start + at * hour,
  running,
  wasSeen: () => true,
  unseen: [],
  ends: {},
  ...more,
});
/** One look after the other, and what is written is read again. */
const after = (looks: Look[], record?: CostRecord): CostRecord =>
  looks.reduce<CostRecord | undefined>(
    (before, one) => CostRecord.parse(JSON.parse(JSON.stringify(accrue(before, one, 'month')))),
    record,
  ) as CostRecord;

test('what runs costs by the hour from its own beginning, whenever it is first looked at', () => {
  const record = after([look(3, [machine('a')]), look(5, [machine('a')])]);
  expect(record.total).toBeCloseTo(5, 9);
  expect(record).toMatchObject({
    guessed: 0,
    by: { kind: { machine: 5 }, owner: { ada: 5 }, job: { a: 5 }, label: {} },
    days: { '2026-11-20': 5 },
  });
});

test('looks that come twice, in parallel or too late add nothing', () => {
  const one = look(3, [machine('a')]);
  const record = after([one, one, look(2.5, []), look(2.9, [machine('a'), machine('b', 1)])]);
  expect(record.total).toBeCloseTo(3, 9);
  expect(accrue(record, look(2.5, []), 'month')).toBe(record);
});

test('looks that are missed are made up for by the next one', () => {
  expect(after([look(0.1, [machine('a')]), look(60, [machine('a')])]).total).toBeCloseTo(60, 9);
});

test('a clock that was hours ahead is not paid for twice when it is right again', () => {
  const record = after([look(1, [machine('a')]), look(9, [machine('a')]), look(1.1, [machine('a')])]);
  expect(record.total).toBeCloseTo(9, 9);
  expect(after([look(8, [machine('a')])], record).total).toBeCloseTo(9, 9);
  expect(after([look(10, [machine('a')])], record).total).toBeCloseTo(10, 9);
});

test('a machine that was stopped costs until then, and its next run is another one', () => {
  const stopped = machine('a', 0, { to: iso(start + 2 * hour) });
  const again = machine('a', 6);
  const record = after([look(1, [machine('a')]), look(4, [stopped]), look(5, [stopped]), look(7, [again])]);
  expect(record.total).toBeCloseTo(3, 9);
  // Nobody looked while it was off.
  expect(after([look(1, [machine('a')]), look(7, [again])]).total).toBeCloseTo(3, 9);
  expect(after([look(5.9, [machine('a')]), look(7, [again])]).total).toBeCloseTo(7, 9);
});

test('what is gone costs until its service says it ended; else until it ends by itself, or an hour at most', () => {
  const seen = look(1, [machine('a')]);
  const gone = (more: Seen = {}) => after([seen, look(5, [], more)]);
  expect(gone({ ends: { 'z/a@0': iso(start + 3 * hour) } })).toMatchObject({ total: 3, guessed: 0 });
  const guessed = gone();
  expect([guessed.total, guessed.guessed]).toEqual([2, longestGuess / hour]);
  const limited = after([look(1, [machine('a', 0, { endsAt: iso(start + 1.5 * hour) })]), look(5, [])]);
  expect([limited.total, limited.guessed]).toEqual([1.5, 0.5]);
  expect(missingFrom(after([seen]), look(5, []))).toEqual([
    ['z/a@0', expect.objectContaining({ name: 'a' })],
  ]);
});

test('what comes back after it was not there goes on from where it was counted to', () => {
  expect(after([look(1, [machine('a')]), look(1.1, []), look(6, [machine('a')])]).total).toBeCloseTo(6, 9);
});

test('in a zone that does not answer it is taken to run on, and counted when it is seen again', () => {
  const unseen = { wasSeen: () => false, unseen: ['z'] };
  const record = after([look(1, [machine('a')]), look(4, [], unseen)]);
  expect([record.total, assumedOf(record), record.unseen]).toEqual([1, 3, ['z']]);
  // It had ended in the meantime.
  const stopped = after([look(5, [machine('a', 0, { to: iso(start + 2 * hour) })])], record);
  expect([stopped.total, assumedOf(stopped)]).toEqual([2, 0]);
});

test('a price that is not known is hours, and no money', () => {
  const { perHour: _, ...unpriced } = machine('a');
  const record = after([look(2, [unpriced]), look(3, [unpriced])]);
  expect(record).toMatchObject({ total: 0, unpriced: { 'machine: n1-standard-4': 3 }, by: { kind: {} } });
});

test('labels that people have written themselves are summed up; those of machinery are not', () => {
  const labels = { 'gazeline-lab': 'x', 'goog-gke-node': '', study: 'faces' };
  const record = after([look(2, [machine('a', 0, { labels })])]);
  expect(record.by).toMatchObject({ label: { 'study=faces': 2 }, owner: { '': 2 }, job: { '': 2 } });
});

test('a new period begins with nothing, the old one keeps what was its own, and days are of the Pacific coast', () => {
  const month = Date.parse('2026-12-01T08:00:00Z');
  const at = (hours: number) => (month - start) / hour + hours;
  const early = machine('a', at(-30));
  const record = after([look(at(-2), [early]), look(at(3), [early])]);
  expect(record.total).toBeCloseTo(3, 9);
  expect(record.previous?.total).toBeCloseTo(30, 9);
  expect(record.days).toEqual({ '2026-11-29': 6, '2026-11-30': 24, '2026-12-01': 3 });
  // What comes late of the old one does not open it again.
  expect(accrue(record, look(at(-1), [early]), 'month')).toBe(record);
  // Whatever ran long before anybody looked costs from the beginning of the period on.
  expect(after([look(0, [machine('b', -24 * 40)])]).total).toBeCloseTo(
    (start - Date.parse('2026-11-01T07:00:00Z')) / hour,
    6,
  );
});

test('a budget that counts over other periods from now on is told what is known of them', () => {
  const record = after([look(3, [machine('a')])]);
  const year = accrue(record, look(5, [machine('a')]), 'year');
  expect(year).toMatchObject({ period: { start: '2026-01-01T08:00:00.000Z' }, total: expect.closeTo(5, 9) });
  const month = accrue(year, look(6, [machine('a')]), 'month');
  expect(month).toMatchObject({ period: { start: '2026-11-01T07:00:00.000Z' }, total: expect.closeTo(6, 9) });
});

test('things that stay are no heavier a record after many jobs', () => {
  let record: CostRecord | undefined;
  for (let at = 0; at < 560; at++)
    record = accrue(record, look(at / 2, [machine(`job-${at}`, at / 2 - 0.2)]), 'year');
  expect(Object.keys(record?.by.job ?? {}).length).toBe(501);
  expect(Object.keys(record?.items ?? {}).length).toBeLessThan(400);
  const sum = Object.values(record?.by.job ?? {}).reduce((all, one) => all + one, 0);
  expect(sum).toBeCloseTo(record?.total ?? 0, 6);
});

/*
 * Machines come and go, and are looked at any time, in any order, by clocks that jump, while zones do not answer. Each
 * costs what it ran for, and never more; one that has just vanished, an hour more at most.
 */
const run = fc.record({
  zone: fc.constantFrom('y', 'z'),
  from: fc.integer({ min: 0, max: 100 }),
  length: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  perHour: fc.integer({ min: 1, max: 30 }),
  vanishes: fc.boolean(),
  isTold: fc.boolean(),
});
const looks = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 120 }),
    unseen: fc.subarray(['y', 'z']),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 15 },
);

test('whatever is looked at when, in which order and how often, nothing is counted twice, and nothing is negative', () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), looks, fc.boolean(), (runs, times, inOrder) => {
      const runningAt = (at: number, isSeen: (zone: string) => boolean) =>
        runs.flatMap(({ zone, from, length = Number.POSITIVE_INFINITY, perHour, vanishes }, index) => {
          const to = from + length;
          if (from > at || !isSeen(zone) || (to <= at && vanishes)) return [];
          const ended = to <= at ? { to: iso(start + to * hour) } : {};
          return [machine(`m${index}`, from, { zone, perHour, ...ended })];
        });
      const ends = Object.fromEntries(
        runs.flatMap(({ from, length, isTold }, index) =>
          length !== undefined && isTold
            ? [[`z/m${index}@${from}`, iso(start + (from + length) * hour)] as const]
            : [],
        ),
      );
      const ordered = inOrder ? times.toSorted((one, other) => one.at - other.at) : times;
      let record: CostRecord | undefined;
      let last = 0;
      for (const { at, unseen, times: count } of [...ordered, { at: 121, unseen: [], times: 2 }]) {
        const isSeen = (zone: string) => !(unseen as string[]).includes(zone);
        for (let time = 0; time < count; time++)
          record = after(
            [look(at, runningAt(at, isSeen), { wasSeen: ({ zone }) => isSeen(zone), unseen, ends })],
            record,
          );
        expect(record?.total).toBeGreaterThanOrEqual(last);
        last = record?.total ?? 0;
      }
      let all = 0;
      runs.forEach(({ from, length = Number.POSITIVE_INFINITY, perHour, vanishes, isTold }, index) => {
        const cost = record?.by.job[`m${index}`] ?? 0;
        const exact = Math.min(121 - from, length) * perHour;
        const most = vanishes && !isTold ? exact + perHour : exact;
        expect(cost).toBeGreaterThanOrEqual(0);
        expect(cost).toBeLessThanOrEqual(most + 1e-6);
        if (!vanishes) expect(cost).toBeCloseTo(exact, 6);
        all += cost;
      });
      expect(record?.total).toBeCloseTo(all, 6);
    }),
    { numRuns: 150 },
  );
});
