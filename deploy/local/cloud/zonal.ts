import type { DatabaseSync } from 'node:sqlite';

export type Key = { zone: string; name: string };

/** The resources of one kind, by zone and name, in that order. */
export type Zonal<T> = {
  get(key: Key): T | undefined;
  put(resource: T): void;
  remove(key: Key): void;
  all(): T[];
};

/** Operations, which are found by the id of the request that began them, too. */
export type ZonalOperations<T> = Zonal<T> & { byRequest(request: string): T | undefined };

/** From its start to its end, which is missing while it runs. */
type Span = { id: string; startedAt: string; endedAt?: string };

/** What machines ran, as it is billed: it stays when they are deleted. */
export type Runs<T> = {
  begin(run: T): void;
  /** Ends what still runs of the machine of this id. */
  end(id: string, endedAt: string): void;
  all(): T[];
};

/** @param table its name; it is made if it is not there */
export function openZonal<T extends Key>(db: DatabaseSync, table: string): Zonal<T> {
  db.exec(`
    CREATE TABLE IF NOT EXISTS ${table} (
      zone TEXT NOT NULL,
      name TEXT NOT NULL,
      resource TEXT NOT NULL, -- JSON
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
}

export function openOperations<T extends Key>(db: DatabaseSync, table: string): ZonalOperations<T> {
  const zonal = openZonal<T>(db, table);
  db.exec(`CREATE INDEX IF NOT EXISTS ${table}_request ON ${table} (resource ->> '$.request')`);
  const byRequest = db.prepare(`SELECT resource FROM ${table} WHERE resource ->> '$.request' = ?`);
  return {
    ...zonal,
    byRequest(request) {
      const row = byRequest.get(request);
      return row && (JSON.parse(row.resource as string) as T);
    },
  };
}

export function openRuns<T extends Span>(db: DatabaseSync, table: string): Runs<T> {
  db.exec(`
    CREATE TABLE IF NOT EXISTS ${table} (id INTEGER PRIMARY KEY, machine TEXT NOT NULL, run TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS ${table}_machine ON ${table} (machine)`);
  const begin = db.prepare(`INSERT INTO ${table} (machine, run) VALUES (?, ?)`);
  const end = db.prepare(
    `UPDATE ${table} SET run = json_set(run, '$.endedAt', ?2) WHERE machine = ?1 AND run ->> '$.endedAt' IS NULL`,
  );
  const all = db.prepare(`SELECT run FROM ${table} ORDER BY id`);
  return {
    begin: (run) => void begin.run(run.id, JSON.stringify(run)),
    end: (id, endedAt) => void end.run(id, endedAt),
    all: () => all.all().map(({ run }) => JSON.parse(run as string) as T),
  };
}
