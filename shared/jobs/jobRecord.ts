import * as z from 'zod';
import { Candidate } from '../machines/candidate.ts';
import { Job } from './job.ts';
import { jobIdPattern } from './jobId.ts';
import { outcomes, Report } from './report.ts';

export const states = [
  'queued',
  'placing',
  'waiting-for-capacity',
  'starting',
  'running',
  'uploading',
  'succeeded',
  'failed',
  'cancelled',
  'lost',
  'refused',
] as const;
export type State = (typeof states)[number];

export const ends: State[] = ['succeeded', 'failed', 'cancelled', 'lost', 'refused'];
export const isEnd = (state: State): boolean => ends.includes(state);

/** By the clock of the function that writes the record. */
const time = z.iso.datetime();

/** A machine that was asked for and could not be had. */
export const Try = z.object({
  at: time,
  zone: z.string(),
  machineType: z.string(),
  /** With two GPUs on one machine type, the quota of one says nothing of the other. */
  accelerator: z.string(),
  model: Candidate.shape.model,
  requestId: z.string(),
  /** Why, as `failureOf` says. */
  kind: z.string(),
  /** How far the answer reaches. */
  scope: z.enum(['zone', 'region', 'global', 'fatal']),
  /** Zones that were said to have capacity. */
  hints: z.array(z.string()).default([]),
  words: z.string(),
});
export type Try = z.infer<typeof Try>;

export const Attempt = z.object({
  number: z.int().min(1),
  /** The last ones; `tried` counts them all. */
  tries: z.array(Try),
  tried: z.int().min(0),
  /**
   * Written before a machine is asked for: whoever goes on after a crash knows where one may be, and since when at the
   * earliest it has to be paid.
   */
  asked: z
    .object({ at: time, since: time.optional(), candidate: Candidate, requestId: z.string() })
    .optional(),
  /** What the machine is; none as long as there is no machine. */
  candidate: Candidate.optional(),
  /** When the machine was asked for: it costs from then on at the earliest. */
  insertedAt: time.optional(),
  /** When the service ends it at the latest. */
  endsAt: time.optional(),
  /** No machine of this attempt is there any more, by what the service said. */
  releasedAt: time.optional(),
  /** Of the last report; 0 for none. */
  sequence: z.int().min(0),
  report: Report.optional(),
  heardAt: time.optional(),
  outcome: z.enum([...outcomes, 'vanished', 'boot-failed', 'time-limit', 'not-placed']).optional(),
  reason: z.string().optional(),
});
export type Attempt = z.infer<typeof Attempt>;

/** The record of a job, `jobs/<id>.json` in the state bucket. */
export const JobRecord = z.object({
  id: z.string().regex(jobIdPattern),
  /** Of the job, to tell the same key with another job. */
  digest: z.string(),
  job: Job,
  owner: z.string(),
  createdAt: time,
  state: z.enum(states),
  /** Why it is in this state, in words. */
  reason: z.string().optional(),
  /** That the ref stood for when the first machine was placed, or that the machine reported. */
  commit: z.string().optional(),
  /** What it may cost, in words and dollars, as it was before the first machine. */
  estimate: z
    .object({
      perHour: z.number().optional(),
      most: z.number().optional(),
      words: z.string(),
      asOf: z.string(),
    })
    .optional(),
  attempts: z.array(Attempt),
  cancelRequestedAt: time.optional(),
  /** When a machine is looked for again. */
  retryAt: time.optional(),
  /** Since when no machine could be had, without a break. */
  waitingSince: time.optional(),
  history: z.array(
    z.object({ at: time, state: z.enum(states), attempt: z.int(), reason: z.string().optional() }),
  ),
});
export type JobRecord = z.infer<typeof JobRecord>;

export const jobRecordName = (id: string) => `jobs/${id}.json`;

export const newRecord = (
  of: Pick<JobRecord, 'id' | 'digest' | 'job' | 'owner' | 'createdAt'>,
): JobRecord => ({
  ...of,
  state: 'queued',
  attempts: [],
  history: [{ at: of.createdAt, state: 'queued', attempt: 0 }],
});

export const currentAttempt = (record: JobRecord): Attempt | undefined => record.attempts.at(-1);
