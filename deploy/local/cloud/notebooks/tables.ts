import type { DatabaseSync } from 'node:sqlite';
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

type Table<T> = {
  get(zone: string, name: string): T | undefined;
  put(one: T): void;
  remove(one: T): void;
  all(): T[];
};

export type Tables = { instances: Table<Notebook>; operations: Table<Operation> };

export function openTables(db: DatabaseSync): Tables {
  const table = <T extends { zone: string; name: string }>(called: string): Table<T> => {
    db.exec(`
      CREATE TABLE IF NOT EXISTS ${called} (
        zone TEXT NOT NULL,
        name TEXT NOT NULL,
        resource TEXT NOT NULL, -- JSON
        PRIMARY KEY (zone, name)
      ) WITHOUT ROWID`);
    const get = db.prepare(`SELECT resource FROM ${called} WHERE zone = ? AND name = ?`);
    const put = db.prepare(`INSERT OR REPLACE INTO ${called} (zone, name, resource) VALUES (?, ?, ?)`);
    const remove = db.prepare(`DELETE FROM ${called} WHERE zone = ? AND name = ?`);
    const all = db.prepare(`SELECT resource FROM ${called} ORDER BY zone, name`);
    return {
      get(zone, name) {
        const row = get.get(zone, name);
        return row && (JSON.parse(row.resource as string) as T);
      },
      put: (one) => void put.run(one.zone, one.name, JSON.stringify(one)),
      remove: ({ zone, name }) => void remove.run(zone, name),
      all: () => all.all().map(({ resource }) => JSON.parse(resource as string) as T),
    };
  };
  return { instances: table('notebooks_instances'), operations: table('notebooks_operations') };
}
