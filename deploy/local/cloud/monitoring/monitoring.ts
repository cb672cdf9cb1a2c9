import express from 'express';
import type { Machines } from '../compute/machines.ts';
import type { Context, Service } from '../service.ts';
import type { StorageService } from '../storage/storage.ts';
import { createBucketSampler } from './bucketSampler.ts';
import { createClock } from './clock.ts';
import { builtIn } from './descriptors.ts';
import type { Parts } from './parts.ts';
import { googleRoutes } from './routes/google.ts';
import { localRoutes } from './routes/local.ts';
import { createSampler } from './sampler.ts';
import { openTables } from './series/tables.ts';
import { Settings } from './settings.ts';

/** https://cloud.google.com/monitoring/quotas#data_retention_policy (ms) */
const kept = 42 * 24 * 3600_000;

/**
 * Cloud Monitoring's time series: what the machines here have really used and the buckets hold, as late as at Google, and
 * what is written to it.
 * https://cloud.google.com/monitoring/api/ref_v3/rest
 */
export function createMonitoring(
  context: Context,
  machines: Machines,
  stored: StorageService['stored'],
): Service {
  const tables = openTables(context.store.db);
  const settings = Settings.parse({});
  const clock = createClock();
  tables.prune(clock.now() - kept);
  const parts: Parts = {
    context,
    settings,
    clock,
    tables,
    machines,
    stored,
    descriptorOf(type) {
      if (settings.unknownMetrics.some((prefix) => type.startsWith(prefix))) return undefined;
      return builtIn.find((one) => one.type === type) ?? tables.descriptors.get(type);
    },
  };
  const sampler = createSampler(parts);
  const bucketSampler = createBucketSampler(parts);
  return {
    name: 'monitoring',
    owns: /^\/v3\/projects\/|^\/_local\/monitoring\//,
    router: express.Router().use(localRoutes(parts, sampler, bucketSampler), googleRoutes(parts)),
    pending: () => 0,
    async close() {
      sampler.close();
      bucketSampler.close();
    },
  };
}
