import type { DatabaseSync } from 'node:sqlite';
import type { Budget } from './budget.ts';

export type Cost = {
  /** By Billing's clock: when it was caused, and when it is known. */
  at: number;
  knownAt: number;
  amount: number;
  project: string;
  service: string;
};

/** A notification on its way. */
export type Letter = { topic: string; data: string; attributes: Record<string, string> };

export type Tables = {
  budgets: {
    get(name: string): Budget | undefined;
    put(budget: Budget): void;
    remove(name: string): void;
    all(): Budget[];
    /** When the next notification is due, if any. */
    next(): number | undefined;
  };
  costs: {
    add(cost: Cost): void;
    all(): Cost[];
    clear(): void;
  };
  letters: {
    send(letter: Letter, dueAt: number): void;
    /** Takes out those that are due, in that order. */
    take(now: number): Letter[];
    next(): number | undefined;
  };
  meter: {
    /** Until when, by the time of this computer, what runs is counted already. */
    last(): number | undefined;
    saw(at: number): void;
  };
  units: {
    /** Adds so many. @returns how many there were before */
    add(month: string, what: string, count: number): number;
  };
  projects: {
    /** The name of its billing account; empty if it has none, undefined if nothing was changed yet. */
    account(project: string): string | undefined;
    setAccount(project: string, account: string): void;
  };
};

export function openTables(db: DatabaseSync): Tables {
  db.exec(`
    CREATE TABLE IF NOT EXISTS billing_budgets (
      name TEXT PRIMARY KEY,
      budget TEXT NOT NULL, -- JSON
      next REAL AS (budget ->> '$.nextAt')
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS billing_costs (id INTEGER PRIMARY KEY, cost TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS billing_letters (id INTEGER PRIMARY KEY, due REAL NOT NULL, letter TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS billing_meter (id INTEGER PRIMARY KEY CHECK (id = 1), last REAL NOT NULL);
    CREATE TABLE IF NOT EXISTS billing_units (
      month TEXT NOT NULL,
      what TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (month, what)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS billing_projects (project TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID`);
  const get = db.prepare('SELECT budget FROM billing_budgets WHERE name = ?');
  const put = db.prepare('INSERT OR REPLACE INTO billing_budgets (name, budget) VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM billing_budgets WHERE name = ?');
  const all = db.prepare('SELECT budget FROM billing_budgets ORDER BY name');
  const next = db.prepare('SELECT min(next) next FROM billing_budgets');
  const add = db.prepare('INSERT INTO billing_costs (cost) VALUES (?)');
  const costs = db.prepare('SELECT cost FROM billing_costs ORDER BY id');
  const clear = db.prepare('DELETE FROM billing_costs');
  const send = db.prepare('INSERT INTO billing_letters (due, letter) VALUES (?, ?)');
  const due = db.prepare('SELECT id, letter FROM billing_letters WHERE due <= ? ORDER BY due, id');
  const sent = db.prepare('DELETE FROM billing_letters WHERE id = ?');
  const nextLetter = db.prepare('SELECT min(due) next FROM billing_letters');
  const last = db.prepare('SELECT last FROM billing_meter');
  const saw = db.prepare('INSERT OR REPLACE INTO billing_meter (id, last) VALUES (1, ?)');
  const addUnits = db.prepare(`
    INSERT INTO billing_units (month, what, count) VALUES (?, ?, ?)
    ON CONFLICT (month, what) DO UPDATE SET count = count + excluded.count RETURNING count`);
  const account = db.prepare('SELECT account FROM billing_projects WHERE project = ?');
  const setAccount = db.prepare('INSERT OR REPLACE INTO billing_projects (project, account) VALUES (?, ?)');
  const budgetOf = (row: Record<string, unknown>) => JSON.parse(row.budget as string) as Budget;
  return {
    budgets: {
      get(name) {
        const row = get.get(name);
        return row && budgetOf(row);
      },
      put: (budget) => void put.run(budget.name, JSON.stringify(budget)),
      remove: (name) => void remove.run(name),
      all: () => all.all().map(budgetOf),
      next: () => (next.get()?.next as number | null) ?? undefined,
    },
    costs: {
      add: (cost) => void add.run(JSON.stringify(cost)),
      all: () => costs.all().map(({ cost }) => JSON.parse(cost as string) as Cost),
      clear: () => void clear.run(),
    },
    letters: {
      send: (letter, dueAt) => void send.run(dueAt, JSON.stringify(letter)),
      take(now) {
        const rows = due.all(now);
        for (const { id } of rows) sent.run(id as number);
        return rows.map(({ letter }) => JSON.parse(letter as string) as Letter);
      },
      next: () => (nextLetter.get()?.next as number | null) ?? undefined,
    },
    meter: {
      last: () => last.get()?.last as number | undefined,
      saw: (at) => void saw.run(at),
    },
    units: {
      add: (month, what, count) => Number(addUnits.get(month, what, count)?.count) - count,
    },
    projects: {
      account: (project) => account.get(project)?.account as string | undefined,
      setAccount: (project, name) => void setAccount.run(project, name),
    },
  };
}
