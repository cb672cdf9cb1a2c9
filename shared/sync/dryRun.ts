import type * as z from 'zod';
import type { Finding } from '../drive/compare.ts';
import { FileChanged } from '../drive/fileChanged.ts';
import { type Planned, planFile } from '../drive/planFile.ts';
import { type Entry, entriesOf } from './entries.ts';
import type { OpenSync } from './openSync.ts';
import { type Pending, pendingChanges } from './pendingChanges.ts';
import { createShadow, followersOf, mightBeOtherwise, namesOf } from './shadow.ts';
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
const mostRounds = 5;

type Change = z.input<typeof FileChanged>;

/**
 * What a drain of the feed and a comparison of the tree would do now: planned in their order by the very function that
 * `file-sync` performs the plans of, over a shadow of the bucket, with nothing written. What is to be done is in memory,
 * in a few words for each file; what is as it should be is not.
 */
export async function* dryRun(sync: OpenSync): AsyncIterable<DryRun> {
  const pending = await pendingChanges(sync);
  const shadow = createShadow(sync);
  const planning = { ...sync, raw: shadow.raw, records: shadow.records };
  // A drain may remove so many files without being asked, and so may a comparison; what is above that is held, and
  // stays so until somebody agrees.
  let removals = sync.config.removalsPerRun;
  /** To be told once, however often they are come to. */
  const held = new Map<string, Entry[]>();
  /** Files for which something is to be done, and which the comparison will find as well. */
  const settled = new Set<string>();
  let waiting: Change[] = [];
  let looked = 0;
  let last = { done: 0, left: 1 };
  const part = (entries: Entry[], errors: Finding[] = []): DryRun => ({
    entries,
    errors,
    pending,
    looked,
    ...last,
  });

  const changed = [...pending.changes].map(([fileId, removed]) => ({ fileId, removed }));
  for (let start = 0; start < changed.length; start += 100)
    yield part((await plan(changed.slice(start, start + 100))).filter(({ do: verb }) => verb !== 'skip'));
  yield part(await wake());
  removals = sync.config.removalsPerRun;
  for await (const { findings, done, left } of walk(sync)) {
    looked += findings.length;
    last = { done, left };
    const alone = findings.flatMap((finding) => leftAlone(finding) ?? []);
    const changes = findings.flatMap(({ is, change }) => (change && is !== 'skipped' ? [change] : []));
    const errors = findings.filter(({ is }) => is === 'error');
    yield part([...alone, ...(await plan(changes))], errors);
  }
  yield part(await wake());
  yield part([...held.values()].flat());
  // Something on the way up does not answer, or two files wait for each other; a real run would come to them again.
  yield part(
    waiting.map(({ fileId }) => ({ do: 'wait', name: fileId, because: 'it does not answer now', fileId })),
  );

  /** Side by side, and then one after the other: what depends on a name that has changed meanwhile is planned anew. */
  async function plan(changes: Change[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    const queue = changes.filter(({ fileId }) => !settled.has(fileId) && fileId !== sync.studyFolder);
    while (queue.length > 0) {
      const batch = queue
        .splice(0, plansAtATime)
        .map((change) => FileChanged.parse({ ...change, verify: true }));
      const mark = shadow.mark();
      const plans = await Promise.all(batch.map((change) => planFile(change, planning)));
      for (const [index, change] of batch.entries()) {
        const { fileId } = change;
        let planned = plans[index] as Planned;
        const isOld = mightBeOtherwise(planned)
          ? shadow.mark() > mark
          : shadow.isChanged(namesOf(planned), mark);
        if (isOld) planned = await planFile(change, planning);
        if (planned.plan.do === 'wait') waiting.push(change);
        entries.push(...perform(fileId, planned));
        queue.push(...followersOf(planned).map((more) => ({ fileId: '', ...more })));
      }
    }
    return entries;
  }

  function perform(fileId: string, planned: Planned): Entry[] {
    const entries = entriesOf(fileId, planned);
    const { plan } = planned;
    // Who has been asked is not passed over.
    const asks = planned.known?.value.asks;
    if (plan.do === 'retire' && plan.objects.length > 0 && (asks || --removals < 0)) {
      const because = `${plan.because}; more is gone than may be removed without being asked`;
      shadow.hold(fileId, planned, because);
      held.set(
        fileId,
        entries.map((entry) => ({ ...entry, do: 'hold', because })),
      );
      return [];
    }
    held.delete(fileId);
    const retired = shadow.apply(fileId, planned).map(({ name }) => name);
    if (plan.do === 'bring' || plan.do === 'retire') settled.add(fileId);
    // What another file has taken the place of is gone already.
    return entries.filter(({ do: verb, name }) => verb !== 'retire' || retired.includes(name));
  }

  /** Those that had to wait for another file. */
  async function wake(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let round = 0; round < mostRounds && waiting.length > 0; round++) {
      const again = waiting;
      waiting = [];
      entries.push(...(await plan(again)));
    }
    return entries;
  }
}

/** Skipped files, and objects that did not come from Drive. */
function leftAlone({ is, name, because, change }: Finding): Entry | undefined {
  if (is === 'skipped') return { do: 'skip', name, because, ...(change ? { fileId: change.fileId } : {}) };
  return is === 'extra' && !change ? { do: 'leave', name, because } : undefined;
}
