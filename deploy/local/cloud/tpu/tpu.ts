import express from 'express';
import { jsonBody } from '../jsonBody.ts';
import type { Context, Service } from '../service.ts';
import { createNodes } from './nodes/life.ts';
import { createOperations } from './operations.ts';
import type { Parts } from './parts.ts';
import { createQueue, type Queue } from './queue/life.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { localRoutes } from './routes/local.ts';
import { nodeRoutes } from './routes/nodes.ts';
import { queuedResourceRoutes } from './routes/queuedResources.ts';
import { handled, type On } from './routes/request.ts';
import { Settings } from './settings.ts';
import { openTables, type Run } from './tables.ts';

const mebibyte = 1024 ** 2;

export type TpuService = Service & {
  /** What nodes have run, and run now. */
  runs(): Run[];
};

/**
 * Cloud TPU, where a node is a process that really runs its start-up script, as a machine of Compute Engine does. TPUs can
 * be asked for and are not there.
 * https://cloud.google.com/tpu/docs/reference/rest/v2/projects.locations
 *
 * @param keyFile of the service account whose tokens nodes are given
 */
export function createTpu(context: Context, keyFile: string): TpuService {
  const tables = openTables(context.store.db);
  const settings = Settings.parse({});
  const operations = createOperations(context, tables);
  const nodes = createNodes(context, tables, settings, {
    keyFile,
    onEnd: (node, initiator) => queue.nodeEnded(node, initiator),
  });
  const queue: Queue = createQueue(context, tables, operations, settings, nodes);
  const parts: Parts = { context, settings, tables, operations, nodes, queue };

  const router = express.Router();
  router.use(localRoutes(parts));
  router.use('/v2', jsonBody(mebibyte));
  const locations = '/v2/projects/:project/locations';
  const on: On = (method, path, op, handler) =>
    router[method](
      op === 'locations.list' ? locations : `${locations}/:zone${path}`,
      handled(parts, op, handler),
    );
  for (const routes of [nodeRoutes, queuedResourceRoutes, catalogueRoutes]) routes(parts, on);

  return {
    name: 'tpu',
    owns: /^\/v2\/projects\/[^/]+\/locations(\/[^/]+(\/(nodes|queuedResources|operations|acceleratorTypes|runtimeVersions)(\/.*)?)?)?$|^\/_local\/tpu\//,
    router,
    runs: tables.runs.all,
    pending: () => operations.running() + nodes.pending() + queue.pending(),
    async close() {
      queue.close();
      await nodes.close();
    },
  };
}
