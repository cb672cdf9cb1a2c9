import * as z from 'zod';

const Place = z.object({ path: z.array(z.string()), folders: z.array(z.string()) });

/** How far the comparison of the whole tree has come. */
export const Progress = z.object({
  run: z.string(),
  startedAt: z.iso.datetime(),
  /** Up to when somebody is at it. */
  until: z.iso.datetime(),
  /** Still to be compared; empty when it is over. The last one is next, so that it stays short. */
  places: z.array(Place),
  looked: z.number(),
  asked: z.number(),
  units: z.number(),
});
export type Progress = z.infer<typeof Progress>;
export const progressRecord = 'drive/reconcile.json';
