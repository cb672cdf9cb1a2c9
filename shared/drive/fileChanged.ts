import * as z from 'zod';
import type { Publish } from '../publish.ts';

/** A file or folder is to be brought to Drive's current state. */
export const FileChanged = z.object({
  fileId: z.string().regex(/^[\w.-]{1,200}$/, 'expected a Drive file id'),
  /** The change feed, or a complete listing of its folder, says that it is gone, or that we may not see it any more. */
  removed: z.boolean().default(false),
  /** What the record of the file says is not to be relied on: look at the bucket; and, for a folder, into it. */
  verify: z.boolean().default(false),
  /** An object that says it comes from this file. */
  object: z.string().optional(),
  /** A person has agreed to the removal. */
  approved: z.boolean().default(false),
  /** The drain or reconcile that asked for it. */
  run: z.string().max(100).optional(),
  /** When the change happened, as far as Drive says so. */
  changedAt: z.iso.datetime({ offset: true }).optional(),
});
export type FileChanged = z.infer<typeof FileChanged>;

export async function publishFileChanges(
  publish: Publish,
  files: z.input<typeof FileChanged>[],
): Promise<void> {
  if (files.length === 0) return;
  await publish(
    'file-changed',
    // By its key, one file is brought by one delivery at a time: what was heard of it twice is not downloaded twice.
    files.map((data) => ({ data, orderingKey: data.fileId })),
  );
}
