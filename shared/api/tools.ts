import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type { Config } from '../config.ts';
import type { IdleMachine } from '../machines/idle/idleMachine.ts';
import type { IdleVms } from '../machines/idle/idleVms.ts';
import type { Paid, Stopped } from '../machines/machines.ts';
import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';

/** What routes work with. Clients that only some of them need are made when they are asked for. */
export type Tools = {
  config: Config;
  raw: Bucket;
  derived: Bucket;
  /** The same bucket, for its lists and small objects. */
  derivedRecords: Records;
  /** In the state bucket. */
  records: Records;
  publish: Publish;
  drive: () => Promise<drive_v3.Drive>;
  vms: () => Promise<IdleVms>;
  tpus: () => Promise<Pick<Paid, 'listAll'>>;
  stopMachine: (machine: IdleMachine) => Promise<Stopped>;
  now: () => number;
};
