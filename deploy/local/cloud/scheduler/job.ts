import { Cron } from 'croner';
import * as z from 'zod';
import { GoogleError } from '../googleError.ts';

const invalid = (message: string) => new GoogleError(400, 'invalidArgument', message);

const base64 = z.string().regex(/^[\w+/-]*={0,2}$/, 'expected base64');
const seconds = z.string().regex(/^\d+(\.\d{1,9})?s$/, 'expected a duration like "30s"');

/**
 * What a client may say of a job; more than Pub/Sub targets there is not. `retryConfig` and `attemptDeadline` are
 * kept and do nothing, for a message is published in the moment in which it is due.
 * https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs
 */
const JobRequest = z.strictObject({
  name: z.string().optional(),
  description: z.string().max(500).optional(),
  schedule: z.string().optional(),
  timeZone: z.string().optional(),
  pubsubTarget: z
    .strictObject({
      topicName: z.string().regex(/^projects\/[^/]+\/topics\/[^/]+$/, 'expected projects/P/topics/T'),
      data: base64.optional(),
      attributes: z.record(z.string(), z.string()).optional(),
    })
    .refine(({ data, attributes }) => data || Object.keys(attributes ?? {}).length > 0, {
      error: 'expected data or attributes',
    })
    .optional(),
  retryConfig: z
    .strictObject({
      retryCount: z.int().min(0).max(5).optional(),
      maxRetryDuration: seconds.optional(),
      minBackoffDuration: seconds.optional(),
      maxBackoffDuration: seconds.optional(),
      maxDoublings: z.int().optional(),
    })
    .optional(),
  attemptDeadline: seconds.optional(),
  // What a client read before and sends back; the server knows better.
  state: z.string().optional(),
  status: z.unknown().optional(),
  userUpdateTime: z.string().optional(),
  scheduleTime: z.string().optional(),
  lastAttemptTime: z.string().optional(),
});
export type JobRequest = z.infer<typeof JobRequest>;

export type Job = Pick<JobRequest, 'description' | 'retryConfig' | 'attemptDeadline'> & {
  name: string;
  schedule: string;
  timeZone: string;
  pubsubTarget: NonNullable<JobRequest['pubsubTarget']>;
  state: 'ENABLED' | 'PAUSED';
  userUpdateTime: string;
  /** When it runs next; none while it is paused. */
  scheduleTime?: string;
  lastAttemptTime?: string;
  /** How the last attempt ended. */
  status?: { code?: number; message?: string };
};

/** @throws 400 that says what is wrong */
export function readJob(body: unknown): JobRequest {
  if (body && typeof body === 'object' && ('httpTarget' in body || 'appEngineHttpTarget' in body))
    throw new GoogleError(501, 'notImplemented', 'The local Scheduler has Pub/Sub targets only');
  const job = JobRequest.safeParse(body ?? {});
  if (!job.success) throw invalid(z.prettifyError(job.error));
  return job.data;
}

/** The next tick after this moment. @throws 400 for a schedule or a time zone that cannot be read */
export function nextRun(
  { schedule, timeZone }: Pick<Job, 'schedule' | 'timeZone'>,
  after: Date,
): Date | null {
  try {
    return new Cron(schedule, { mode: '5-part', timezone: timeZone, paused: true }).nextRun(after);
  } catch (error) {
    throw invalid(`Invalid schedule or time zone: ${(error as Error).message}`);
  }
}

/** A whole job of what the client said. @throws 400 if something needed is missing */
export function makeJob(name: string, request: JobRequest, now: Date): Job {
  const { schedule, pubsubTarget, timeZone = 'Etc/UTC', description, retryConfig, attemptDeadline } = request;
  if (!schedule) throw invalid('The job has no schedule');
  if (!pubsubTarget) throw invalid('The job has no target');
  return scheduled(
    {
      name,
      ...(description === undefined ? {} : { description }),
      schedule,
      timeZone,
      pubsubTarget,
      ...(retryConfig ? { retryConfig } : {}),
      ...(attemptDeadline ? { attemptDeadline } : {}),
      state: 'ENABLED',
      userUpdateTime: now.toISOString(),
    },
    now,
  );
}

/** The job with the time of its next tick. */
export function scheduled(job: Job, now: Date): Job {
  const { scheduleTime: _, ...rest } = job;
  const next = nextRun(job, now);
  return job.state === 'PAUSED' || !next ? rest : { ...rest, scheduleTime: next.toISOString() };
}
