import { children } from '../shared/drive/children.ts';
import { NotGiven } from '../shared/drive/content.ts';
import { type DriveFile, folderType } from '../shared/drive/driveFile.ts';
import { type FileChanged, publishFileChanges } from '../shared/drive/fileChanged.ts';
import { callAttention, endAttention, FileRecord, fileRecordName } from '../shared/drive/fileRecord.ts';
import { metered } from '../shared/drive/metered.ts';
import { prefixOf } from '../shared/drive/objectName.ts';
import {
  type Plan,
  type PlanDependencies,
  type Planned,
  planFile,
  type Step,
} from '../shared/drive/planFile.ts';
import { refusalOf, WaitForTomorrow } from '../shared/drive/refusal.ts';
import type { Outcome, Tallies } from '../shared/drive/runs.ts';
import { type UploadDependencies, upload } from '../shared/drive/upload.ts';
import type { Log } from '../shared/log.ts';
import { NotYet } from '../shared/once.ts';
import type { Publish } from '../shared/publish.ts';
import { pagesOf } from '../shared/storage/pagesOf.ts';
import {
  copyObject,
  describeObject,
  liveObject,
  lookAtObject,
  RawObject,
  retireObject,
} from '../shared/storage/rawObject.ts';

export type FileSyncDependencies = PlanDependencies &
  Omit<UploadDependencies, 'drive' | 'raw' | 'records'> & {
    publish: Publish;
    sharedDrive?: string | undefined;
    /** Takes one removal of what a run may do without being asked; false if there is none left. */
    mayRemove: (run: string | undefined) => Promise<boolean>;
    /** Keeps a change for a day that has quota again. */
    waitForTomorrow: (change: FileChanged) => Promise<void>;
    tallies: Tallies;
    log: Log;
    wait: (ms: number) => Promise<void>;
  };

/** When a write meets something else than was planned for, the plan is made anew, with a look at the bucket. */
const mostPlans = 5;

/** An object is written about once a second, and no more. https://cloud.google.com/storage/quotas#objects */
const pauseBetweenWrites = 1000;

/**
 * Brings one file to Drive's current state, whatever the message said: uploaded, replaced, renamed or retired. The
 * record is written last. A crash before that leaves objects whose metadata name the file, and the next delivery
 * adopts them.
 */
export async function fileSync(change: FileChanged, dependencies: FileSyncDependencies): Promise<void> {
  const { tallies, log, now } = dependencies;
  if (change.fileId === dependencies.studyFolder) {
    if (change.removed) log.error('the study folder is gone, or not shared with us any more');
    return;
  }
  const end = tallies.begin(change.run);
  let outcome: Outcome = { did: 'failed' };
  const cost = { units: 0, requests: 0 };
  try {
    outcome = await metered(cost, () => syncFile(change, dependencies));
  } catch (error) {
    outcome.reason = error instanceof Error ? error.name : 'unknown';
    if (refusalOf(error)?.kind === 'slow-down')
      throw new NotYet('Drive wants us to slow down', { cause: error });
    if (!(error instanceof WaitForTomorrow)) throw error;
    await dependencies.waitForTomorrow(change);
    log.warning('waits for tomorrow', { fileId: change.fileId, reason: error.message });
    outcome = { did: 'held', reason: error.message };
  } finally {
    const lag =
      change.changedAt && outcome.did === 'synced'
        ? Math.max(0, now() - Date.parse(change.changedAt))
        : undefined;
    // The alert on a sync that lags behind counts these lines (deploy/google/terraform/monitoring.tf).
    if (lag !== undefined) log.info('caught up', { fileId: change.fileId, lag });
    await end({ ...outcome, units: cost.units, ...(lag === undefined ? {} : { lag }) });
  }
}

async function syncFile(change: FileChanged, dependencies: FileSyncDependencies): Promise<Outcome> {
  for (let plans = 0; plans < mostPlans; plans++) {
    const planned = await planFile({ ...change, verify: change.verify || plans > 0 }, dependencies);
    const outcome = await perform(planned, change, dependencies);
    if (outcome !== 'conflict') return outcome;
  }
  throw new NotYet(`${change.fileId} is being brought elsewhere as well`);
}

async function perform(
  planned: Planned,
  change: FileChanged,
  dependencies: FileSyncDependencies,
): Promise<Outcome | 'conflict'> {
  const { plan } = planned;
  switch (plan.do) {
    case 'nothing':
      if (!planned.file && planned.known)
        dependencies.log.warning('nothing is done', { fileId: change.fileId, because: plan.because });
      // A person has answered, and there is nothing left of what was asked.
      if (change.approved) await endAttention(dependencies.records, change.fileId);
      return { did: 'nothing' };
    case 'wait':
      if (plan.nudge)
        await publishFileChanges(dependencies.publish, [
          { fileId: plan.nudge, verify: true, run: change.run },
        ]);
      throw new NotYet(plan.because);
    case 'skip':
      return skip(planned, plan, change, dependencies);
    case 'retire':
      return retire(planned, plan, change, dependencies);
    case 'folder':
      return syncFolder(planned, plan, change, dependencies);
    case 'bring':
      return bringFile(planned, plan, change, dependencies);
  }
}

type PlanTo<Do extends Plan['do']> = Extract<Plan, { do: Do }>;

async function bringFile(
  { file, known }: Planned,
  { path, steps, retire }: PlanTo<'bring'>,
  change: FileChanged,
  dependencies: FileSyncDependencies,
): Promise<Outcome | 'conflict'> {
  const { raw, records, publish, log, now } = dependencies;
  const { fileId, run } = change;
  const objects: RawObject[] = [];
  let bytes = 0;
  for (const step of steps) {
    let brought: RawObject | 'conflict' | 'handed on';
    try {
      brought = await bring(step, file as DriveFile, known?.value, dependencies);
    } catch (error) {
      if (!(error instanceof NotGiven)) throw error;
      return skip(
        { file, known },
        { path, because: `Drive does not give it: ${error.message}` },
        change,
        dependencies,
      );
    }
    if (brought === 'conflict') return 'conflict';
    if (brought === 'handed on') {
      await publishFileChanges(publish, [change]);
      log.info('handed on', { object: step.target.name });
      return { did: 'handed on' };
    }
    objects.push(brought);
    if (step.action === 'upload') bytes += brought.size;
  }
  const kept: RawObject[] = [];
  for (const object of retire) if (!(await retireObject(raw, object))) kept.push(object);
  const attention =
    kept.length > 0 ? `the bucket does not let go of ${kept.map(({ name }) => name)}` : undefined;
  if (attention) {
    const since = new Date(now()).toISOString();
    await callAttention(records, { kind: 'skipped', fileId, path, reason: attention, since });
  } else if (known?.value.attention) await endAttention(records, fileId);

  const isWritten = steps.some(({ action }) => action === 'copy' || action === 'upload');
  const syncedAt = isWritten ? new Date(now()).toISOString() : known?.value.syncedAt;
  const record = FileRecord.parse({ path, objects: [...objects, ...kept], syncedAt, attention });
  if (!(await records.write(fileRecordName(fileId), record, known?.generation ?? '0'))) return 'conflict';
  for (const { displaces } of steps)
    if (displaces)
      await publishFileChanges(publish, [
        { fileId: displaces.fileId, verify: true, object: displaces.to, run },
      ]);
  return { did: didOf(steps), bytes };
}

function didOf(steps: Step[]): Outcome['did'] {
  const actions = steps.map(({ action }) => action);
  if (actions.includes('upload')) return 'synced';
  if (actions.includes('copy')) return 'renamed';
  return actions.includes('describe') ? 'described' : 'nothing';
}

async function bring(
  step: Step,
  file: DriveFile,
  known: FileRecord | undefined,
  dependencies: FileSyncDependencies,
): Promise<RawObject | 'conflict' | 'handed on'> {
  const { raw, log } = dependencies;
  const { target, action, from, replaces, displaces } = step;
  if (target.name === target.twin && action !== 'keep')
    log.warning('the same path twice', { object: target.name, because: 'another file has its plain name' });
  if (displaces) await displace(displaces, dependencies);
  if (action === 'keep' && from) return from;
  if (action === 'describe' && from) return (await describeObject(raw, from, target)) ?? 'conflict';
  if (replaces !== '0') await pauseSince(known?.syncedAt, dependencies);
  if (action === 'copy' && from) {
    const object = await copyObject(raw, from, target, replaces);
    if (!object) return 'conflict';
    log.info('renamed', { object: target.name, from: from.name });
    return object;
  }
  const uploaded = await upload(file, target, replaces, dependencies);
  if (uploaded !== 'conflict' && uploaded !== 'handed on')
    log.info('synced', { object: target.name, bytes: uploaded.size });
  return uploaded;
}

/**
 * A younger file of the same path makes room. Its object keeps what it says of its bytes, which may not be those of Drive any
 * more: that is for its own delivery to see to. Its record follows at once: should we die now, it is right.
 */
async function displace(
  { fileId, object, to }: NonNullable<Step['displaces']>,
  { raw, records, log }: FileSyncDependencies,
): Promise<void> {
  // It may be there already; then, too, it is its own file that sees to its content.
  const moved =
    (await copyObject(raw, object, { ...object, name: to }, '0')) ?? (await lookAtObject(raw, to));
  if (!moved) throw new NotYet(`${object.name} is being changed elsewhere`);
  await records.update(fileRecordName(fileId), FileRecord, (before) => {
    if (!before?.objects.some(({ name }) => name === object.name)) return undefined;
    const objects = before.objects.map((one) => (one.name === object.name ? RawObject.parse(moved) : one));
    return { ...before, objects };
  });
  log.warning('the same path twice', {
    object: to,
    from: object.name,
    because: 'an older file has it',
  });
}

async function pauseSince(
  syncedAt: string | undefined,
  { now, wait }: Pick<FileSyncDependencies, 'now' | 'wait'>,
): Promise<void> {
  const since = now() - Date.parse(syncedAt ?? '1970-01-01');
  // The clock of another machine may be ahead.
  if (Math.abs(since) < pauseBetweenWrites) await wait(pauseBetweenWrites - Math.max(0, since));
}

async function skip(
  { known }: Pick<Planned, 'file' | 'known'>,
  { because, path }: Pick<PlanTo<'skip'>, 'because' | 'path'>,
  { fileId }: FileChanged,
  { records, log, now }: FileSyncDependencies,
): Promise<Outcome | 'conflict'> {
  const record = { path, isFolder: false, objects: known?.value.objects ?? [], attention: because };
  const isNew =
    known?.value.attention !== because || JSON.stringify(known.value.path) !== JSON.stringify(path);
  if (isNew) {
    const since = new Date(now()).toISOString();
    await callAttention(records, { kind: 'skipped', fileId, path, reason: because, since });
    if (!(await records.write(fileRecordName(fileId), record, known?.generation ?? '0'))) return 'conflict';
    log.warning('skipped', { object: path.join('/'), reason: because });
  }
  return { did: 'skipped', reason: because };
}

/** Every removal is counted. Above what a run may remove by itself, a person is asked. */
async function retire(
  { known }: Planned,
  { because, path, objects, isGone }: PlanTo<'retire'>,
  { fileId, approved, run }: FileChanged,
  { raw, records, readFolder, studyFolder, mayRemove, log, now }: FileSyncDependencies,
): Promise<Outcome | 'conflict'> {
  const hold = async (reason: string, asks = false): Promise<Outcome | 'conflict'> => {
    const since = new Date(now()).toISOString();
    await callAttention(records, { kind: 'held', fileId, path, reason, since });
    const record = { ...known?.value, path, objects, attention: reason, asks };
    if (known?.value.attention !== reason)
      if (!(await records.write(fileRecordName(fileId), record, known?.generation ?? '0'))) {
        // Another delivery may have removed it; should it be held all the same, the next plan says so again.
        await endAttention(records, fileId);
        return 'conflict';
      }
    log.warning('held', { object: path.join('/'), reason });
    return { did: 'held', reason };
  };
  if (!approved && objects.length > 0) {
    const study = await readFolder(studyFolder);
    if (!study || study.trashed) return hold('the study folder itself is not to be seen; nothing is removed');
    // Who has been asked is not passed over because another run may remove some files again.
    if (known?.value.asks || !(await mayRemove(run)))
      return hold(`${because}; more is gone than may be removed without being asked`, true);
  }
  for (const object of objects)
    if (!(await retireObject(raw, object)))
      return hold(`${because}, but the bucket does not let go of ${object.name}`);
  if (known?.value.attention) await endAttention(records, fileId);
  if (isGone) {
    if (known && !(await records.remove(fileRecordName(fileId), known.generation))) return 'conflict';
  } else if (known || objects.length > 0) {
    // Should it come back, its bytes are there as a version.
    const versions = (known?.value.objects ?? objects).map((object) => ({ ...object, noncurrent: true }));
    const record = FileRecord.parse({
      ...(known?.value ?? { path, isFolder: false }),
      objects: versions,
      attention: undefined,
      asks: undefined,
    });
    if (!(await records.write(fileRecordName(fileId), record, known?.generation ?? '0'))) return 'conflict';
  }
  if (objects.length > 0) log.info('removed', { object: path.join('/'), because });
  return { did: 'removed' };
}

/** Drive reports only the folder itself; what lies in it is asked for here. */
async function syncFolder(
  { file, known }: Planned,
  { path, isGone }: PlanTo<'folder'>,
  { fileId, run, changedAt, approved }: FileChanged,
  { drive, raw, records, publish, sharedDrive }: FileSyncDependencies,
): Promise<Outcome | 'conflict'> {
  const common = { run, changedAt, approved };
  if (isGone) {
    // Nothing lists it any more, but the bucket knows what came from below it.
    for await (const { files } of pagesOf(raw, prefixOf(known?.value.path ?? []))) {
      const sources = files.map(({ metadata }) => liveObject(metadata));
      await publishFileChanges(
        publish,
        sources.flatMap(({ name, metadata: { 'drive-file-id': id } }) =>
          id ? [{ fileId: id, removed: true, object: name, ...common }] : [],
        ),
      );
    }
  } else {
    // What lies in a folder that went into the trash is in the trash as well.
    for await (const page of children(drive, fileId, sharedDrive, { withTrashed: !path })) {
      await publishFileChanges(
        publish,
        // The record of a folder may be older than the folder's coming back: it is looked into in any case.
        page.map(({ id, mimeType }) => ({ fileId: id, verify: mimeType === folderType, ...common })),
      );
    }
  }
  const name = fileRecordName(fileId);
  if (!path)
    return known && !(await records.remove(name, known.generation)) ? 'conflict' : { did: 'nothing' };
  const record = FileRecord.parse({ path, isFolder: true, objects: [] });
  const isSame = known && JSON.stringify(known.value) === JSON.stringify(record);
  if (file && !isSame && !(await records.write(name, record, known?.generation ?? '0'))) return 'conflict';
  return { did: 'nothing' };
}
