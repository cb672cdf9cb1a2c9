import pLimit from 'p-limit';
import type { Finding } from '../../shared/drive/compare.ts';
import type { DriveFile } from '../../shared/drive/driveFile.ts';
import { FileChanged } from '../../shared/drive/fileChanged.ts';
import { isOlder, type Planned, planFile } from '../../shared/drive/planFile.ts';
import { type Entry, entriesOf } from './entries.ts';
import type { OpenSync } from './open.ts';
import { type Pending, pendingChanges } from './pendingChanges.ts';
import { walk } from './walk.ts';

export type DryRun = {
  entries: Entry[];
  /** Findings that are errors: what lies there is not known. */
  errors: Finding[];
  pending: Pending;
  looked: number;
  done: number;
  left: number;
};

const plansAtATime = 8;

/**
 * What a drain of the feed and a comparison of the tree would do now, planned by the very function that `file-sync`
 * performs the plans of, with nothing written. The ids of the files that are not as they should be are in memory.
 */
export async function* dryRun(sync: OpenSync): AsyncIterable<DryRun> {
  const pending = await pendingChanges(sync);
  const planned = new Set<string>();
  const mayRemove = removals(sync, pending);
  const inTurn = pLimit(plansAtATime);
  let looked = 0;
  let last = { done: 0, left: 0 };

  for await (const { findings, done, left } of walk(sync)) {
    looked += findings.length;
    last = { done, left };
    const entries = findings.flatMap((finding) => leftAlone(finding) ?? []);
    const changes = findings.flatMap(({ is, change }) => (change && is !== 'skipped' ? [change] : []));
    entries.push(...(await plan(changes)));
    const errors = findings.filter(({ is }) => is === 'error');
    yield { entries, errors, pending, looked, ...last };
  }
  // What the comparison does not show, like an object whose name was too long.
  const rest = [...pending.changes].filter(([fileId]) => !planned.has(fileId));
  for (let start = 0; start < rest.length; start += 100) {
    const changes = rest.slice(start, start + 100).map(([fileId, removed]) => ({ fileId, removed }));
    const entries = (await plan(changes)).filter((entry) => entry.do !== 'skip');
    yield { entries, errors: [], pending, looked, ...last };
  }

  async function plan(changes: { fileId: string }[]): Promise<Entry[]> {
    const fresh = changes.filter(({ fileId }) => {
      const isFirst = !planned.has(fileId) && fileId !== sync.studyFolder;
      planned.add(fileId);
      return isFirst;
    });
    const plans = await Promise.all(
      fresh.map((change) =>
        inTurn(async () => ({
          fileId: change.fileId,
          planned: await planFile(FileChanged.parse({ ...change, verify: true }), sync),
        })),
      ),
    );
    parted(plans.map(({ planned }) => planned));
    return plans.flatMap(({ fileId, planned }) =>
      entriesOf(fileId, planned).map((entry) =>
        entry.do !== 'retire' || planned.plan.do !== 'retire' ? entry : mayRemove(entry, planned),
      ),
    );
  }
}

/** Skipped files, and objects that did not come from Drive. */
function leftAlone({ is, name, because, change }: Finding): Entry | undefined {
  if (is === 'skipped') return { do: 'skip', name, because, ...(change ? { fileId: change.fileId } : {}) };
  return is === 'extra' && !change ? { do: 'leave', name, because } : undefined;
}

/** Each of two new files with one path would take the plain name; a real run sees the first when it comes to the second. */
function parted(plans: Planned[]): void {
  const owners = new Map<string, { file: DriveFile; give: () => void }>();
  for (const { plan, file } of plans) {
    if (plan.do !== 'bring' || !file) continue;
    for (const step of plan.steps) {
      if (step.action === 'keep' || step.action === 'describe' || step.from?.name === step.target.name)
        continue;
      const { name } = step.target;
      const give = () => {
        step.target = { ...step.target, name: step.target.twin };
      };
      const owner = owners.get(name);
      if (owner && isOlder(owner.file, file)) give();
      else {
        owner?.give();
        owners.set(name, { file, give });
      }
    }
  }
}

/**
 * A drain may remove so many files without being asked, and so may a comparison; what is above that is held, and stays
 * so until somebody agrees.
 */
function removals({ config: { removalsPerRun } }: OpenSync, { changes }: Pending) {
  const left = { drain: removalsPerRun, comparison: removalsPerRun };
  const isAllowed = (fileId: string, { known }: Planned) =>
    !known?.value.asks && left[changes.has(fileId) ? 'drain' : 'comparison']-- > 0;
  let lastFile = '';
  let lastAnswer = false;
  return (entry: Entry, planned: Planned): Entry => {
    const { fileId = '' } = entry;
    if (fileId !== lastFile) lastAnswer = isAllowed(fileId, planned);
    lastFile = fileId;
    if (lastAnswer) return entry;
    const because = `${entry.because}; more is gone than may be removed without being asked`;
    return { ...entry, do: 'hold', because };
  };
}
