import type { Machines } from '../compute/machines.ts';
import type { Context, Service } from '../service.ts';
import type { Parts } from './parts.ts';
import { notebookRoutes } from './routes.ts';
import { Settings } from './settings.ts';
import { openTables } from './tables.ts';

/**
 * Workbench instances: notebooks on machines of Compute Engine, which lists them as well and where they can be stopped
 * and deleted behind Workbench's back. Their image is not there: what runs on such a machine is what its metadata says.
 * https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2
 */
export function createNotebooks(context: Context, machines: Machines): Service {
  const parts: Parts = {
    context,
    settings: Settings.parse({}),
    tables: openTables(context.store.db),
    machines,
  };
  return {
    name: 'notebooks',
    owns: /^\/v2\/projects\/[^/]+\/locations\/[^/]+\/(instances([/:]|$)|operations(\/workbench-|$))|^\/_local\/notebooks\//,
    router: notebookRoutes(parts),
    // What it waits for is Compute Engine's.
    pending: () => 0,
    async close() {},
  };
}
