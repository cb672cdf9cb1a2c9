import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { advance, follows, type JobEvent, mayPlace } from '../../../shared/jobs/advance.ts';
import { isEnd, JobRecord, newRecord } from '../../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { outcomes, phases, type Report } from '../../../shared/jobs/report.ts';
import { costOf, secondsLeft } from '../../../shared/jobs/spent.ts';
import type { Candidate } from '../../../shared/machines/candidate.ts';

const job = parseJob(
  '{name: n, repository: "https://h/r", command: c, limits: {attempts: 2, hours: 2, money: 10}}',
);
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const fresh = () => newRecord({ id: 'n-0', digest: 'd', job, owner: 'me@lab.org', createdAt: at(0) });
const candidate: Candidate = {
  kind: 'vm',
  region: 'us-east1',
  zone: 'us-east1-b',
  machineType: 'g2-standard-8',
  guestAccelerators: [],
  accelerator: 'L4',
  localSsd: false,
  model: 'spot',
  diskType: 'pd-balanced',
  price: { perHour: 4, asOf: '2026-01-01' },
};
const report = (
  sequence: number,
  phase: Report['phase'],
  more: Partial<Report> = {},
  attempt = 1,
): JobEvent => ({
  at: at(100 + sequence),
  type: 'report',
  report: { job: 'n-0', attempt, sequence, phase, at: '1970-01-01T00:00:00Z', ...more },
});
const place: JobEvent = { at: at(1), type: 'place' };
const inserted = (attempt: number, seconds = 10): JobEvent => ({
  at: at(seconds),
  type: 'inserted',
  attempt,
  candidate,
  insertedAt: at(seconds),
});
const released = (attempt: number, seconds = 1000): JobEvent => ({
  at: at(seconds),
  type: 'released',
  attempt,
});
const cancel: JobEvent = { at: at(50), type: 'cancel' };
const after = (...events: JobEvent[]) => events.reduce(advance, fresh());
const statesOf = (record: JobRecord) => record.history.map(({ state }) => state);
const succeeded = (sequence: number, attempt = 1) =>
  report(sequence, 'finished', { outcome: 'succeeded', exitCode: 0 }, attempt);
const preempted = (sequence: number, attempt = 1) =>
  report(sequence, 'finished', { outcome: 'preempted' }, attempt);

test('a job that goes well has every state in its history', () => {
  const record = after(
    place,
    inserted(1),
    report(1, 'fetching'),
    report(2, 'running'),
    report(3, 'uploading'),
    succeeded(4),
    released(1),
  );
  expect(statesOf(record)).toEqual(['queued', 'placing', 'starting', 'running', 'uploading', 'succeeded']);
  expect(record.attempts[0]).toMatchObject({ outcome: 'succeeded', sequence: 4, releasedAt: at(1000) });
});

test('reports that come in any order lead to the same end', () => {
  const reports = [report(1, 'fetching'), report(2, 'running'), report(3, 'uploading'), succeeded(4)];
  fc.assert(
    fc.property(fc.shuffledSubarray(reports, { minLength: 4 }), (order) => {
      expect(after(place, inserted(1), ...order).state).toBe('succeeded');
    }),
  );
});

test('a preempted job waits until its machine is gone, and is then placed again', () => {
  const record = after(place, inserted(1), report(1, 'running'), preempted(2));
  expect(record).toMatchObject({ state: 'queued', reason: 'the machine says: preempted' });
  expect(mayPlace(record)).toBe(false);
  expect(advance(record, place)).toBe(record);
  const second = [released(1), place].reduce(advance, record);
  expect(second).toMatchObject({ state: 'placing', attempts: [{ number: 1 }, { number: 2 }] });
  expect(
    after(place, inserted(1), preempted(1), released(1), place, inserted(2), preempted(1, 2)),
  ).toMatchObject({
    state: 'failed',
    reason: 'the machine says: preempted; it was attempt 2, the last',
  });
});

test('what an old attempt says late changes nothing', () => {
  const record = after(place, inserted(1), preempted(2), released(1), place, inserted(2));
  expect(advance(record, succeeded(3, 1))).toBe(record);
  expect(advance(record, report(1, 'running', {}, 7))).toBe(record);
  expect(advance(advance(record, report(5, 'running', {}, 2)), report(4, 'fetching', {}, 2))).toMatchObject({
    state: 'running',
  });
});

test('a report that is faster than the answer to the insert counts, and the machine is noted all the same', () => {
  const record = after(place, report(1, 'running'), succeeded(2));
  expect(record.state).toBe('succeeded');
  const running = after(place, report(1, 'running'), inserted(1));
  expect(running).toMatchObject({ state: 'running', attempts: [{ candidate, insertedAt: at(10) }] });
});

test('a machine that reports is noted as it was asked for, if nobody lived to note it', () => {
  const asking: JobEvent = { at: at(5), type: 'asking', attempt: 1, candidate, requestId: 'r' };
  const record = after(place, asking, report(1, 'running'));
  expect(record).toMatchObject({ state: 'running', attempts: [{ candidate, insertedAt: at(5) }] });
  // It was there a little later than it was asked for.
  expect(advance(record, inserted(1)).attempts[0]).toMatchObject({ candidate, insertedAt: at(10) });
  expect(costOf(record, Date.parse(at(3605)))).toEqual({ dollars: 4, complete: true });
});

test.each([
  ['failed', 'failed', 'it ended with exit code 137'],
  ['setup-failed', 'failed', 'the machine says: setup-failed'],
  ['inputs-failed', 'failed', 'the machine says: inputs-failed'],
  ['results-not-uploaded', 'failed', 'the machine says: results-not-uploaded'],
  ['cancelled', 'queued', 'the machine says: cancelled'],
] as const)('an attempt that ends as %s makes the job %s', (outcome, state, reason) => {
  const exitCode = outcome === 'failed' ? { exitCode: 137 } : {};
  expect(after(place, inserted(1), report(1, 'finished', { outcome, ...exitCode }))).toMatchObject({
    state,
    reason,
  });
});

test('a machine that vanished is looked for again, and at last the job is lost', () => {
  const once = after(place, inserted(1), released(1));
  expect(once).toMatchObject({ state: 'queued', attempts: [{ outcome: 'vanished' }] });
  expect([place, inserted(2), released(2)].reduce(advance, once)).toMatchObject({ state: 'lost' });
});

test('a job that is cancelled while nothing is there is cancelled at once', () => {
  expect(after(cancel).state).toBe('cancelled');
  const wait: JobEvent = { at: at(5), type: 'wait', attempt: 1, retryAt: at(60), reason: 'sold out' };
  expect(after(place, wait, cancel).state).toBe('cancelled');
  expect(after(place, cancel, wait).state).toBe('cancelled');
});

test('a job that is cancelled while its machine is there is cancelled when it is gone, whatever the machine says', () => {
  const record = after(place, inserted(1), report(1, 'running'), cancel);
  expect(record).toMatchObject({ state: 'running', cancelRequestedAt: at(50) });
  const finished = advance(record, succeeded(2));
  expect(finished.state).toBe('running');
  expect(advance(finished, released(1)).state).toBe('cancelled');
  const between = after(place, inserted(1), preempted(1), cancel);
  expect(between.state).toBe('queued');
  expect(mayPlace(between)).toBe(false);
  expect(advance(between, released(1)).state).toBe('cancelled');
});

test('a job is refused or fails in placement only as long as it has no machine', () => {
  const refuse: JobEvent = { at: at(2), type: 'refuse', reason: 'too dear' };
  expect(after(refuse)).toMatchObject({ state: 'refused', reason: 'too dear' });
  const running = after(place, inserted(1));
  expect(advance(running, refuse)).toBe(running);
  expect(after(place, { at: at(2), type: 'fail', reason: 'no capacity' })).toMatchObject({
    state: 'failed',
    attempts: [{ outcome: 'not-placed' }],
  });
});

test('what was used counts over all attempts, by hours and by money', () => {
  const record = after(place, inserted(1, 0), preempted(1), released(1, 3600), place, inserted(2, 3600));
  const now = Date.parse(at(5400));
  expect(costOf(record, now)).toEqual({ dollars: 6, complete: true });
  expect(secondsLeft(record, 4, now)).toBe(1800);
  expect(secondsLeft(record, 40, now)).toBe(360);
  expect(secondsLeft(record, undefined, now)).toBeUndefined();
});

const anyEvent: fc.Arbitrary<JobEvent> = fc
  .tuple(
    fc.nat(9),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom(...phases),
    fc.constantFrom(...outcomes),
    fc.nat(100_000),
  )
  .map(([kind, attempt, sequence, phase, outcome, seconds]): JobEvent => {
    const time = at(seconds);
    const events: JobEvent[] = [
      { at: time, type: 'place' },
      { at: time, type: 'wait', attempt, retryAt: time, reason: 'sold out' },
      {
        at: time,
        type: 'tried',
        attempt,
        try: {
          at: time,
          zone: 'z',
          machineType: 'm',
          accelerator: 'L4',
          model: 'spot',
          requestId: 'r',
          kind: 'stock-out',
          scope: 'zone' as const,
          hints: [],
          words: 'w',
        },
      },
      inserted(attempt, seconds),
      { ...report(sequence, phase, phase === 'finished' ? { outcome } : {}, attempt), at: time } as JobEvent,
      { at: time, type: 'gone', attempt, cause: 'vanished', reason: 'gone' },
      released(attempt, seconds),
      { at: time, type: 'cancel' },
      { at: time, type: sequence > 5 ? 'fail' : 'refuse', reason: 'no' },
      { at: time, type: 'asking', attempt, candidate, requestId: 'r' },
    ];
    return events[kind] as JobEvent;
  });
/** Places and inserts more often than not, or few jobs would get far. */
const anyEvents = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: anyEvent },
    fc.constant(place),
    fc.constant(inserted(1)),
    fc.constant(inserted(2)),
    fc.constant(released(1)),
    fc.constant(report(3, 'running')),
    fc.constant(succeeded(8)),
  ),
  { maxLength: 40 },
);

test('no sequence of events leaves an end state, goes back, loses history, or has two machines at once', () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(anyEvents, (events) => {
      let record = fresh();
      for (const event of events) {
        const next = advance(record, event);
        if (isEnd(record.state)) expect(next.state).toBe(record.state);
        if (next.state !== record.state) {
          // Several steps may come at once, each a possible one.
          const steps = next.history.slice(record.history.length - 1);
          for (const [index, { state }] of steps.slice(1).entries())
            expect(follows[steps[index]?.state ?? 'lost']).toContain(state);
        }
        expect(next.history.slice(0, record.history.length)).toEqual(record.history);
        expect(next.history.at(-1)?.state).toBe(next.state);
        for (const attempt of record.attempts) {
          const later = next.attempts[attempt.number - 1];
          expect(later?.number).toBe(attempt.number);
          expect(later?.sequence).toBeGreaterThanOrEqual(attempt.sequence);
          if (attempt.outcome) expect(later?.outcome).toBe(attempt.outcome);
          if (attempt.candidate) expect(later?.candidate).toEqual(attempt.candidate);
        }
        expect(next.attempts.length).toBeLessThanOrEqual(job.limits.attempts);
        for (const attempt of next.attempts.slice(0, -1)) expect(attempt.releasedAt).toBeDefined();
        if (next.state === 'cancelled') expect(next.cancelRequestedAt).toBeDefined();
        record = next;
      }
      expect(JobRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
      reached.add(record.state);
      for (const event of events) {
        if (!['report', 'released', 'inserted', 'cancel', 'gone'].includes(event.type)) continue;
        const once = advance(record, event);
        expect(advance(once, event)).toBe(once);
      }
    }),
    { numRuns: 300 },
  );
  expect([...reached].sort()).toEqual(
    expect.arrayContaining(['cancelled', 'failed', 'queued', 'refused', 'running', 'succeeded']),
  );
});
