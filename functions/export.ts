import { refusalOf } from '../shared/drive/refusal.ts';
import { type ExportObjectDependencies, exportObject } from '../shared/export/exportObject.ts';
import { ExportRun, exportName, isOver, readExportRun, readPage } from '../shared/export/exportRun.ts';
import { type ListObjectsDependencies, listObjects } from '../shared/export/listObjects.ts';
import { closePage, type NoteOutcome } from '../shared/export/noteOutcome.ts';
import { type ExportRequested, publishExport } from '../shared/export/requestExport.ts';
import { ExportRefused, type Target } from '../shared/export/target.ts';
import type { Fresh } from '../shared/fresh.ts';
import type { Log } from '../shared/log.ts';
import { NotYet } from '../shared/once.ts';
import { Unprocessable } from '../shared/unprocessable.ts';

export type ExportDependencies = ExportObjectDependencies &
  ListObjectsDependencies & {
    targets: Fresh<Target>;
    note: NoteOutcome;
    /** Keeps a message for a day that has quota again. */
    waitForTomorrow: (request: ExportRequested) => Promise<void>;
    log: Log;
  };

/**
 * Brings what begins with a prefix from the derived bucket to a folder of a shared drive. Without `object`, an export is
 * listed; with it, one object of it is exported. What is there unchanged stays, what is not ours is never written to.
 */
export async function exportToDrive(
  request: ExportRequested,
  dependencies: ExportDependencies,
): Promise<void> {
  const { records, log } = dependencies;
  const run = await readExportRun(records, request.export);
  if (!run) throw new Unprocessable(`there is no export ${request.export}`);
  if (isOver(run)) return;
  try {
    if (request.object) await oneObject(request, request.object, run, dependencies);
    else await list(run, dependencies);
  } catch (error) {
    if (error instanceof ExportRefused) return fail(run, error.message, dependencies);
    const refusal = refusalOf(error);
    if (refusal?.kind === 'slow-down') throw new NotYet('Drive wants us to slow down', { cause: error });
    if (refusal?.kind !== 'daily') throw error;
    await dependencies.waitForTomorrow(request);
    log.warning('waits for tomorrow', { export: run.id, reason: refusal.reason });
  }
}

async function list(run: ExportRun, dependencies: ExportDependencies): Promise<void> {
  const { records, targets } = dependencies;
  const { name } = await targets.read(run.folder);
  const named = await records.update(exportName(run.id), ExportRun, (before) =>
    before && before.folderName !== name ? { ...before, folderName: name } : undefined,
  );
  if (named?.state === 'listing') await listObjects(named, dependencies);
}

async function oneObject(
  request: ExportRequested,
  { page, name }: NonNullable<ExportRequested['object']>,
  run: ExportRun,
  dependencies: ExportDependencies,
): Promise<void> {
  const { records, targets, publish, note, log, now } = dependencies;
  const listed = await readPage(records, run.id, page);
  if (!listed?.objects.some((object) => object.name === name))
    throw new Unprocessable(`${name} is not on page ${page} of ${run.id}`);
  // It came twice; or what was to follow its outcome was not done.
  if (Object.hasOwn(listed.outcomes, name)) return closePage(records, run.id, page, now);
  const target = await targets.read(run.folder);
  const outcome = await exportObject(name, run, target, dependencies);
  if (outcome === 'handed on') {
    await publishExport(publish, request);
    log.info('handed on', { object: name });
    return;
  }
  if (outcome === 'cancelled') return log.info('cancelled', { object: name });
  await note(run.id, page, name, outcome);
  const { did, bytes, as, because } = outcome;
  if (did === 'conflict') log.warning('exported beside', { object: name, as, reason: because });
  else if (did === 'failed') log.warning('not exported', { object: name, reason: because });
  else log.info(did, { object: name, bytes });
}

async function fail(
  run: ExportRun,
  reason: string,
  { records, log, now }: ExportDependencies,
): Promise<void> {
  const endedAt = new Date(now()).toISOString();
  await records.update(exportName(run.id), ExportRun, (before): ExportRun | undefined =>
    before && !isOver(before) ? { ...before, state: 'failed', reason, endedAt } : undefined,
  );
  log.error('not exported', { export: run.id, object: run.prefix, reason });
}
