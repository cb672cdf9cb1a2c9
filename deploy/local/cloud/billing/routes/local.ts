import express, { type Router } from 'express';
import * as z from 'zod';
import { GoogleError } from '../../googleError.ts';
import type { Parts } from '../parts.ts';
import { Settings } from '../settings.ts';

const Spend = z.strictObject({
  /** Less than nothing is a credit. */
  amount: z.number(),
  project: z.string().optional(),
  /** Compute Engine, if nothing else is said. */
  service: z.string().default('6F81-5844-456A'),
  /** When it was caused; now, if nothing else is said. */
  at: z.iso.datetime().optional(),
  /** Seconds until it is known, instead of what the settings say. */
  late: z.number().nonnegative().optional(),
});
const Clock = z.strictObject({
  now: z.iso.datetime().optional(),
  /** How many of its seconds pass in one of ours. */
  speed: z.number().positive().max(10_000_000).optional(),
  /** Seconds that pass at once. What is due meanwhile is sent, each at its own moment. */
  advance: z.number().nonnegative().optional(),
});

/**
 * What happens by itself at Google, for a test to ask for:
 *
 *     POST /_local/billing/settings   replaces the settings; GET shows them
 *     POST /_local/billing/spend      adds a cost: `{ amount }`; GET shows them all, DELETE forgets them
 *     POST /_local/billing/clock      `{ now, speed, advance }`; GET shows it
 */
export function localRoutes({ context, tables, settings, clock, meter, notifier, draw }: Parts): Router {
  const shownClock = () => ({ now: new Date(clock.now()).toISOString(), speed: clock.speed() });
  return express
    .Router()
    .use('/_local/billing', express.json())
    .get('/_local/billing/settings', (_request, response) => void response.json(settings))
    .post('/_local/billing/settings', (request, response) => {
      Object.assign(settings, read(Settings, request.body));
      for (const budget of tables.budgets.all()) tables.budgets.put(notifier.scheduled(budget));
      notifier.changed();
      response.json(settings);
    })
    .get('/_local/billing/spend', (_request, response) => void response.json(tables.costs.all()))
    .post('/_local/billing/spend', (request, response) => {
      const { amount, service, project = context.project, ...spend } = read(Spend, request.body);
      const at = spend.at ? Date.parse(spend.at) : clock.now();
      const late = spend.late === undefined ? draw(settings.late) : spend.late * 1000;
      const cost = { at, knownAt: at + late, amount, project, service };
      tables.costs.add(cost);
      response.json(cost);
    })
    .delete('/_local/billing/spend', (_request, response) => {
      tables.costs.clear();
      response.json({});
    })
    .get('/_local/billing/clock', (_request, response) => void response.json(shownClock()))
    .post('/_local/billing/clock', (request, response) => {
      const { now, speed, advance } = read(Clock, request.body);
      if (now !== undefined || speed !== undefined) {
        meter.look(clock.now());
        clock.set({ now: now === undefined ? undefined : Date.parse(now), speed });
        meter.restart();
      }
      // Of another time, it would be due never, or at once.
      if (now !== undefined)
        for (const budget of tables.budgets.all()) tables.budgets.put(notifier.scheduled(budget));
      if (advance !== undefined) notifier.advance(advance * 1000);
      notifier.changed();
      response.json(shownClock());
    });
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (!parsed.success) throw new GoogleError(400, 'invalid', z.prettifyError(parsed.error));
  return parsed.data;
}
