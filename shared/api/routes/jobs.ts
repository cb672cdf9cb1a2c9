import type { FileMetadata } from '@google-cloud/storage';
import * as z from 'zod';
import { readJobRecord } from '../../jobs/changeJob.ts';
import { Job } from '../../jobs/job.ts';
import { jobIdPattern } from '../../jobs/jobId.ts';
import { isEnd, JobRecord, states } from '../../jobs/jobRecord.ts';
import { jobSummary } from '../../jobs/jobSummary.ts';
import { InvalidJob, readJob } from '../../jobs/parseJob.ts';
import { type Quote, quoteOf } from '../../jobs/quote.ts';
import { readJobs } from '../../jobs/readJobs.ts';
import { readLog } from '../../jobs/readLog.ts';
import { resultsOf } from '../../jobs/results.ts';
import { costOf } from '../../jobs/spent.ts';
import { cancelJob, KeyTaken, requestJob, submitJob } from '../../jobs/submitJob.ts';
import { Candidate } from '../../machines/candidate.ts';
import { codeOf } from '../../storage/codeOf.ts';
import { DatasetObject, datasetObject, objectFields } from '../dataset.ts';
import { badPageToken, cutPage, Paging, pageOf, pageOfRecords } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Asked, type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';

/** Looked at by `readJob`, which tells what is wrong line by line, and knows whether a repository may be a folder. */
const Written = z
  .unknown()
  .refine((body) => body !== undefined, 'expected a job')
  .meta({ ...z.toJSONSchema(Job, { io: 'input', unrepresentable: 'any' }), $schema: undefined });

const Cost = z.object({
  dollars: z.number().describe('By list price.'),
  complete: z.boolean().describe('false: a price is not known, and it is at least this.'),
});

export const JobSummary = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  state: z.enum(states),
  reason: z.string().optional(),
  createdAt: z.iso.datetime(),
  attempts: z.number(),
  machine: z.string(),
  cost: Cost,
});

const Estimate = z.object({
  perHour: z.number().optional(),
  most: z.number().optional(),
  words: z.string(),
  asOf: z.string(),
});

const Quoted = z.object({
  offers: z.array(
    z.object({
      accelerator: z.string(),
      candidate: Candidate.optional().describe('Missing if no zone has any.'),
      estimate: Estimate.optional(),
      isOverLimit: z.boolean(),
      soldOutUntil: z.string().optional(),
    }),
  ),
  choice: z
    .object({
      do: z.enum(['ask', 'wait', 'fail', 'refuse']),
      candidate: Candidate.optional(),
      estimate: Estimate.optional(),
      reason: z.string().optional(),
      retryAt: z.string().optional(),
    })
    .describe('What the first machine would be.'),
  onDemand: z.object({ estimate: Estimate.optional() }).optional(),
  asOf: z.string().describe('The day of the price table.'),
});

const Detail = z.object({
  record: JobRecord,
  cost: Cost,
  results: z.array(
    z.object({
      place: z.string(),
      unsaved: z.boolean(),
      attempt: z.number(),
      files: z.number(),
      bytes: z.number(),
    }),
  ),
});

const parameters = z.strictObject({ id: z.string().regex(jobIdPattern, 'expected the id of a job') });

/** Of a log, in one answer. */
const mostBytes = 1024 * 1024;

export const jobRoutes: Route[] = [
  route({
    id: 'quoteJob',
    method: 'POST',
    path: '/v1/jobs/quote',
    role: 'reader',
    summary: 'What a job would run on now, and what it may cost.',
    body: Written,
    answer: Quoted,
    handle: ({ body }, tools) => quoteOf(tools, jobOf(body, tools), tools.now()),
  }),

  route({
    id: 'submitJob',
    method: 'POST',
    path: '/v1/jobs',
    role: 'runner',
    summary: 'Starts a job, as in *.job.yaml. With the same Idempotency-Key it is the same job.',
    body: Written,
    answer: JobSummary,
    status: 201,
    handle: (asked, tools) => startJob(jobOf(asked.body, tools), asked, tools),
  }),

  route({
    id: 'listJobs',
    method: 'GET',
    path: '/v1/jobs',
    role: 'reader',
    summary: 'Jobs, the newest first.',
    query: z.strictObject({
      state: z.enum(states).optional(),
      owner: z.string().min(1).max(320).optional(),
      ...Paging,
    }),
    answer: pageOfRecords(JobSummary),
    async handle({ query: { state, owner, ...page }, log }, { records, now }) {
      const { jobs, unreadable } = await readJobs(records);
      for (const one of unreadable) log.error('a job cannot be read', one);
      const wanted = jobs.filter(
        (job) => (state === undefined || job.state === state) && (owner === undefined || job.owner === owner),
      );
      const { items, ...rest } = cutPage(wanted, page, ({ id, createdAt }) => newestFirst(createdAt, id));
      return { items: items.map((job) => jobSummary(job, now())), ...rest, unreadable };
    },
  }),

  route({
    id: 'getJob',
    method: 'GET',
    path: '/v1/jobs/{id}',
    role: 'reader',
    summary:
      'All that is known of a job: what is asked for, each machine, its history, its cost, its results.',
    parameters,
    answer: Detail,
    async handle({ path }, tools) {
      const record = await need(path.id, tools);
      return { record, cost: costOf(record, tools.now()), results: await resultsOf(tools, record) };
    },
  }),

  route({
    id: 'cancelJob',
    method: 'POST',
    path: '/v1/jobs/{id}/cancel',
    role: 'runner',
    summary: 'Ends a job and its machine. It is cancelled a little later; one that is over stays as it is.',
    parameters,
    answer: JobSummary,
    status: 202,
    async handle({ path }, tools) {
      const before = await need(path.id, tools);
      if (isEnd(before.state)) return jobSummary(before, tools.now());
      const asked = await cancelJob(tools, path.id, new Date(tools.now()));
      return jobSummary(asked ?? before, tools.now());
    },
  }),

  route({
    id: 'retryJob',
    method: 'POST',
    path: '/v1/jobs/{id}/retry',
    role: 'runner',
    summary: 'Starts the same work once more, as a new job of yours.',
    parameters,
    answer: JobSummary,
    status: 201,
    async handle(asked, tools) {
      const { id, state, job } = await need(asked.path.id, tools);
      if (!isEnd(state)) throw new Refused(409, `${id} is not over (${state}). Cancel it first.`);
      return startJob(job, asked, tools);
    },
  }),

  route({
    id: 'readJobLog',
    method: 'GET',
    path: '/v1/jobs/{id}/logs',
    role: 'reader',
    summary: 'What the work has printed, from a byte on: asked for again from nextOffset, a log is followed.',
    parameters,
    query: z.strictObject({
      attempt: number(1, 1000).optional().describe('The last one, if none is named.'),
      offset: number(0, Number.MAX_SAFE_INTEGER).default(0),
      limit: number(1, mostBytes)
        .default(256 * 1024)
        .describe('So many bytes at most.'),
    }),
    answer: z.object({
      attempt: z.number(),
      text: z.string(),
      offset: z.number(),
      nextOffset: z.number(),
      isComplete: z.boolean().describe('Nothing comes any more of this attempt.'),
    }),
    async handle({ path, query: { attempt, offset, limit } }, tools) {
      const { id, state, attempts } = await need(path.id, tools);
      const wanted = attempt === undefined ? attempts.at(-1) : attempts[attempt - 1];
      if (!wanted) {
        if (attempt !== undefined)
          throw new Refused(404, `${id} has no attempt ${attempt}; it has ${attempts.length}.`);
        return { attempt: 0, text: '', offset, nextOffset: offset, isComplete: isEnd(state) };
      }
      const isEnded = wanted.outcome !== undefined;
      const { isAll, ...part } = await readLog(
        tools.derived,
        { id, attempt: wanted.number },
        { offset, most: limit, isEnded },
      );
      return { attempt: wanted.number, ...part, isComplete: isEnded && isAll };
    },
  }),

  route({
    id: 'listJobResults',
    method: 'GET',
    path: '/v1/jobs/{id}/results',
    role: 'reader',
    summary: 'The results of a job, in the derived bucket.',
    parameters,
    query: z.strictObject(Paging),
    answer: pageOf(DatasetObject),
    async handle({ path, query: { pageSize, pageToken } }, tools) {
      const record = await need(path.id, tools);
      const results = await resultsOf(tools, record);
      // The manifest is written last: without it, they are not all there.
      if (!results.some(({ unsaved }) => !unsaved))
        throw new Refused(404, `${record.id} has no results (${record.state}).`);
      const prefix = `jobs/${record.id}/results/`;
      const [, next, response] = await tools.derived
        .getFiles({
          prefix,
          maxResults: pageSize,
          autoPaginate: false,
          fields: objectFields,
          ...(pageToken ? { pageToken } : {}),
        })
        .catch((error: unknown) => {
          throw pageToken && codeOf(error) === 400 ? badPageToken() : error;
        });
      const { items = [] } = response as { items?: FileMetadata[] };
      const { pageToken: nextPageToken } = (next ?? {}) as { pageToken?: string };
      return {
        items: items.filter(({ name }) => name !== `${prefix}manifest.json`).map(datasetObject),
        ...(nextPageToken ? { nextPageToken } : {}),
      };
    },
  }),
];

function number(least: number, most: number) {
  return z.coerce
    .number('expected a number')
    .int('expected a whole number')
    .min(least, `expected at least ${least}`)
    .max(most, `expected at most ${most}`);
}

/** In an order that rises. */
const newestFirst = (createdAt: string, id: string) =>
  `${String(8.64e15 - Date.parse(createdAt)).padStart(16, '0')} ${id}`;

const jobOf = (body: unknown, tools: Tools): Job => jobIn((options) => readJob(body, options), tools);

/** @throws Refused with what is wrong, field by field */
export function jobIn(read: (options: { allowFile: boolean }) => Job, { config }: Tools): Job {
  try {
    return read({ allowFile: config.localCloud !== undefined });
  } catch (error) {
    if (!(error instanceof InvalidJob)) throw error;
    const errors = error.lines.map((line) => {
      const [, path = '', message = line] = /^([^:\s]+): (.*)$/s.exec(line) ?? [];
      return { path: path ? `body.${path}` : 'body', message };
    });
    throw new Refused(400, 'The job is not as expected.', { errors });
  }
}

export async function startJob(job: Job, { caller, key }: Asked<unknown, unknown, unknown>, tools: Tools) {
  const { records, publish, now } = tools;
  const { choice }: Quote = await quoteOf(tools, job, now());
  if (choice.do === 'refuse' || choice.do === 'fail')
    throw new Refused(422, `It would be refused: ${choice.reason}. It is not submitted.`);
  const record = await submitJob(records, { job, key, owner: caller.person }, new Date(now())).catch(
    (error: unknown) => {
      throw error instanceof KeyTaken ? new Refused(409, error.message) : error;
    },
  );
  await requestJob(publish, record.id);
  return jobSummary(record, now());
}

async function need(id: string, { records }: Tools): Promise<JobRecord> {
  const record = await readJobRecord(records, id);
  if (!record) throw new Refused(404, `There is no job ${id}.`);
  return record;
}
