import { statusOf } from '../drive/driveFile.ts';
import { refusalOf } from '../drive/refusal.ts';
import { NotYet } from '../once.ts';
import { isCancelled } from './cancelExport.ts';
import { cancelUpload } from './driveUpload.ts';
import { ExportedFile, exportedFileName } from './exportedFile.ts';
import { exportPath, standsForFolder } from './exportPath.ts';
import type { ExportRun, Outcome } from './exportRun.ts';
import { held } from './held.ts';
import { placeOf } from './place.ts';
import { type Source, sourceOf } from './source.ts';
import { refusedThere, type Target } from './target.ts';
import { NotTaken, type WriteFileDependencies, writeFile, writtenOf } from './writeFile.ts';

export type ExportObjectDependencies = WriteFileDependencies;

/** When a write meets something else than was planned for, the plan is made anew. */
const mostPlans = 5;

/** Brings one object to where it belongs below the folder, unless it is there. */
export async function exportObject(
  name: string,
  run: ExportRun,
  target: Target,
  dependencies: ExportObjectDependencies,
): Promise<Outcome | 'handed on' | 'cancelled'> {
  const { drive, derived, folders } = dependencies;
  const path = exportPath(run.prefix, name);
  try {
    if (standsForFolder(name)) {
      await folders.at(target, path.slice(0, -1));
      return { did: 'folder', bytes: 0 };
    }
    for (let plans = 0; plans < mostPlans; plans++) {
      const source = await sourceOf(derived, name);
      if (!source) return { did: 'gone', bytes: 0 };
      const outcome = await tryToExport(source, path, run, target, dependencies);
      if (outcome !== 'again') return outcome;
    }
  } catch (error) {
    const refused = await refusedThere(error, drive, target);
    if (refused) throw refused;
    const because = hopeless(error);
    if (because !== undefined) return { did: 'failed', bytes: 0, because };
    if (statusOf(error) !== 404) throw error;
    // A folder on the way was removed a moment ago.
    folders.forget();
    throw new NotYet(`a folder of ${name} is not there any more`, { cause: error });
  }
  throw new NotYet(`${name} is being exported elsewhere as well, or changes all the time`);
}

/** What Drive will say each time, and of just this file. */
function hopeless(error: unknown): string | undefined {
  if (error instanceof NotTaken) return error.message;
  const refusal = refusalOf(error);
  const isRefused = refusal ? refusal.kind === 'final' : [400, 413].includes(statusOf(error) ?? 0);
  if (!isRefused) return undefined;
  return `Drive does not take it: ${refusal?.reason ?? (error as Error).message.slice(0, 300)}`;
}

async function tryToExport(
  source: Source,
  path: string[],
  run: ExportRun,
  target: Target,
  dependencies: ExportObjectDependencies,
): Promise<Outcome | 'handed on' | 'cancelled' | 'again'> {
  const { drive, records, folders, nextId, now, lease } = dependencies;
  const parent = await folders.at(target, path.slice(0, -1));
  const record = exportedFileName(target.id, source.name, path);
  const known = await records.read(record, ExportedFile);
  const before = known?.value.attempt;
  if (before && Date.parse(before.until) > now())
    throw new NotYet(`${source.name} is being exported elsewhere`);

  const wanted = { parent, name: path.at(-1) ?? '', sharedDrive: target.sharedDrive };
  const place = await placeOf(source, wanted, known?.value, drive);
  if (place.do === 'give up') return { did: 'failed', bytes: 0, because: place.because };
  const outcome: Outcome = {
    did: place.because ? 'conflict' : 'exported',
    bytes: source.size,
    ...(place.because ? { because: place.because, as: [...path.slice(0, -1), place.name].join('/') } : {}),
  };
  if (place.do === 'nothing') {
    const isOurs = known?.value.fileId === place.item.id && isOf(run, source, known.value);
    if (isOurs && before) {
      const { attempt: _, ...value } = known.value;
      const written = writtenOf(place.item, source, run);
      await held(records, record, known.generation, { ...value, written }).write({});
    }
    return isOurs ? outcome : { ...outcome, did: 'unchanged', bytes: 0 };
  }

  // It takes a while to know where it goes.
  if (await isCancelled(records, run.id)) return 'cancelled';
  const fileId = place.do === 'update' ? place.item.id : (place.fileId ?? (await nextId()));
  const goesOn =
    before?.export === run.id && before.generation === source.generation && known?.value.fileId === fileId;
  if (before?.session && !goesOn) await cancelUpload(drive, before.session);
  const file = held(records, record, known?.generation ?? '0', {
    ...{ object: source.name, fileId, parent, name: place.name, because: place.because },
    written: place.do === 'update' ? known?.value.written : undefined,
    attempt: {
      ...{ export: run.id, generation: source.generation, md5: source.md5, sent: 0, mismatches: 0 },
      ...(goesOn ? before : {}),
      until: new Date(now() + lease).toISOString(),
    },
  });
  await file.write({});
  try {
    const done = await writeFile(source, place, run, file, dependencies);
    return done === 'done' ? outcome : done;
  } catch (error) {
    // Let go at once, so that the next delivery need not wait for the claim to end.
    await file.writeAttempt({ until: new Date(0).toISOString() }).catch(() => {});
    throw error;
  }
}

/** It was written for this export; then the process died, or the answer was lost. */
const isOf = (run: ExportRun, { generation }: Source, { written, attempt }: ExportedFile) =>
  written?.export === run.id || (attempt?.export === run.id && attempt.generation === generation);
