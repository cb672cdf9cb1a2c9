import * as z from 'zod';
import { readJobRecord } from '../jobs/changeJob.ts';
import type { ReleaseDependencies } from '../jobs/releaseAttempt.ts';
import type { Candidate } from './candidate.ts';
import type { Seen } from './machines.ts';
import { machineNamed } from './names.ts';

/** What bears the lab's label and belongs to no job that is at work; each with when it was first seen. */
const Orphans = z.object({
  seen: z.record(z.string(), z.object({ since: z.iso.datetime(), what: z.string() })),
});
type Orphans = z.infer<typeof Orphans>;
export const orphansRecord = 'machines/orphans.json';

/** Milliseconds between the first sight of an orphan and its end: its record may just be on its way. */
const grace = 10 * 60_000;
/** Of an attempt that is over it is known that nothing is to be left. */
const shortGrace = 60_000;

/**
 * Ends machines and disks that nobody owns any more: never at first sight, never where a zone has not answered, and never
 * what is not labelled as made by this lab.
 */
export async function sweepOrphans(all: Seen[], dependencies: ReleaseDependencies): Promise<void> {
  const { records, machines, log, now } = dependencies;
  const found: {
    key: string;
    kind: Candidate['kind'];
    zone: string;
    name: string;
    isDisk: boolean;
    wait: number;
  }[] = [];
  for (const { machines, disks } of all) {
    for (const { kind, zone, name } of machines) {
      const wait = await waitFor(name, dependencies);
      if (wait !== undefined)
        found.push({ key: `machine ${zone}/${name}`, kind, zone, name, isDisk: false, wait });
    }
    for (const { zone, name, users } of disks) {
      if (users.length > 0) continue;
      const wait = await waitFor(name, dependencies);
      if (wait !== undefined)
        found.push({ key: `disk ${zone}/${name}`, kind: 'vm', zone, name, isDisk: true, wait });
    }
  }
  const before = (await records.read(orphansRecord, Orphans))?.value.seen ?? {};
  if (found.length === 0 && Object.keys(before).length === 0) return;

  const after: Orphans['seen'] = {};
  for (const { key, kind, zone, name, isDisk, wait } of found) {
    const since = before[key]?.since ?? new Date(now()).toISOString();
    if (now() - Date.parse(since) >= wait) {
      const service = await machines(kind);
      const { gone, failure } = isDisk
        ? await service.removeDisk({ zone, name })
        : await service.remove(zone, name);
      log.warning('nobody owned it, and it was ended', { what: key, gone, reason: failure?.words });
      if (gone) continue;
    }
    after[key] = { since, what: key };
  }
  await records.update(orphansRecord, Orphans, () => ({ seen: after }));
}

/** @returns how long to wait; undefined for what is at work, or not named as one of ours */
async function waitFor(name: string, { records }: ReleaseDependencies): Promise<number | undefined> {
  const named = machineNamed(name);
  if (!named) return undefined;
  const record = await readJobRecord(records, named.job);
  if (!record) return grace;
  const attempt = record.attempts.find(({ number }) => number === named.attempt);
  if (!attempt) return grace;
  return attempt.releasedAt ? shortGrace : undefined;
}
