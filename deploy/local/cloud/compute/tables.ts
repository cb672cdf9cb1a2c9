import type { DatabaseSync } from 'node:sqlite';
import {
  openOperations,
  openRuns,
  openZonal,
  type Runs,
  type Zonal,
  type ZonalOperations,
} from '../zonal.ts';
import type { Disk } from './disks.ts';
import type { Instance } from './instances/instance.ts';
import type { Operation } from './operations.ts';

/** What a machine ran, from RUNNING to its end. */
export type Run = {
  zone: string;
  name: string;
  id: string;
  machineType: string;
  accelerators: { type: string; count: number }[];
  provisioningModel: 'SPOT' | 'STANDARD';
  diskGb: number;
  localSsds: number;
  labels: Record<string, string>;
  startedAt: string;
  /** Missing while it runs. */
  endedAt?: string;
};

export type Tables = {
  instances: Zonal<Instance>;
  disks: Zonal<Disk>;
  operations: ZonalOperations<Operation>;
  runs: Runs<Run>;
};

export const openTables = (db: DatabaseSync): Tables => ({
  instances: openZonal(db, 'compute_instances'),
  disks: openZonal(db, 'compute_disks'),
  operations: openOperations(db, 'compute_operations'),
  runs: openRuns(db, 'compute_machine_runs'),
});
