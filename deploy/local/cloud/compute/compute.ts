import express from 'express';
import { batchRoutes } from '../batch.ts';
import { jsonBody } from '../jsonBody.ts';
import type { Context, Service } from '../service.ts';
import { createFolders } from './instances/folders.ts';
import { createLife } from './instances/life.ts';
import { createMachines, type Machines } from './machines.ts';
import { createOperations } from './operations.ts';
import type { Parts } from './parts.ts';
import { actionRoutes } from './routes/actions.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { diskRoutes } from './routes/disks.ts';
import { guestRoutes } from './routes/guest.ts';
import { instanceRoutes } from './routes/instances.ts';
import { localRoutes } from './routes/local.ts';
import { operationRoutes } from './routes/operations.ts';
import { handled, type On } from './routes/request.ts';
import { Settings } from './settings.ts';
import { openTables } from './tables.ts';

const mebibyte = 1024 ** 2;

export type ComputeService = Service & { machines: Machines };

/**
 * Compute Engine, where a machine is a process that really runs its start-up script, in a folder and with a metadata
 * server of its own. Accelerators can be asked for and are not there.
 * https://cloud.google.com/compute/docs/reference/rest/v1
 *
 * @param keyFile of the service account whose tokens machines are given
 */
export function createCompute(context: Context, keyFile: string): ComputeService {
  const tables = openTables(context.store.db);
  const settings = Settings.parse({});
  const operations = createOperations(context, tables);
  const folders = createFolders(context.store.dir);
  const life = createLife({ context, tables, operations, settings, folders, keyFile });
  const parts: Parts = { context, settings, tables, operations, life, folders };

  const router = express.Router();
  router.use(localRoutes(parts), batchRoutes(context, 'compute'));
  router.use('/compute/v1', jsonBody(mebibyte));
  const on: On = (method, path, op, handler) =>
    router[method](`/compute/v1/projects/:project${path}`, handled(parts, op, handler));
  for (const routes of [
    instanceRoutes,
    actionRoutes,
    guestRoutes,
    operationRoutes,
    diskRoutes,
    catalogueRoutes,
  ]) {
    routes(parts, on);
  }

  return {
    name: 'compute',
    owns: /^\/(batch\/)?compute\/v1(\/|$)|^\/_local\/compute\//,
    router,
    machines: createMachines(parts),
    pending: () => operations.running() + life.pending(),
    async close() {
      await life.close();
      operations.close();
    },
  };
}
