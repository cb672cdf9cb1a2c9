import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseReport, Report, reportName, reportNamed } from '../../../shared/jobs/report.ts';

const name = { job: 'fit-0a1b2c3d', attempt: 2, sequence: 7 };
const report = { ...name, phase: 'running', at: '2026-01-01T00:00:00Z' };
const parse = (value: unknown) =>
  parseReport(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), name);

test('a report that says everything is read', () => {
  const full = {
    ...report,
    phase: 'finished',
    outcome: 'failed',
    exitCode: 137,
    commit: 'a'.repeat(40),
    reason: 'killed',
    cpu: 0.5,
    gpu: [{ name: 'L4', use: 1, memory: 1e9 }],
    freeDisk: 5,
    checkpoint: '2026-01-01T00:00:00Z',
    lastLines: 'a\nb',
    results: { files: 1, bytes: 2 },
  };
  expect(parse(full)).toEqual(full);
  expect(parse({ ...report, somethingNew: 1 })).toEqual(report);
});

test('long texts are cut: the end of the log counts, and the beginning of a reason', () => {
  const { lastLines, reason } = parse({
    ...report,
    lastLines: `${'x'.repeat(9000)}end`,
    reason: `begin${'x'.repeat(9000)}`,
  });
  expect(lastLines).toMatch(/^x{4093}end$/);
  expect(reason).toMatch(/^beginx{1995}$/);
});

test.each([
  ['no JSON', '{"job"', /not JSON/],
  ['a megabyte', JSON.stringify({ ...report, lastLines: 'x'.repeat(1 << 20) }), /larger than/],
  ['a list', [], /expected object/],
  ['another job', { ...report, job: 'other-0a1b2c3d' }, /it says that it is jobs\/other-0a1b2c3d/],
  ['another sequence', { ...report, sequence: 8 }, /reports\/000008/],
  ['a job that is a path', { ...report, job: '../../x' }, /job/],
  ['no phase', { ...report, phase: 'dancing' }, /phase/],
  ['an outcome before the end', { ...report, outcome: 'succeeded' }, /outcome/],
  ['an end without an outcome', { ...report, phase: 'finished' }, /outcome/],
  ['a use of more than all', { ...report, cpu: 12 }, /cpu/],
  ['a thousand GPUs', { ...report, gpu: Array(1000).fill({ name: 'x', use: 0, memory: 0 }) }, /gpu/],
  ['no number', { ...report, freeDisk: 'much' }, /freeDisk/],
])('%s is not a report', (_what, value, reason) => {
  expect(() => parse(value)).toThrow(reason);
});

test('names are read as they are written, and no other object is a report', () => {
  expect(reportName(name)).toBe('jobs/fit-0a1b2c3d/attempts/2/reports/000007.json');
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 999_999 }),
      (job, attempt, sequence) => {
        expect(reportNamed(reportName({ job, attempt, sequence }))).toEqual({ job, attempt, sequence });
      },
    ),
  );
});

test.each([
  'jobs/fit-0a1b2c3d/attempts/2/log/000007.txt',
  'jobs/fit-0a1b2c3d/attempts/2/reports/7.json',
  'jobs/fit-0a1b2c3d/attempts/02/reports/000007.json',
  'jobs/fit-0a1b2c3d/attempts/2/reports/000000.json',
  'jobs/fit-0a1b2c3d/attempts/2/reports/000007.json.tmp',
  'jobs/Fit/attempts/2/reports/000007.json',
  'x/jobs/fit-0a1b2c3d/attempts/2/reports/000007.json',
  'jobs/a/b/attempts/2/reports/000007.json',
])('%s is no report', (objectName) => {
  expect(reportNamed(objectName)).toBeUndefined();
});

test('whatever is in it, it is a report or a reason', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...Object.keys(Report.shape), '__proto__'), fc.jsonValue()),
      (value) => {
        try {
          parse({ ...report, ...value });
        } catch (error) {
          expect((error as Error).message.length).toBeLessThan(1100);
        }
      },
    ),
  );
});
