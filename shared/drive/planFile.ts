import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { type LiveObject, lookAtObject, type RawObject } from '../storage/rawObject.ts';
import type { Read, Records } from '../storage/records.ts';
import { type DriveFile, folderType, getFile } from './driveFile.ts';
import type { FileChanged } from './fileChanged.ts';
import { FileRecord, fileRecordName } from './fileRecord.ts';
import { pathOf, type ReadFolder } from './pathOf.ts';
import { type Target, type TargetPolicy, targetsOf } from './targets.ts';

/** What has to be done so that the bucket is as Drive is, for one file. It is the same for a dry run and a real one. */
export type Plan =
  | { do: 'nothing'; because: string }
  /** Something does not answer, or another file has to go first, which is to be told. */
  | { do: 'wait'; because: string; nudge?: string }
  | { do: 'skip'; because: string; path: string[] }
  /** `isGone`: it will not come back, so that nothing has to be remembered of it. */
  | { do: 'retire'; because: string; path: string[]; objects: RawObject[]; isGone: boolean }
  /** A folder is no object, but where it is decides where its files are. `path` is missing when it left the tree. */
  | { do: 'folder'; path: string[] | undefined; isGone: boolean }
  | { do: 'bring'; path: string[]; steps: Step[]; retire: RawObject[] };

/** One object of the file, from what it is (`from`) to what it should be. */
export type Step = {
  target: Target;
  action: 'keep' | 'describe' | 'copy' | 'upload';
  from: RawObject | undefined;
  /** The generation that is in the place now, `'0'` for none; unless the bucket was looked at, as it is recorded. */
  replaces: string;
  /** The object of a younger file of the same path, which moves to its twin's name first. */
  displaces?: { fileId: string; object: LiveObject; to: string };
};

export type Planned = { plan: Plan; file: DriveFile | undefined; known: Read<FileRecord> | undefined };

export type PlanDependencies = {
  drive: drive_v3.Drive;
  readFolder: ReadFolder;
  raw: Bucket;
  records: Records;
  studyFolder: string;
  policy: TargetPolicy;
};

/**
 * Plans by Drive's current state, whatever the message said. What the record says of the bucket is believed, which
 * saves a look for every new file, unless `verify` is set: a write that meets something else is planned anew with it.
 */
export async function planFile(
  { fileId, removed, verify, object }: FileChanged,
  dependencies: PlanDependencies,
): Promise<Planned> {
  const { drive, readFolder, raw, records, studyFolder, policy } = dependencies;
  // The record first: should another delivery be faster, ours is refused when it is written.
  const known = await records.read(fileRecordName(fileId), FileRecord);
  // Before anything is removed Drive is asked a second time.
  const file = (await getFile(drive, fileId)) ?? (removed ? await getFile(drive, fileId) : undefined);
  const planned = (plan: Plan): Planned => ({ plan, file, known });
  // Without a record, as when a delivery failed for good before it was written, the bucket alone knows.
  const held = async (targets: Target[] = []) =>
    verify || (!known && (object !== undefined || targets.length > 0))
      ? heldObjects(raw, fileId, known?.value.objects ?? [], object, targets)
      : [...(known?.value.objects ?? [])];

  if (!file) {
    // One 404 removes nothing; together with the word of the feed, or of a complete listing, it does.
    if (!removed)
      return planned({ do: 'nothing', because: 'Drive does not find it, and did not report it as removed' });
    if (known?.value.isFolder) return planned({ do: 'folder', path: undefined, isGone: true });
    return planned(retire(await held(), known?.value, 'it is deleted, or not shared any more', policy, true));
  }

  const place = file.trashed ? ({ where: 'outside' } as const) : await pathOf(readFolder, file, studyFolder);
  if (place.where === 'unknown')
    return planned({ do: 'wait', because: `a folder above ${fileId} does not answer` });
  if (file.mimeType === folderType) {
    const path = place.where === 'inside' ? place.path : undefined;
    const isSame = JSON.stringify(path) === JSON.stringify(known?.value.path);
    if (isSame && !verify) return planned({ do: 'nothing', because: 'the folder is where it was' });
    return planned({ do: 'folder', path, isGone: false });
  }
  if (place.where === 'outside') {
    const because = file.trashed ? 'it is in the trash' : 'it is not in the study folder';
    const targets = file.trashed && !known ? await targetsBefore(file, dependencies) : [];
    return planned(retire(await held(targets), known?.value, because, policy));
  }

  const { path } = place;
  const wanted = targetsOf(file, path, policy);
  if ('skip' in wanted) return planned({ do: 'skip', because: wanted.skip, path });
  const unused = await held(verify ? wanted.targets : []);
  const steps: Step[] = [];
  for (const target of wanted.targets) {
    const step = await planObject(target, file, takeFor(target, unused), verify, dependencies);
    if ('do' in step) return planned(step);
    steps.push(step);
  }
  const needsBytes = steps.some(({ action }) => action === 'upload');
  if (needsBytes && file.capabilities?.canDownload === false)
    return planned({ do: 'skip', because: 'Drive does not allow its download', path });
  const left = steps.flatMap(({ from, target }) => (from && from.name !== target.name ? [from] : []));
  // What is not live any more served as a source, and is not to be retired.
  const retired = [...unused, ...left].filter((object) => !object.noncurrent);
  const isDone = steps.every(({ action }) => action === 'keep') && retired.length === 0;
  if (isDone && known && isSameRecord(known.value, path, steps))
    return planned({ do: 'nothing', because: 'it is as it should be' });
  return planned({ do: 'bring', path, steps, retire: retired });
}

/** What a file that is in the trash, or a folder above it, was in the bucket if it was there: Drive still tells where. */
async function targetsBefore(
  file: DriveFile,
  { readFolder, studyFolder, policy }: PlanDependencies,
): Promise<Target[]> {
  const untrashed: ReadFolder = async (id) => {
    const folder = await readFolder(id);
    return folder && { ...folder, trashed: false };
  };
  const place = await pathOf(untrashed, file, studyFolder);
  const wanted = place.where === 'inside' ? targetsOf(file, place.path, policy) : { targets: [] };
  return 'skip' in wanted ? [] : wanted.targets;
}

function retire(
  held: RawObject[],
  known: FileRecord | undefined,
  because: string,
  { filters }: TargetPolicy,
  isGone = false,
): Plan {
  const path = known?.path ?? [];
  const objects = held.filter(({ noncurrent }) => !noncurrent);
  const [first] = objects;
  if (!first && !(known && isGone) && !known?.attention)
    return { do: 'nothing', because: `${because}, and nothing is there of it` };
  // What filters leave alone is not removed either.
  const left =
    first && filters.reasonToLeave(path, { mimeType: first.contentType, size: String(first.size) });
  if (left) return { do: 'nothing', because: `${because}, but ${left}` };
  return { do: 'retire', because, path, objects, isGone };
}

const isSameRecord = ({ path, objects, attention }: FileRecord, wanted: string[], steps: Step[]) =>
  !attention &&
  JSON.stringify(path) === JSON.stringify(wanted) &&
  objects.length === steps.length &&
  steps.every(({ from }) => objects.some((object) => object.generation === from?.generation));

async function planObject(
  target: Target,
  file: DriveFile,
  from: RawObject | undefined,
  verify: boolean,
  dependencies: PlanDependencies,
): Promise<Step | Extract<Plan, { do: 'wait' }>> {
  const sameTime = from?.mtime === target.metadata.mtime;
  const sameContent = from && (target.exportTo ? sameTime : from.md5 === target.md5);
  const isThere = from && !from.noncurrent;
  // A name that it has, it keeps; also the twin's, when the other file has gone.
  if (isThere && [target.name, target.twin].includes(from.name)) {
    const place = { target: { ...target, name: from.name }, from, replaces: from.generation };
    if (!sameContent) return { ...place, action: 'upload' };
    return { ...place, action: sameTime && from.contentType === target.contentType ? 'keep' : 'describe' };
  }
  const action = sameContent ? 'copy' : 'upload';
  if (!verify) return { target, action, from, replaces: '0' };

  const { raw } = dependencies;
  const there = await lookAtObject(raw, target.name);
  if (!there) return { target, action, from, replaces: '0' };
  if (there.metadata['drive-file-id'] === file.id)
    return { do: 'wait', because: `${target.name} is being brought elsewhere as well` };
  const owner = await ownerOf(there, dependencies);
  if (owner.is === 'elsewhere') {
    if (owner.mayBeReplaced) return { target, action, from, replaces: there.generation };
    return { do: 'wait', because: `${target.name} still belongs to another file`, nudge: owner.fileId };
  }
  if (owner.is === 'here' && isOlder(file, owner.file)) {
    const displaces = { fileId: owner.file.id, object: there, to: owner.twin };
    return { target, action, from, replaces: there.generation, displaces };
  }
  // If it were there and ours, it would be `from`; what else is there is nothing to write over.
  return { target: { ...target, name: target.twin }, action, from, replaces: '0' };
}

type Owner =
  /** Another file of the same path. */
  | { is: 'here'; file: DriveFile; twin: string }
  /** A file that should not be here, or not any more. */
  | { is: 'elsewhere'; fileId: string; mayBeReplaced: boolean }
  /** Nobody whom Drive knows: it is left alone. */
  | { is: 'nobody' };

/** Whose is the object that is in the way? */
async function ownerOf(
  there: LiveObject,
  { drive, readFolder, records, studyFolder, policy }: PlanDependencies,
): Promise<Owner> {
  const fileId = there.metadata['drive-file-id'];
  if (!fileId) return { is: 'nobody' };
  const file = await getFile(drive, fileId);
  if (!file) {
    // Deleted: then the word of it is on its way, and the place will be free. Without a record, nobody waits for one.
    const isKnown = await records.read(fileRecordName(fileId), FileRecord);
    return isKnown ? { is: 'elsewhere', fileId, mayBeReplaced: false } : { is: 'nobody' };
  }
  const place = file.trashed ? undefined : await pathOf(readFolder, file, studyFolder);
  if (place?.where === 'unknown') return { is: 'elsewhere', fileId, mayBeReplaced: false };
  if (place?.where !== 'inside') {
    // In the trash, or out of the tree: it is retired, within the cap on removals, and not just written over.
    const record = await records.read(fileRecordName(fileId), FileRecord);
    return record?.value.attention ? { is: 'nobody' } : { is: 'elsewhere', fileId, mayBeReplaced: false };
  }
  const wanted = targetsOf(file, place.path, policy);
  if ('skip' in wanted) return { is: 'nobody' };
  const target = wanted.targets.find(({ name, twin }) => [name, twin].includes(there.name));
  if (target) return { is: 'here', file, twin: target.twin };
  // It has moved on within the tree; its bytes stay as a version, from which it takes them. Two that swap never wait.
  return { is: 'elsewhere', fileId, mayBeReplaced: true };
}

/** Of two files with one path, the older one has the plain name, whichever was heard of first. */
const isOlder = (one: DriveFile, other: DriveFile) =>
  one.createdTime === other.createdTime
    ? one.id < other.id
    : Date.parse(one.createdTime) < Date.parse(other.createdTime);

/** Takes the object that the target was until now out of the list. */
function takeFor(
  { name, twin, exportTo, md5, contentType }: Target,
  objects: RawObject[],
): RawObject | undefined {
  const candidates = exportTo ? objects.filter((object) => object.contentType === contentType) : objects;
  const inPlace = candidates.filter((object) => !object.noncurrent && [name, twin].includes(object.name));
  const best = inPlace.find((object) => object.md5 === md5) ?? inPlace[0];
  const taken = best ?? candidates.find((object) => object.md5 === md5) ?? candidates[0];
  if (taken) objects.splice(objects.indexOf(taken), 1);
  return taken;
}

/** The objects of a file that are really there, wherever a record, a message or its names say that they may be. */
async function heldObjects(
  raw: Bucket,
  fileId: string,
  recorded: RawObject[],
  hint: string | undefined,
  targets: Target[],
): Promise<RawObject[]> {
  const names = [
    ...recorded.map(({ name }) => name),
    ...(hint === undefined ? [] : [hint]),
    ...targets.flatMap(({ name, twin }) => [name, twin]),
  ];
  const looks = await Promise.all([...new Set(names)].map((name) => lookAtObject(raw, name)));
  const held: RawObject[] = looks.filter(
    (look) => look?.metadata['drive-file-id'] === fileId,
  ) as LiveObject[];
  // Overwritten by another file, it still is where the bytes can be had from.
  for (const { name, generation } of recorded) {
    if (held.some((object) => object.name === name)) continue;
    const old = await lookAtObject(raw, name, generation);
    if (old) held.push({ ...old, noncurrent: true });
  }
  return held;
}
