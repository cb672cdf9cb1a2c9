import type { DatabaseSync } from 'node:sqlite';
import {
  openOperations,
  openRuns,
  openZonal,
  type Runs,
  type Zonal,
  type ZonalOperations,
} from '../zonal.ts';
import type { Node } from './nodes/node.ts';
import type { Operation } from './operations.ts';
import type { QueuedResource } from './queue/queuedResource.ts';

/** What a node ran: from READY until it is preempted or deleted. */
export type Run = {
  zone: string;
  name: string;
  id: string;
  acceleratorType: string;
  provisioningModel: 'SPOT' | 'STANDARD';
  labels: Record<string, string>;
  startedAt: string;
  /** Missing while it runs. */
  endedAt?: string;
};

export type Tables = {
  nodes: Zonal<Node>;
  queuedResources: Zonal<QueuedResource>;
  operations: ZonalOperations<Operation>;
  runs: Runs<Run>;
};

export const openTables = (db: DatabaseSync): Tables => ({
  nodes: openZonal(db, 'tpu_nodes'),
  queuedResources: openZonal(db, 'tpu_queued_resources'),
  operations: openOperations(db, 'tpu_operations'),
  runs: openRuns(db, 'tpu_node_runs'),
});
