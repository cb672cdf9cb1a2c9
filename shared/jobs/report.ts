import * as z from 'zod';
import { jobIdPattern } from './jobId.ts';

/** What the machine says of itself. It runs somebody's code, so nothing in here is believed to be small or sound. */
export const phases = [
  'starting',
  'fetching',
  'installing',
  'copying-inputs',
  'running',
  'uploading',
  'finished',
] as const;
export const outcomes = [
  'succeeded',
  'failed',
  'setup-failed',
  'inputs-failed',
  'results-not-uploaded',
  'preempted',
  'cancelled',
] as const;

/** Object names have six digits. */
export const mostSequence = 999_999;
const count = z.int().min(0);
/** A text that is cut, not refused: a report with a long reason is better than none. */
const text = (most: number) => z.string().transform((value) => value.toWellFormed().slice(0, most));

export const Report = z
  .object({
    job: z.string().regex(jobIdPattern),
    attempt: z.int().min(1).max(1000),
    sequence: z.int().min(1).max(mostSequence),
    phase: z.enum(phases),
    /** By the machine's clock, which may be wrong: shown, and never compared with. */
    at: text(40),
    commit: z
      .string()
      .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
      .optional(),
    exitCode: z.int().min(-255).max(255).optional(),
    outcome: z.enum(outcomes).optional(),
    reason: text(2000).optional(),
    cpu: z.number().min(0).max(1).optional(),
    gpu: z
      .array(z.object({ name: text(100), use: z.number().min(0).max(1), memory: count }))
      .max(16)
      .optional(),
    freeDisk: count.optional(),
    checkpoint: text(40).optional(),
    lastLines: z
      .string()
      .transform((value) => value.toWellFormed().slice(-4096))
      .optional(),
    results: z.object({ files: count, bytes: count }).optional(),
  })
  .refine(({ phase, outcome }) => (phase === 'finished') === (outcome !== undefined), {
    path: ['outcome'],
    error: 'there is an outcome if, and only if, the phase is finished',
  });
export type Report = z.infer<typeof Report>;

/** More than any report of the start-up script has. */
export const mostReportBytes = 64 * 1024;

/** @throws if it is not a report, or one of another name than it says itself */
export function parseReport(bytes: Buffer, name: ReportName): Report {
  if (bytes.length > mostReportBytes) throw new Error(`larger than ${mostReportBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw new Error('not JSON');
  }
  const report = Report.safeParse(value);
  if (!report.success) throw new Error(z.prettifyError(report.error).slice(0, 1000));
  const { job, attempt, sequence } = report.data;
  if (job !== name.job || attempt !== name.attempt || sequence !== name.sequence)
    throw new Error(`it says that it is ${reportName({ job, attempt, sequence })}`);
  return report.data;
}

export type ReportName = { job: string; attempt: number; sequence: number };

export const reportName = ({ job, attempt, sequence }: ReportName) =>
  `jobs/${job}/attempts/${attempt}/reports/${String(sequence).padStart(6, '0')}.json`;

/** @returns undefined for every other object of the bucket */
export function reportNamed(objectName: string): ReportName | undefined {
  const [, job = '', attempt, sequence] =
    /^jobs\/([^/]+)\/attempts\/([1-9]\d{0,3})\/reports\/(\d{6})\.json$/.exec(objectName) ?? [];
  const name = { job, attempt: Number(attempt), sequence: Number(sequence) };
  return jobIdPattern.test(job) && name.sequence > 0 && name.attempt <= 1000 ? name : undefined;
}
