import type { DatabaseSync } from 'node:sqlite';
import type { Node } from './nodes/node.ts';
import type { Operation } from './operations.ts';
import type { QueuedResource } from './queue/queuedResource.ts';

export type Key = { zone: string; name: string };

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

/** The resources of one kind, by zone and name, in that order. */
export type Zonal<T> = {
  get(key: Key): T | undefined;
  put(resource: T): void;
  remove(key: Key): void;
  all(): T[];
};

export type Tables = {
  nodes: Zonal<Node>;
  queuedResources: Zonal<QueuedResource>;
  operations: Zonal<Operation> & { byRequest(request: string): Operation | undefined };
  runs: {
    begin(run: Run): void;
    /** Ends what still runs of this node. */
    end(id: string, endedAt: string): void;
    all(): Run[];
  };
};

export function openTables(db: DatabaseSync): Tables {
  db.exec(`
    CREATE TABLE IF NOT EXISTS tpu_resources (
      kind TEXT NOT NULL,
      zone TEXT NOT NULL,
      name TEXT NOT NULL,
      resource TEXT NOT NULL, -- JSON
      request TEXT AS (resource ->> '$.request'),
      PRIMARY KEY (kind, zone, name)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS tpu_resources_request ON tpu_resources (request);
    CREATE TABLE IF NOT EXISTS tpu_runs (id INTEGER PRIMARY KEY, node TEXT NOT NULL, run TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS tpu_runs_node ON tpu_runs (node)`);
  const get = db.prepare('SELECT resource FROM tpu_resources WHERE kind = ? AND zone = ? AND name = ?');
  const put = db.prepare(
    'INSERT OR REPLACE INTO tpu_resources (kind, zone, name, resource) VALUES (?, ?, ?, ?)',
  );
  const remove = db.prepare('DELETE FROM tpu_resources WHERE kind = ? AND zone = ? AND name = ?');
  const all = db.prepare('SELECT resource FROM tpu_resources WHERE kind = ? ORDER BY zone, name');
  const byRequest = db.prepare('SELECT resource FROM tpu_resources WHERE request = ?');
  const begin = db.prepare('INSERT INTO tpu_runs (node, run) VALUES (?, ?)');
  const end = db.prepare(
    "UPDATE tpu_runs SET run = json_set(run, '$.endedAt', ?2) WHERE node = ?1 AND run ->> '$.endedAt' IS NULL",
  );
  const runs = db.prepare('SELECT run FROM tpu_runs ORDER BY id');

  const zonal = <T extends Key>(kind: string): Zonal<T> => ({
    get({ zone, name }) {
      const row = get.get(kind, zone, name);
      return row && (JSON.parse(row.resource as string) as T);
    },
    put: (resource) => void put.run(kind, resource.zone, resource.name, JSON.stringify(resource)),
    remove: ({ zone, name }) => void remove.run(kind, zone, name),
    all: () => all.all(kind).map(({ resource }) => JSON.parse(resource as string) as T),
  });
  return {
    nodes: zonal<Node>('node'),
    queuedResources: zonal<QueuedResource>('queuedResource'),
    operations: {
      ...zonal<Operation>('operation'),
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
