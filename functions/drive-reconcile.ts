import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { type CompareDependencies, comparePlace } from '../shared/drive/compare.ts';
import { publishFileChanges } from '../shared/drive/fileChanged.ts';
import { noteFolder } from '../shared/drive/fileRecord.ts';
import { type Cost, metered } from '../shared/drive/metered.ts';
import { Progress, progressRecord } from '../shared/drive/progress.ts';
import { noteRun, type Run, runId } from '../shared/drive/runs.ts';
import { endAbandonedTransfers } from '../shared/drive/transfer.ts';
import type { Log } from '../shared/log.ts';
import { NotYet } from '../shared/once.ts';
import type { Publish } from '../shared/publish.ts';
import type { Records } from '../shared/storage/records.ts';

export const ReconcileRequest = z.object({
  /** When it was asked for: a comparison that began later answers it. */
  requestedAt: z.iso.datetime().optional(),
  /** The run that an invocation before this one left unfinished. */
  goOn: z.string().optional(),
});
export type ReconcileRequest = z.infer<typeof ReconcileRequest>;

export type DriveReconcileDependencies = CompareDependencies & {
  drive: drive_v3.Drive;
  records: Records;
  publish: Publish;
  studyFolder: string;
  log: Log;
  now: () => number;
  /** When this invocation should hand the work on; milliseconds since 1970. */
  deadline: number;
  lease: number;
  checkpointEvery: number;
};

/**
 * Compares the whole study folder with the bucket, and asks `file-sync` for each file that is not as it should be. It is
 * also the first import, what a lost page token is answered with, and what finds whatever a lost message left undone.
 */
export async function driveReconcile(
  request: ReconcileRequest,
  dependencies: DriveReconcileDependencies,
): Promise<void> {
  const { records, publish, studyFolder, log, now, deadline, checkpointEvery } = dependencies;
  const claimed = await claim(request, dependencies);
  if (!claimed) return;
  let { progress, generation } = claimed;
  const cost: Cost = { units: 0, requests: 0 };
  const before = progress.units;
  let noted = now();
  try {
    await metered(cost, work);
  } catch (error) {
    // Let go at once: the delivery comes again, and goes on from here.
    await checkpoint(0).catch(() => {});
    throw error;
  }

  async function work(): Promise<void> {
    for (let place = progress.places.at(-1); place; place = progress.places.at(-1)) {
      const { findings, below } = await comparePlace(place, dependencies);
      for (const folder of place.folders)
        if (folder !== studyFolder) await noteFolder(records, folder, place.path);
      const changes = findings.flatMap(({ is, change }) => (change && is !== 'skipped' ? [change] : []));
      const { run } = progress;
      await publishFileChanges(
        publish,
        changes.map((change) => ({ ...change, run })),
      );
      for (const { is, name, because } of findings)
        if (is === 'error') log.error('not compared', { object: name, because });
      progress = {
        ...progress,
        places: [...progress.places.slice(0, -1), ...below],
        looked: progress.looked + findings.length,
        asked: progress.asked + changes.length,
      };
      const isOver = now() >= deadline;
      if (isOver || now() - noted >= checkpointEvery) await checkpoint(isOver ? 0 : dependencies.lease);
      if (isOver && progress.places.length > 0) {
        await publish('drive-reconcile', [{ data: { goOn: progress.run } }]);
        return;
      }
    }
    await endAbandonedTransfers(records, dependencies.raw, now());
    await checkpoint(0);
    const { run, looked, asked } = progress;
    log.info('reconciled', { run, looked, asked });
  }

  async function checkpoint(lease: number): Promise<void> {
    const units = before + cost.units;
    progress = { ...progress, units, until: date(now() + lease) };
    const written = await records.write(progressRecord, progress, generation);
    if (!written) throw new NotYet('the comparison goes on elsewhere');
    generation = written;
    noted = now();
    await noteRun(records, progress.run, runOf(progress, now()));
  }
}

async function claim(
  { requestedAt, goOn }: ReconcileRequest,
  { records, studyFolder, now, lease }: DriveReconcileDependencies,
): Promise<{ progress: Progress; generation: string } | undefined> {
  const known = await records.read(progressRecord, Progress);
  const isOpen = known && known.value.places.length > 0;
  if (isOpen && Date.parse(known.value.until) > now()) throw new NotYet('the tree is being compared');
  const isAnswered = requestedAt && known && Date.parse(known.value.startedAt) > Date.parse(requestedAt);
  if (!isOpen && (goOn || isAnswered)) return undefined;
  const until = date(now() + lease);
  const progress: Progress = isOpen
    ? { ...known.value, until }
    : {
        run: runId('reconcile', new Date(now())),
        startedAt: date(now()),
        until,
        places: [{ path: [], folders: [studyFolder] }],
        looked: 0,
        asked: 0,
        units: 0,
      };
  const generation = await records.write(progressRecord, progress, known?.generation ?? '0');
  if (!generation) throw new NotYet('the tree is being compared');
  return { progress, generation };
}

const runOf = ({ startedAt, places, looked, asked, units }: Progress, now: number): Run => ({
  kind: 'reconcile',
  startedAt,
  ...(places.length === 0 ? { endedAt: date(now) } : {}),
  looked,
  asked,
  units,
});

const date = (ms: number) => new Date(ms).toISOString();
