import * as z from 'zod';
import type { Publish } from '../publish.ts';

/** A file or folder is to be brought to Drive's current state. */
export const FileChanged = z.object({
  fileId: z.string().regex(/^[\w.-]{1,200}$/, 'expected a Drive file id'),
  /** The change feed says that it is gone, or that we may not see it any more. */
  removed: z.boolean().default(false),
});
export type FileChanged = z.infer<typeof FileChanged>;

export async function publishFileChanges(publish: Publish, files: FileChanged[]): Promise<void> {
  if (files.length === 0) return;
  await publish(
    'file-changed',
    files.map((data) => ({ data })),
  );
}
