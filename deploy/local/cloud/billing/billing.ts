import express from 'express';
import type { PubSubService } from '../pubsub/pubsub.ts';
import type { Context, Service } from '../service.ts';
import { createClock } from './clock.ts';
import { createMeter, type Things } from './meter.ts';
import { createNotifier } from './notifier.ts';
import type { Parts } from './parts.ts';
import { accountRoutes } from './routes/accounts.ts';
import { budgetRoutes } from './routes/budgets.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { localRoutes } from './routes/local.ts';
import { projectRoutes } from './routes/projects.ts';
import { Settings } from './settings.ts';
import { openTables } from './tables.ts';
import { costOfUnits, monthOf, unitsOf } from './units.ts';

export type BillingOptions = {
  publish: PubSubService['publish'];
  things: Things;
  /** Replaced by tests that want the same delays again. */
  random?: (() => number) | undefined;
};

/**
 * Billing: accounts and what is attached to them, the price catalogue, what that makes of all that runs here, and budgets
 * that tell it as Google does, which is late, more than once, and in no order.
 * https://cloud.google.com/billing/docs/reference/rest
 * https://cloud.google.com/billing/docs/reference/budget/rest
 */
export function createBilling(
  context: Context,
  { publish, things, random = Math.random }: BillingOptions,
): Service {
  const tables = openTables(context.store.db);
  const settings = Settings.parse({});
  const clock = createClock();
  const draw = ([least, most]: [number, number]) => (least + random() * (most - least)) * 1000;
  const meter = createMeter({ context, tables, settings, clock, things, draw });
  const notifier = createNotifier({ context, tables, settings, clock, meter, publish, random, draw });
  const parts: Parts = { context, tables, settings, clock, meter, notifier, draw };
  context.requests.listen((request) => {
    const at = clock.now();
    for (const units of unitsOf(request)) {
      const { service, feature, count } = units;
      const before = tables.units.add(monthOf(at), `${service}/${feature}`, count);
      const amount = costOfUnits(units, before);
      if (amount > 0 && settings.isMetering)
        tables.costs.add({
          at,
          knownAt: at + draw(settings.late),
          amount,
          project: context.project,
          service,
        });
    }
  });

  const router = express.Router();
  router.use(localRoutes(parts), projectRoutes(parts), accountRoutes(parts), budgetRoutes(parts));
  router.use(catalogueRoutes());
  return {
    name: 'billing',
    owns: /^\/v1\/(projects\/[^/]+\/billingInfo|billingAccounts|services)(\/|$)|^\/_local\/billing\//,
    router,
    pending: () => 0,
    async close() {
      notifier.close();
      meter.look(clock.now());
    },
  };
}
