import express from 'express';
import type { PubSubService } from '../pubsub/pubsub.ts';
import type { Context, Service } from '../service.ts';
import { createClock } from './clock.ts';
import { createNotifier } from './notifier.ts';
import type { Parts } from './parts.ts';
import { accountRoutes } from './routes/accounts.ts';
import { budgetRoutes } from './routes/budgets.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { localRoutes } from './routes/local.ts';
import { projectRoutes } from './routes/projects.ts';
import { Settings } from './settings.ts';
import { openTables } from './tables.ts';

export type BillingOptions = {
  publish: PubSubService['publish'];
  /** Replaced by tests that want the same delays again. */
  random?: (() => number) | undefined;
};

/**
 * Billing: accounts and what is attached to them, the price catalogue, and budgets that tell what is spent as Google does,
 * which is late, more than once, and in no order.
 * https://cloud.google.com/billing/docs/reference/rest
 * https://cloud.google.com/billing/docs/reference/budget/rest
 */
export function createBilling(context: Context, { publish, random = Math.random }: BillingOptions): Service {
  const tables = openTables(context.store.db);
  const settings = Settings.parse({});
  const clock = createClock();
  const notifier = createNotifier({ context, tables, settings, clock, publish, random });
  const parts: Parts = { context, tables, settings, clock, notifier, random };

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
    },
  };
}
