import * as z from 'zod';
import { readJobRecord } from '../jobs/changeJob.ts';
import type { ReleaseDependencies } from '../jobs/releaseAttempt.ts';
import type { Records } from '../storage/records.ts';
import type { Candidate } from './candidate.ts';
import type { Seen } from './machines.ts';
import { machineNamed } from './names.ts';

/** What bears the lab's label and belongs to no job that is at work; each with when it was first seen. */
const Orphans = z.object({
  seen: z.record(z.string(), z.object({ since: z.iso.datetime(), what: z.string() })),
});
type Orphans = z.infer<typeof Orphans>;
export const orphansRecord = 'machines/orphans.json';

export const areOrphansKnown = async (records: Records): Promise<boolean> =>
  Object.keys((await records.read(orphansRecord, Orphans))?.value.seen ?? {}).length > 0;

/** Milliseconds between the first sight of an orphan and its end: its record may just be on its way. */
const grace = 10 * 60_000;
/** Of an attempt that is over it is known that nothing is to be left. */
const shortGrace = 60_000;

/**
 * Ends machines and disks that nobody owns any more: never at first sight, never where a zone has not answered, and never
 * what is not labelled as made by this lab.
 */
export async function sweepOrphans(all: Seen[], dependencies: ReleaseDependencies): Promise<void> {
  const { records, log, now } = dependencies;
  const before = (await records.read(orphansRecord, Orphans))?.value.seen ?? {};
  const after: Orphans['seen'] = {};
  for (const thing of all.flatMap(thingsOf)) {
    const key = `${thing.isDisk ? 'disk' : 'machine'} ${thing.zone}/${thing.name}`;
    const since = before[key]?.since ?? new Date(now()).toISOString();
    try {
      const wait = await waitFor(thing, dependencies);
      if (wait === undefined) continue;
      if (now() - Date.parse(since) >= wait && (await end(thing, key, dependencies))) continue;
    } catch (error) {
      // One that cannot be ended must not keep the others.
      log.error('what may belong to nobody could not be looked after, and will be again', {
        what: key,
        error,
      });
    }
    after[key] = { since, what: key };
  }
  if (Object.keys(after).length > 0 || Object.keys(before).length > 0)
    await records.update(orphansRecord, Orphans, () => ({ seen: after }));
}

type Thing = { kind: Candidate['kind']; zone: string; name: string; isDisk: boolean };

const thingsOf = ({ machines, disks }: Seen): Thing[] => [
  ...machines.map(({ kind, zone, name }) => ({ kind, zone, name, isDisk: false })),
  ...disks
    .filter(({ users }) => users.length === 0)
    .map(({ zone, name }) => ({ kind: 'vm' as const, zone, name, isDisk: true })),
];

async function end(
  { kind, zone, name, isDisk }: Thing,
  key: string,
  { machines, log }: ReleaseDependencies,
): Promise<boolean> {
  const service = await machines(kind);
  const { gone, failure } = isDisk
    ? await service.removeDisk({ zone, name })
    : await service.remove(zone, name);
  log.warning('nobody owned it, and it was ended', { what: key, gone, reason: failure?.words });
  return gone;
}

/** @returns how long to wait; undefined for what is at work, or not named as one of ours */
async function waitFor({ zone, name }: Thing, { records }: ReleaseDependencies): Promise<number | undefined> {
  const named = machineNamed(name);
  if (!named) return undefined;
  const record = await readJobRecord(records, named.job);
  if (!record) return grace;
  const attempt = record.attempts.find(({ number }) => number === named.attempt);
  if (!attempt) return grace;
  if (attempt.releasedAt) return shortGrace;
  // An answer that never came may leave one in a zone that was given up.
  const place = attempt.candidate ?? attempt.asked?.candidate;
  return place?.zone === zone ? undefined : grace;
}
