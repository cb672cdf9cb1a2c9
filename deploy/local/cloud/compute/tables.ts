import type { DatabaseSync } from 'node:sqlite';
import type { Disk } from './disks.ts';
import type { Instance, Key } from './instances/instance.ts';
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

/** The resources of one kind, by zone and name, in that order. */
export type Zonal<T> = {
  get(key: Key): T | undefined;
  put(resource: T): void;
  remove(key: Key): void;
  all(): T[];
};

export type Tables = {
  instances: Zonal<Instance>;
  disks: Zonal<Disk>;
  operations: Zonal<Operation> & { byRequest(request: string): Operation | undefined };
  runs: {
    begin(run: Run): void;
    /** Ends what still runs of this instance. */
    end(id: string, endedAt: string): void;
    all(): Run[];
  };
};

export function openTables(db: DatabaseSync): Tables {
  const zonal = <T extends Key>(table: string, columns = ''): Zonal<T> => {
    db.exec(`
      CREATE TABLE IF NOT EXISTS ${table} (
        zone TEXT NOT NULL,
        name TEXT NOT NULL,
        resource TEXT NOT NULL, -- JSON
        ${columns}
        PRIMARY KEY (zone, name)
      ) WITHOUT ROWID`);
    const get = db.prepare(`SELECT resource FROM ${table} WHERE zone = ? AND name = ?`);
    const put = db.prepare(`INSERT OR REPLACE INTO ${table} (zone, name, resource) VALUES (?, ?, ?)`);
    const remove = db.prepare(`DELETE FROM ${table} WHERE zone = ? AND name = ?`);
    const all = db.prepare(`SELECT resource FROM ${table} ORDER BY zone, name`);
    return {
      get({ zone, name }) {
        const row = get.get(zone, name);
        return row && (JSON.parse(row.resource as string) as T);
      },
      put: (resource) => void put.run(resource.zone, resource.name, JSON.stringify(resource)),
      remove: ({ zone, name }) => void remove.run(zone, name),
      all: () => all.all().map(({ resource }) => JSON.parse(resource as string) as T),
    };
  };
  const instances = zonal<Instance>('compute_instances');
  const disks = zonal<Disk>('compute_disks');
  const operations = zonal<Operation>('compute_operations', "request TEXT AS (resource ->> '$.request'),");
  db.exec(`
    CREATE INDEX IF NOT EXISTS compute_operations_request ON compute_operations (request);
    CREATE TABLE IF NOT EXISTS compute_runs (id INTEGER PRIMARY KEY, instance TEXT NOT NULL, run TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS compute_runs_instance ON compute_runs (instance)`);
  const byRequest = db.prepare('SELECT resource FROM compute_operations WHERE request = ?');
  const begin = db.prepare('INSERT INTO compute_runs (instance, run) VALUES (?, ?)');
  const end = db.prepare(
    "UPDATE compute_runs SET run = json_set(run, '$.endedAt', ?2) WHERE instance = ?1 AND run ->> '$.endedAt' IS NULL",
  );
  const runs = db.prepare('SELECT run FROM compute_runs ORDER BY id');
  return {
    instances,
    disks,
    operations: {
      ...operations,
      byRequest(request) {
        const row = byRequest.get(request);
        return row && (JSON.parse(row.resource as string) as Operation);
      },
    },
    runs: {
      begin: (run) => void begin.run(run.id, JSON.stringify(run)),
      end: (id, endedAt) => void end.run(id, endedAt),
      all: () => runs.all().map(({ run }) => JSON.parse(run as string) as Run),
    },
  };
}
