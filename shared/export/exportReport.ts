import pLimit from 'p-limit';
import * as z from 'zod';
import { readFolder, type Unreadable } from '../storage/readFolder.ts';
import type { Records } from '../storage/records.ts';
import { ExportRun, exportFolder, Outcome, readExportRun, readPage, sumOf, totalsOf } from './exportRun.ts';

/** An export as people and programs are shown it. */
export const ExportSummary = ExportRun.omit({ over: true, listedUpTo: true, pages: true }).extend({
  /** Objects by what became of them; what is missing in the sum is still to be done. */
  counts: z.record(z.string(), z.number()),
  /** That were sent to Drive. */
  bytesSent: z.number(),
});
export type ExportSummary = z.infer<typeof ExportSummary>;

/** An object that is not in the folder under its own name. */
export const Trouble = Outcome.omit({ bytes: true }).extend({ name: z.string() });
export type Trouble = z.infer<typeof Trouble>;

export const ExportReport = ExportSummary.extend({
  /** The first 1,000 that went into the folder under another name, were gone, or failed. */
  troubles: z.array(Trouble),
});
export type ExportReport = z.infer<typeof ExportReport>;

const mostTroubles = 1000;
const atATime = 16;

export function summaryOf({ over, listedUpTo: _, pages: __, ...run }: ExportRun): ExportSummary {
  const { counts, bytes } = sumOf(Object.values(over));
  return { ...run, counts, bytesSent: bytes };
}

/** With the pages that are not over yet, and with what is not as it should be. */
export async function reportOf(records: Records, run: ExportRun): Promise<ExportReport> {
  const limit = pLimit(atATime);
  const pages = await Promise.all(
    Array.from({ length: run.pages }, (_, page) =>
      limit(async () => (await readPage(records, run.id, page))?.outcomes ?? {}),
    ),
  );
  const totals = sumOf(pages.map((page) => totalsOf(Object.values(page))));
  const troubles = pages.flatMap((page) =>
    Object.entries(page).flatMap(([name, { bytes: _, ...outcome }]) =>
      outcome.as || outcome.did === 'gone' || outcome.did === 'failed' ? [{ name, ...outcome }] : [],
    ),
  );
  return {
    ...summaryOf(run),
    ...{ counts: totals.counts, bytesSent: totals.bytes, troubles: troubles.slice(0, mostTroubles) },
  };
}

/** All exports, the newest first. */
export async function listExports(
  records: Records,
): Promise<{ exports: ExportSummary[]; unreadable: Unreadable[] }> {
  const { found, unreadable } = await readFolder(records, exportFolder, async (id) => {
    const run = await readExportRun(records, id);
    return run && (await summaryToday(records, run));
  });
  return {
    exports: found.sort((one, other) => (one.requestedAt < other.requestedAt ? 1 : -1)),
    unreadable,
  };
}

/** Pages of one that was cancelled are never over, and what was copied of them is there all the same. */
async function summaryToday(records: Records, run: ExportRun): Promise<ExportSummary> {
  if (run.state !== 'cancelled') return summaryOf(run);
  const { troubles: _, ...summary } = await reportOf(records, run);
  return summary;
}

/** Whether everything is in the folder, be it under another name. */
export const isComplete = (run: Pick<ExportRun, 'state'> & { counts: Record<string, number> }) =>
  run.state === 'done' && !run.counts.failed;
