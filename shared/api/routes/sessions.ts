import * as z from 'zod';
import { Job } from '../../jobs/job.ts';
import { jobIdPattern } from '../../jobs/jobId.ts';
import { type PriceTable, priceTable } from '../../machines/priceTable.ts';
import { jobOfSession } from '../../sessions/jobOfSession.ts';
import { listSessions } from '../../sessions/listSessions.ts';
import { prolongSession } from '../../sessions/prolongSession.ts';
import { quoteSession } from '../../sessions/quote.ts';
import {
  deleteSession,
  newSession,
  resumeSession,
  SessionConflict,
  stopSession,
} from '../../sessions/requestSession.ts';
import { InvalidSession, readWish, Session } from '../../sessions/session.ts';
import { isOver, readSession, type SessionRecord, sessionStates } from '../../sessions/sessionRecord.ts';
import { SessionSummary, stoppedWords, summaryOf } from '../../sessions/summary.ts';
import { cutPage, Paging, pageOfRecords } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Asked, type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';
import { JobSummary, jobIn, startJob } from './jobs.ts';

/** Looked at by `readWish`, which knows whether a repository may be a folder. */
const Written = z
  .unknown()
  .meta({ ...z.toJSONSchema(Session, { io: 'input', unrepresentable: 'any' }), $schema: undefined });

const RunOfSession = z.strictObject({
  notebook: z.string().min(1).max(500).describe('A notebook in the repository of the session.'),
  parameters: z.record(z.string(), z.json()).optional(),
  ref: z.string().optional().describe('Branch, tag or commit; that of the session, if none is named.'),
  environment: z
    .unknown()
    .optional()
    .meta({
      ...z.toJSONSchema(Job.shape.environment, { io: 'input', unrepresentable: 'any' }),
      $schema: undefined,
    }),
  results: z.union([z.string(), z.array(z.string())]).optional(),
  hours: z.number().optional(),
});

const parameters = z.strictObject({ name: z.string().regex(jobIdPattern, 'expected the name of a session') });

export const sessionRoutes: Route[] = [
  route({
    id: 'startSession',
    method: 'POST',
    path: '/v1/sessions',
    role: 'runner',
    summary: 'Makes a session of yours. It runs a little later, when a zone has a machine for it.',
    body: Written,
    answer: SessionSummary,
    status: 202,
    async handle({ body, caller }, tools) {
      const { records, publish, config, now } = tools;
      const session = sessionIn(body, tools);
      const prices = priceTable();
      const quote = await quoteSession(session, { records, prices, regions: config.regions }, now());
      if ('refusal' in quote)
        throw new Refused(422, `It would be refused: ${quote.refusal}. Nothing is started.`);
      const made = newSession({ records, publish }, { session, owner: caller.person }, new Date(now()));
      return summaryOf(await orConflict(made), prices, quote.candidate);
    },
  }),

  route({
    id: 'listSessions',
    method: 'GET',
    path: '/v1/sessions',
    role: 'reader',
    summary: 'Sessions by name. Those of which nothing is left only if their state is asked for.',
    query: z.strictObject({
      state: z.enum(sessionStates).optional(),
      owner: z.string().min(1).max(320).optional(),
      ...Paging,
    }),
    answer: pageOfRecords(SessionSummary),
    async handle({ query: { state, owner, ...page }, log }, { records }) {
      const { sessions, unreadable } = await listSessions(records, { all: state !== undefined });
      for (const one of unreadable) log.error('a session cannot be read', one);
      const wanted = sessions.filter(
        (one) => (state === undefined || one.state === state) && (owner === undefined || one.owner === owner),
      );
      const { items, ...rest } = cutPage(wanted, page, ({ name }) => name);
      const prices = priceTable();
      return { items: items.map((one) => summaryOf(one, prices)), ...rest, unreadable };
    },
  }),

  route({
    id: 'getSession',
    method: 'GET',
    path: '/v1/sessions/{name}',
    role: 'reader',
    summary: 'A session: whether it runs, where it is opened, and what it costs.',
    parameters,
    answer: SessionSummary,
    handle: async ({ path }, tools) => summaryOf(await need(path.name, tools), priceTable()),
  }),

  route({
    id: 'resumeSession',
    method: 'POST',
    path: '/v1/sessions/{name}/start',
    role: 'runner',
    summary: 'Starts a session of yours that is stopped, on its own disks; one that runs goes on.',
    parameters,
    answer: SessionSummary,
    status: 202,
    async handle(asked, tools) {
      await needOwn(asked, tools);
      return wish(resumeSession, asked.path.name, tools);
    },
  }),

  route({
    id: 'stopSession',
    method: 'POST',
    path: '/v1/sessions/{name}/stop',
    role: 'runner',
    summary: 'Stops a session, whosever it is. Its disks are kept.',
    parameters,
    answer: SessionSummary,
    status: 202,
    async handle({ path }, tools) {
      await need(path.name, tools);
      return wish(stopSession, path.name, tools);
    },
  }),

  route({
    id: 'prolongSession',
    method: 'POST',
    path: '/v1/sessions/{name}/prolong',
    role: 'runner',
    summary:
      'Puts off the end of a session of yours that runs, within the limits of the lab. That it is stopped when nobody uses it stays.',
    parameters,
    body: z.strictObject({
      hours: z
        .number('expected hours')
        .min(0.1, 'expected at least 0.1')
        .max(168, 'expected at most 168 (a week)')
        .default(1)
        .describe('So many more than it has.'),
    }),
    answer: SessionSummary,
    async handle(asked, tools) {
      const { config, records, now } = tools;
      const { name } = await needOwn(asked, tools);
      const limits = { ...config, periodKind: config.budgetPeriod };
      const wished = { by: asked.caller.person, hours: asked.body.hours };
      const record = await orConflict(prolongSession(name, wished, { records, limits, now }));
      if (!record) throw new Refused(404, `There is no session ${name}.`);
      return summaryOf(record, priceTable());
    },
  }),

  route({
    id: 'deleteSession',
    method: 'DELETE',
    path: '/v1/sessions/{name}',
    role: 'runner',
    summary: 'Deletes a session of yours with its disks, which has to be said: Workbench keeps none of them.',
    parameters,
    query: z.strictObject({
      disk: z.enum(['keep', 'delete']).default('keep').describe('delete: what is on them is gone for good.'),
    }),
    answer: SessionSummary,
    status: 202,
    async handle(asked, tools) {
      const record = await needOwn(asked, tools);
      const { cost, diskGb } = summaryOf(record, priceTable());
      if (asked.query.disk !== 'delete' && !isOver(record))
        throw new Refused(
          409,
          `A session is deleted with its disks of ${diskGb} GB only. Stopped, it keeps them: ${stoppedWords(cost.perMonthStopped)}. ` +
            'If they may go, say disk=delete.',
        );
      return wish(deleteSession, record.name, tools);
    },
  }),

  route({
    id: 'runInSession',
    method: 'POST',
    path: '/v1/sessions/{name}/runs',
    role: 'runner',
    summary:
      'Runs a notebook of the session’s repository to its end, as a job of its own with the same data and accelerators: it goes on when the laptop is closed and the session is stopped. What is not pushed is not in it.',
    parameters,
    body: RunOfSession,
    answer: JobSummary,
    status: 201,
    async handle(asked, tools) {
      const record = await need(asked.path.name, tools);
      if (!record.session.repository)
        throw new Refused(
          409,
          `${record.name} has no repository, so that no other machine can have the notebook.`,
        );
      const { notebook, ...rest } = asked.body;
      const job = jobIn((options) => jobOfSession(record, { notebook, ...rest }, options), tools);
      return startJob(job, asked, tools);
    },
  }),
];

function sessionIn(body: unknown, { config }: Tools): Session {
  try {
    return readWish(body, { allowFile: config.localCloud !== undefined });
  } catch (error) {
    if (!(error instanceof InvalidSession)) throw error;
    const errors = error.faults.map(({ path, message }) => ({
      path: path ? `body.${path}` : 'body',
      message,
    }));
    throw new Refused(400, 'The session is not as expected.', { errors });
  }
}

async function wish(
  ask: (to: Tools, name: string, now: Date) => Promise<SessionRecord | undefined>,
  name: string,
  tools: Tools,
): Promise<SessionSummary> {
  const prices: PriceTable = priceTable();
  const record = await orConflict(ask(tools, name, new Date(tools.now())));
  if (!record) throw new Refused(404, `There is no session ${name}.`);
  return summaryOf(record, prices);
}

const orConflict = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof SessionConflict ? new Refused(409, error.message) : error;
  });

async function need(name: string, { records }: Tools): Promise<SessionRecord> {
  const record = await readSession(records, name);
  if (!record) throw new Refused(404, `There is no session ${name}.`);
  return record;
}

/** Others may see it, and stop what costs; what is on its disks is its owner’s. */
async function needOwn(
  { path, caller }: Pick<Asked<{ name: string }, unknown, unknown>, 'path' | 'caller'>,
  tools: Tools,
): Promise<SessionRecord> {
  const record = await need(path.name, tools);
  if (record.owner !== caller.person && caller.role !== 'admin')
    throw new Refused(403, `${record.name} is of ${record.owner}.`);
  return record;
}
