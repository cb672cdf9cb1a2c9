import type { DatabaseSync } from 'node:sqlite';
import { openZonal, type Zonal } from '../zonal.ts';
import type { Body } from './body.ts';
import type { Operation } from './operations.ts';

/** An instance as it is stored. What becomes of its machine is asked of Compute Engine each time. */
export type Notebook = {
  zone: string;
  name: string;
  id: string;
  /** Of its machine. Another one of the same name is not this one's. */
  machineId: string;
  body: Body;
  proxyUri: string;
  created: string;
  updated: string;
  /** The operation of Compute Engine that made its machine. */
  insert: string;
  /** It is being deleted. */
  isLeaving?: boolean;
};

export type Tables = { instances: Zonal<Notebook>; operations: Zonal<Operation> };

export const openTables = (db: DatabaseSync): Tables => ({
  instances: openZonal(db, 'notebooks_instances'),
  operations: openZonal(db, 'notebooks_operations'),
});
