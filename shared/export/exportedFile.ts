import { createHash } from 'node:crypto';
import * as z from 'zod';

/** What an object has become in a folder, and how far it has come. One record for each object and folder. */
export const ExportedFile = z.object({
  object: z.string(),
  /** The file. Chosen before it is made, so that it is not made twice. */
  fileId: z.string(),
  parent: z.string(),
  /** Its own name, or the one that it has beside something that is not ours; then `because` says what that is. */
  name: z.string(),
  because: z.string().optional(),
  /** What was written last; absent as long as the file may not have been made. */
  written: z
    .object({
      generation: z.string(),
      /** As Drive says it. */
      md5: z.string(),
      /** As Drive calls it. */
      name: z.string(),
      export: z.string(),
    })
    .optional(),
  /** What is being written. */
  attempt: z
    .object({
      export: z.string(),
      generation: z.string(),
      md5: z.string(),
      /** The upload session. Whoever knows it can write the file: records are not for everybody's eyes. */
      session: z.string().optional(),
      /** For people: whoever goes on asks the session. */
      sent: z.number(),
      /** Up to when somebody is at it. */
      until: z.iso.datetime(),
      /** How often other bytes arrived than were sent. */
      mismatches: z.number(),
    })
    .optional(),
});
export type ExportedFile = z.infer<typeof ExportedFile>;
export type Attempt = NonNullable<ExportedFile['attempt']>;

/** The same object may go to two places of one folder, by two prefixes. */
export const exportedFileName = (folder: string, object: string, path: string[]) =>
  `exported/${folder}/${createHash('sha256')
    .update(JSON.stringify([object, path]))
    .digest('hex')}.json`;
