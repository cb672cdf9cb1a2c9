import { type Zippable, zipSync } from 'fflate';

/** The same bytes for the same files: in one order, with one date (the first that a zip file can say), readable by all. */
export function zip(files: Map<string, Buffer>): Buffer {
  const entries: Zippable = {};
  for (const name of [...files.keys()].sort()) entries[name] = files.get(name) as Buffer;
  return Buffer.from(zipSync(entries, { level: 9, mtime: new Date(1980, 0, 1), os: 3, attrs: 0o644 << 16 }));
}
