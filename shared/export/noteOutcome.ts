import { coalesceBy } from '../coalesce.ts';
import type { Records } from '../storage/records.ts';
import { ExportPage, ExportRun, exportName, type Outcome, pageName, totalsOf } from './exportRun.ts';

/** Writes down what became of an object; the first outcome counts, however often it is delivered. */
export type NoteOutcome = (id: string, page: number, name: string, outcome: Outcome) => Promise<void>;

/** One for the process: what comes during a write goes into the next. A record may be written about once a second. */
export function outcomes(records: Records, now: () => number): NoteOutcome {
  const waiting = new Map<string, Map<string, Outcome>>();
  const write = coalesceBy(async (record) => {
    const news = waiting.get(record);
    waiting.delete(record);
    if (!news) return undefined;
    return records.update(record, ExportPage, (before) => {
      if (!before) return undefined;
      const fresh = [...news].filter(([name]) => !Object.hasOwn(before.outcomes, name));
      if (fresh.length === 0) return undefined;
      return { ...before, outcomes: { ...before.outcomes, ...Object.fromEntries(fresh) } };
    });
  });
  return async (id, page, name, outcome) => {
    const record = pageName(id, page);
    const batch = waiting.get(record) ?? new Map<string, Outcome>();
    waiting.set(record, batch.set(name, outcome));
    await write(record);
    await closePage(records, id, page, now);
  };
}

/** When all objects of a page are done, the export is told; when all pages are, it is over. Can be done again. */
export async function closePage(
  records: Records,
  id: string,
  page: number,
  now: () => number,
): Promise<void> {
  const known = await records.read(pageName(id, page), ExportPage);
  if (!known) return;
  const { objects, outcomes } = known.value;
  if (objects.some(({ name }) => !Object.hasOwn(outcomes, name))) return;
  await records.update(exportName(id), ExportRun, (run): ExportRun | undefined => {
    if (!run || Object.hasOwn(run.over, page)) return undefined;
    return endIfOver({ ...run, over: { ...run.over, [page]: totalsOf(Object.values(outcomes)) } }, now);
  });
}

export function endIfOver(run: ExportRun, now: () => number): ExportRun {
  if (run.state !== 'running' || Object.keys(run.over).length < run.pages) return run;
  return { ...run, state: 'done', endedAt: new Date(now()).toISOString() };
}
