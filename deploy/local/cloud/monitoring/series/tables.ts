import type { DatabaseSync } from 'node:sqlite';
import type { Descriptor } from '../descriptors.ts';
import { keyOf, type Point, type Series, type Value } from './series.ts';

export type Tables = {
  /** The series of a metric, in the order of their keys. */
  of(metricType: string): (Series & { key: string })[];
  /** Those of one series whose end is in (after, until], the latest first. */
  points(key: string, after: number, until: number): Point[];
  latest(key: string): Point | undefined;
  /** Adds points, or replaces those that end at the same time. */
  put(series: Series, points: Point[]): void;
  /** Forgets the points before this time. */
  prune(before: number): void;
  clear(): void;
  /** Metrics that users have written. */
  descriptors: {
    get(type: string): Descriptor | undefined;
    put(descriptor: Descriptor): void;
    all(): Descriptor[];
  };
};

export function openTables(db: DatabaseSync): Tables {
  db.exec(`
    CREATE TABLE IF NOT EXISTS monitoring_series (
      id INTEGER PRIMARY KEY,
      key TEXT NOT NULL UNIQUE,
      type TEXT NOT NULL,
      series TEXT NOT NULL -- JSON
    );
    CREATE INDEX IF NOT EXISTS monitoring_series_type ON monitoring_series (type, key);
    CREATE TABLE IF NOT EXISTS monitoring_points (
      series INTEGER NOT NULL,
      "end" INTEGER NOT NULL,
      start INTEGER NOT NULL,
      arrived INTEGER NOT NULL,
      value TEXT NOT NULL, -- JSON
      PRIMARY KEY (series, "end")
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS monitoring_descriptors (type TEXT PRIMARY KEY, descriptor TEXT NOT NULL) WITHOUT ROWID`);
  const of = db.prepare('SELECT key, series FROM monitoring_series WHERE type = ? ORDER BY key');
  const idOf = db.prepare('SELECT id FROM monitoring_series WHERE key = ?');
  const putSeries = db.prepare(
    'INSERT INTO monitoring_series (key, type, series) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET series = excluded.series RETURNING id',
  );
  const points = db.prepare(`
    SELECT start, "end", arrived, value FROM monitoring_points
    WHERE series = (SELECT id FROM monitoring_series WHERE key = ?) AND "end" > ? AND "end" <= ? ORDER BY "end" DESC`);
  const latest = db.prepare(
    'SELECT start, "end", arrived, value FROM monitoring_points WHERE series = ? ORDER BY "end" DESC LIMIT 1',
  );
  const putPoint = db.prepare(
    'INSERT OR REPLACE INTO monitoring_points (series, "end", start, arrived, value) VALUES (?, ?, ?, ?, ?)',
  );
  const prune = db.prepare('DELETE FROM monitoring_points WHERE "end" < ?');
  const descriptor = db.prepare('SELECT descriptor FROM monitoring_descriptors WHERE type = ?');
  const putDescriptor = db.prepare(
    'INSERT OR REPLACE INTO monitoring_descriptors (type, descriptor) VALUES (?, ?)',
  );
  const descriptors = db.prepare('SELECT descriptor FROM monitoring_descriptors ORDER BY type');

  const parse = <T>(text: unknown) => JSON.parse(text as string) as T;
  const pointOf = ({ start, end, arrived, value }: Record<string, unknown>): Point => ({
    start: start as number,
    end: end as number,
    arrived: arrived as number,
    value: parse<Value>(value),
  });
  return {
    of: (type) => of.all(type).map(({ key, series }) => ({ ...parse<Series>(series), key: key as string })),
    points: (key, after, until) => points.all(key, Math.floor(after), Math.floor(until)).map(pointOf),
    latest(key) {
      const id = idOf.get(key)?.id as number | undefined;
      const row = id === undefined ? undefined : latest.get(id);
      return row && pointOf(row);
    },
    put(series, added) {
      const id = putSeries.get(keyOf(series), series.metric.type, JSON.stringify(series))?.id as number;
      for (const { start, end, arrived, value } of added)
        putPoint.run(id, Math.floor(end), Math.floor(start), Math.floor(arrived), JSON.stringify(value));
    },
    prune: (before) => void prune.run(before),
    clear: () =>
      db.exec(
        'DELETE FROM monitoring_points; DELETE FROM monitoring_series; DELETE FROM monitoring_descriptors',
      ),
    descriptors: {
      get(type) {
        const row = descriptor.get(type);
        return row && parse<Descriptor>(row.descriptor);
      },
      put: (one) => void putDescriptor.run(one.type, JSON.stringify(one)),
      all: () => descriptors.all().map((row) => parse<Descriptor>(row.descriptor)),
    },
  };
}
