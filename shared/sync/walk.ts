import { comparePlace, type Finding, type Place } from '../drive/compare.ts';
import { Refusal, reasonOf } from '../refusal.ts';
import type { OpenSync } from './openSync.ts';

/** Folders side by side: most of the time goes into waiting for an answer. */
const atATime = 8;
const mostFailures = 3;

export type Walked = {
  findings: Finding[] /** Folders compared, and those known that are not yet. */;
  done: number;
  left: number;
};

/**
 * Compares the whole tree with the bucket, folder by folder, and writes nothing. Only the folders that are still to be
 * compared, and the findings of a few, are in memory.
 * @throws if the study folder itself cannot be compared, or several folders in a row cannot
 */
export async function* walk(sync: OpenSync): AsyncIterable<Walked> {
  const { studyFolder, readFolder } = sync;
  const study = await readFolder(studyFolder);
  if (!study)
    throw new Refusal(`The study folder ${studyFolder} is not there, or not shared with this account.`);
  if (study.trashed) throw new Refusal(`The study folder “${study.name}” is in the trash.`);
  const places: Place[] = [{ path: [], folders: [studyFolder] }];
  let done = 0;
  let failures = 0;
  while (places.length > 0) {
    const batch = places.splice(-atATime).reverse();
    const compared = await Promise.allSettled(batch.map((place) => comparePlace(place, sync)));
    const findings: Finding[] = [];
    for (const [index, one] of compared.entries()) {
      done++;
      if (one.status === 'fulfilled') {
        failures = 0;
        findings.push(...one.value.findings);
        places.push(...one.value.below);
        continue;
      }
      const { path = [] } = batch[index] ?? {};
      if (path.length === 0 || ++failures >= mostFailures) throw one.reason;
      findings.push({ is: 'error', name: `${path.join('/')}/`, because: reasonOf(one.reason) });
    }
    yield { findings, done, left: places.length };
  }
}
