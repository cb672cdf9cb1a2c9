import * as z from 'zod';
import { Attention } from '../../drive/fileRecord.ts';
import { Run } from '../../drive/runs.ts';
import { openSync } from '../../sync/openSync.ts';
import { agreeToRemovals, heldRemovals, requestSync } from '../../sync/requestSync.ts';
import { Problem } from '../../unprocessable.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';

const time = z.iso.datetime();

const Status = z.object({
  healthy: z.boolean(),
  troubles: z.array(z.string()).describe('What is not as it should be with the sync itself, in words.'),
  feed: z.object({ drainedAt: time }).optional(),
  channel: z.object({ expiration: time }).optional(),
  comparison: z
    .object({
      run: z.string(),
      state: z.enum(['running', 'waiting', 'ended']),
      startedAt: time,
      looked: z.number(),
      asked: z.number(),
      folders: z.number(),
    })
    .optional(),
  transfers: z.array(z.object({ name: z.string(), bytes: z.number(), of: z.number().optional() })),
  runs: z.array(
    Run.extend({
      id: z.string(),
      counts: z.record(z.string(), z.number()),
      bytes: z.number(),
      lag: z.object({ count: z.number(), sum: z.number(), longest: z.number() }),
      reasons: z.record(z.string(), z.number()),
    }),
  ),
  skipped: z.array(Attention),
  held: z.array(Attention).describe('Removals that wait for somebody who agrees.'),
  clashes: z.array(z.string()),
  waiting: z.number(),
  problems: z.array(Problem),
});

const Counts = z.record(z.string(), z.number());
const isCut = z
  .boolean()
  .describe('There was more than fits into an answer, or than could be looked at in its time.');

const Planned = z.object({
  items: z.array(
    z.object({
      do: z.enum([
        'upload',
        'rename',
        'restore',
        'describe',
        'retire',
        'hold',
        'skip',
        'wait',
        'leave',
        'error',
      ]),
      name: z.string(),
      because: z.string(),
      fileId: z.string().optional(),
      bytes: z.number().optional(),
      from: z.string().optional(),
    }),
  ),
  summary: z.object({
    counts: Counts,
    bytes: z.number(),
    looked: z.number(),
    pending: z.object({ state: z.enum(['known', 'unknown']), changes: z.number() }),
  }),
  isCut,
});

const Verified = z.object({
  items: z
    .array(
      z.object({
        is: z.enum(['missing', 'different', 'extra', 'skipped', 'error']),
        name: z.string(),
        because: z.string(),
      }),
    )
    .describe('What is not identical.'),
  summary: Counts,
  isCut,
});

/** A look at a large tree takes minutes: the function may run for nine. */
const patience = 4 * 60_000;
const mostItems = 10_000;

export const syncRoutes: Route[] = [
  route({
    id: 'getSyncStatus',
    method: 'GET',
    path: '/v1/sync/status',
    role: 'reader',
    summary: 'Is the sync healthy, what did it do, what was skipped, and what waits for somebody?',
    query: z.strictObject({
      runs: z.coerce
        .number('expected a number')
        .int('expected a whole number')
        .min(0, 'expected at least 0')
        .max(100, 'expected at most 100')
        .default(5)
        .describe('So many of the last runs.'),
    }),
    answer: Status,
    async handle({ query }, tools) {
      const { syncReport } = await import('../../sync/syncReport.ts');
      return syncReport(await open(tools), query.runs, tools.now());
    },
  }),

  route({
    id: 'syncNow',
    method: 'POST',
    path: '/v1/sync/now',
    role: 'runner',
    // Something is removed by it from the bucket, though that keeps the versions.
    roleOf: ({ body }) => (body?.approve ? 'admin' : 'runner'),
    summary: 'Asks for it: reads the changes, and compares the whole tree. The status tells how it goes.',
    body: z
      .strictObject({
        approve: z
          .array(z.string().min(1).max(200))
          .min(1)
          .max(1000)
          .optional()
          .describe('Ids of files whose removal is held, and is to be done. For admins.'),
      })
      .optional(),
    answer: z.object({ requestedAt: time, approved: z.number() }),
    status: 202,
    async handle({ body }, { records, publish, now }) {
      const wanted = body?.approve ?? [];
      const held = wanted.length > 0 ? (await heldRemovals(records)).map(({ fileId }) => fileId) : [];
      const other = wanted.find((fileId) => !held.includes(fileId));
      if (other !== undefined)
        throw new Refused(409, `No removal of “${other}” is held; sync/status lists those that are.`);
      await agreeToRemovals(publish, wanted);
      return { requestedAt: await requestSync(publish, new Date(now())), approved: wanted.length };
    },
  }),

  route({
    id: 'planSync',
    method: 'GET',
    path: '/v1/sync/plan',
    role: 'reader',
    summary: 'What a sync would do now and why, file by file. Nothing is written.',
    answer: Planned,
    async handle(_asked, tools) {
      const { dryRun } = await import('../../sync/dryRun.ts');
      const answer: z.infer<typeof Planned> = {
        items: [],
        summary: { counts: {}, bytes: 0, looked: 0, pending: { state: 'unknown', changes: 0 } },
        isCut: false,
      };
      const { items, summary } = answer;
      const end = tools.now() + patience;
      for await (const { entries, errors, looked, pending } of dryRun(await open(tools))) {
        items.push(
          ...entries,
          ...errors.map(({ name, because }) => ({ do: 'error' as const, name, because })),
        );
        summary.looked = looked;
        summary.pending = { state: pending.state, changes: pending.changes.size };
        answer.isCut = tools.now() > end || items.length > mostItems;
        if (answer.isCut) break;
      }
      for (const { do: verb, bytes = 0 } of items) {
        summary.counts[verb] = (summary.counts[verb] ?? 0) + 1;
        summary.bytes += bytes;
      }
      return { ...answer, items: items.slice(0, mostItems) };
    },
  }),

  route({
    id: 'verifySync',
    method: 'GET',
    path: '/v1/sync/verify',
    role: 'reader',
    summary: 'Compares the whole study folder with the bucket. Nothing is written.',
    answer: Verified,
    async handle(_asked, tools) {
      const { walk } = await import('../../sync/walk.ts');
      const answer: z.infer<typeof Verified> = { items: [], summary: { identical: 0 }, isCut: false };
      const { items, summary } = answer;
      const end = tools.now() + patience;
      for await (const { findings } of walk(await open(tools))) {
        for (const { is, name, because } of findings) {
          summary[is] = (summary[is] ?? 0) + 1;
          if (is !== 'identical') items.push({ is, name, because });
        }
        answer.isCut = tools.now() > end || items.length > mostItems;
        if (answer.isCut) break;
      }
      return { ...answer, items: items.slice(0, mostItems) };
    },
  }),
];

const open = async ({ drive, ...tools }: Tools) => openSync({ ...tools, drive: await drive() }, tools.config);
