import * as z from 'zod';
import { raiseGuard, releaseGuard } from '../../budget/changeGuard.ts';
import { Counted } from '../../budget/costRecord.ts';
import { GuardRecord, guardRecordName } from '../../budget/guardRecord.ts';
import { Level } from '../../budget/levels.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';

const sums = z.record(z.string(), z.number());
const dollars = z.number().describe('US dollars.');

const Report = z.object({
  spending: z.looseObject({
    asOf: z.string(),
    prices: z.string().optional(),
    period: z.object({ start: z.string(), end: z.string() }),
    perHour: dollars,
    today: dollars,
    counted: dollars,
    assumed: dollars,
    guessed: dollars,
    units: z.object({ vision: z.number(), language: z.number(), cost: dollars }),
    billed: z.object({ cost: z.number(), heardAt: z.string(), difference: z.number() }).optional(),
    estimate: dollars,
    forecast: dollars,
    by: z.looseObject({ kind: sums, owner: sums, job: sums, label: sums }),
    running: z.array(z.looseObject({ ...Counted.shape, kind: z.string(), key: z.string() })),
    unknown: z.array(z.string()).describe('What costs and has no price here.'),
    notCovered: z.array(z.string()),
  }),
  budget: z.object({ amount: dollars, left: dollars, days: z.number().optional(), level: Level }).optional(),
  credit: z
    .object({
      left: dollars,
      days: z.number().optional(),
      endsBy: z.string().optional(),
      isPartlyKnown: z.boolean(),
    })
    .optional(),
  savings: z.array(
    z.object({ what: z.string(), words: z.string(), by: z.string(), perHour: dollars, inPeriod: dollars }),
  ),
  isLocal: z.boolean(),
});

const why = z.string().trim().min(1, 'expected a reason').max(500).describe('Is kept, and told.');
const Changed = z.object({ level: Level, isNews: z.boolean().describe('false: it was so already.') });

export const moneyRoutes: Route[] = [
  route({
    id: 'getCost',
    method: 'GET',
    path: '/v1/cost',
    role: 'reader',
    summary:
      'What is spent: now, today and in this period, by whom and for what, and how long the money lasts.',
    answer: Report,
    async handle(_asked, { records, config }) {
      const { costReport } = await import('../../budget/costReport.ts');
      const report = await costReport(records, config);
      if (!report) throw new Refused(404, 'Nothing is counted yet; it is looked at every five minutes.');
      return report as object as z.infer<typeof Report>;
    },
  }),

  route({
    id: 'getGuard',
    method: 'GET',
    path: '/v1/guard',
    role: 'reader',
    summary: 'The level of the budget guard, why it is there, what it has done, and who has changed it.',
    answer: GuardRecord.partial().required({ level: true, history: true }),
    handle: async (_asked, { records }) =>
      (await records.read(guardRecordName, GuardRecord))?.value ?? { level: 'open' as const, history: [] },
  }),

  route({
    id: 'raiseGuard',
    method: 'POST',
    path: '/v1/guard/raise',
    role: 'admin',
    summary: 'Raises the level, and does what it asks for: stop-all stops machines.',
    body: z.strictObject({ level: Level.exclude(['open', 'detached']), why }),
    answer: Changed,
    async handle({ body, caller }, { records, publish, config, now }) {
      const at = now();
      const record = await raiseGuard(
        { records, publish, periodKind: config.budgetPeriod },
        { to: body.level, by: caller.person, why: body.why },
        at,
      );
      const isNews = record?.since === new Date(at).toISOString();
      return { level: record?.level ?? body.level, isNews };
    },
  }),

  route({
    id: 'releaseGuard',
    method: 'POST',
    path: '/v1/guard/release',
    role: 'admin',
    summary: 'Lets the level down, so that work may start again.',
    body: z.strictObject({ to: Level.exclude(['detached']).default('open'), why }),
    answer: Changed,
    async handle({ body: { to, why }, caller }, { records, now }) {
      const record = await releaseGuard(records, { to, by: caller.person, why }, now());
      if (record) return { level: record.level, isNews: true };
      const level = (await records.read(guardRecordName, GuardRecord))?.value.level ?? 'open';
      return { level, isNews: false };
    },
  }),
];
