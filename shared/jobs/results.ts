import * as z from 'zod';
import type { Config } from '../config.ts';
import type { Records } from '../storage/records.ts';
import type { JobRecord } from './jobRecord.ts';

/** Written by the machine, which runs somebody's code: nothing in it is believed but for being shown. */
const Manifest = z.object({
  attempt: z.number(),
  files: z.array(z.object({ path: z.string(), size: z.number() })),
});

export type Results = {
  /** `gs://…/` */
  place: string;
  /** Not the results: what an attempt that failed left behind. */
  unsaved: boolean;
  attempt: number;
  files: number;
  bytes: number;
};

/** Where what a job has made lies. A manifest is written last: without one, it is not all there. */
export async function resultsOf(
  { derivedRecords, config }: { derivedRecords: Records; config: Pick<Config, 'derivedBucket'> },
  record: JobRecord,
): Promise<Results[]> {
  const base = `jobs/${record.id}`;
  const places = [
    { folder: `${base}/results/`, unsaved: false },
    ...record.attempts.map(({ number }) => ({ folder: `${base}/unsaved/${number}/`, unsaved: true })),
  ];
  const found = await Promise.all(
    places.map(async ({ folder, unsaved }) => {
      const manifest = await derivedRecords.read(`${folder}manifest.json`, Manifest).catch(() => undefined);
      if (!manifest) return [];
      const { attempt, files } = manifest.value;
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      return [
        { place: `gs://${config.derivedBucket}/${folder}`, unsaved, attempt, files: files.length, bytes },
      ];
    }),
  );
  return found.flat();
}
