import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Records } from '../storage/records.ts';

/** What became of one object. */
export const Outcome = z.object({
  /**
   * - `exported`: its bytes are in the folder;
   * - `unchanged`: they were there already;
   * - `conflict`: something that is not ours has its name, and it was exported beside that, as `as`;
   * - `folder`: it only stands for a folder, which was made;
   * - `gone`: it was removed before its turn came;
   * - `failed`: it cannot be exported, because of `because`.
   */
  did: z.enum(['exported', 'unchanged', 'conflict', 'folder', 'gone', 'failed']),
  /** That were sent to Drive. */
  bytes: z.number().default(0),
  /** The path in the folder that it has instead of its own. */
  as: z.string().optional(),
  because: z.string().optional(),
});
export type Outcome = z.infer<typeof Outcome>;

const Totals = z.object({ counts: z.record(z.string(), z.number()), bytes: z.number() });
export type Totals = z.infer<typeof Totals>;

/** The export of what begins with a prefix into a folder of a shared drive. */
export const ExportRun = z.object({
  id: z.string(),
  prefix: z.string(),
  /** The id of the folder in Drive. */
  folder: z.string(),
  folderName: z.string().optional(),
  /** Who asked for it. */
  by: z.string(),
  requestedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  /**
   * `failed`, `cancelled`: nothing more is done, because of `reason`; what is in the folder by then stays. When it is
   * `done`, single objects may have failed all the same.
   */
  state: z.enum(['listing', 'running', 'done', 'failed', 'cancelled']),
  reason: z.string().optional(),
  /** The last object that was listed. */
  listedUpTo: z.string().optional(),
  pages: z.number(),
  /** Objects that were listed, and their bytes. */
  objects: z.number(),
  bytes: z.number(),
  /** What became of the pages that are over, by their numbers. */
  over: z.record(z.string(), Totals),
});
export type ExportRun = z.infer<typeof ExportRun>;

/** A part of the objects of an export. */
export const ExportPage = z.object({
  objects: z.array(z.object({ name: z.string(), size: z.number() })),
  outcomes: z.record(z.string(), Outcome),
});
export type ExportPage = z.infer<typeof ExportPage>;

export const exportIdPattern = /^export-[0-9a-f]{12}$/;

/** @param key of whoever asks: the same key is the same export, however often it is sent */
export const exportId = (key: string) =>
  `export-${createHash('sha256').update(key.toWellFormed()).digest('hex').slice(0, 12)}`;

export const exportFolder = 'exports/';
export const exportName = (id: string) => `${exportFolder}${id}.json`;
/** Not below `exports/`, so that a list of all exports is short. */
export const pageName = (id: string, page: number) => `export-pages/${id}/${page}.json`;

export const isOver = ({ state }: Pick<ExportRun, 'state'>) =>
  state === 'done' || state === 'failed' || state === 'cancelled';

/** @returns undefined if there is no such export */
export async function readExportRun(records: Records, id: string): Promise<ExportRun | undefined> {
  if (!exportIdPattern.test(id)) return undefined;
  return (await records.read(exportName(id), ExportRun))?.value;
}

export async function readPage(records: Records, id: string, page: number): Promise<ExportPage | undefined> {
  return (await records.read(pageName(id, page), ExportPage))?.value;
}

export function totalsOf(outcomes: Iterable<Outcome>): Totals {
  const totals: Totals = { counts: {}, bytes: 0 };
  for (const { did, bytes } of outcomes) {
    totals.counts[did] = (totals.counts[did] ?? 0) + 1;
    totals.bytes += bytes;
  }
  return totals;
}

export function sumOf(all: Totals[]): Totals {
  const sum: Totals = { counts: {}, bytes: 0 };
  for (const { counts, bytes } of all) {
    for (const [did, count] of Object.entries(counts)) sum.counts[did] = (sum.counts[did] ?? 0) + count;
    sum.bytes += bytes;
  }
  return sum;
}
