import * as z from 'zod';
import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';
import { ExportRun, exportId, exportIdPattern, exportName } from './exportRun.ts';

/** An export that is written down: to be listed, or one object of it to be exported. */
export const ExportRequested = z.object({
  export: z.string().regex(exportIdPattern),
  object: z.object({ page: z.number().int().nonnegative(), name: z.string() }).optional(),
});
export type ExportRequested = z.infer<typeof ExportRequested>;

export const exportTopic = 'export-requested';

/** What a request may hold. */
export const ExportRequest = z.object({
  /**
   * Every object whose name begins so is exported; one that is called just so, alone. What it has up to its last `/` is
   * not kept: `jobs/x/results/` brings what is in it, `jobs/x/results` the folder `results`.
   */
  prefix: z
    .string()
    .min(1)
    .max(1024)
    .refine((text) => text.isWellFormed(), 'expected well-formed text'),
  /** The id of a folder in a shared drive, or of the shared drive itself; or its link. */
  folder: z
    .string()
    .max(2000)
    .transform((text) => folderIdOf(text))
    .pipe(z.string('expected the id of a folder, or its link')),
});
export type ExportRequest = z.infer<typeof ExportRequest>;

/** Of `https://drive.google.com/drive/folders/ID`, `…/u/0/folders/ID?usp=sharing`, `…/open?id=ID`, or the ID by itself. */
function folderIdOf(text: string): string | undefined {
  const [, id] =
    /^https:\/\/drive\.google\.com\/(?:.*\/folders\/|.*[?&]id=)([\w-]{5,200})(?:[/?#&].*)?$/.exec(
      text.trim(),
    ) ??
    /^([\w-]{5,200})$/.exec(text.trim()) ??
    [];
  return id;
}

/**
 * Writes it down, and asks for it to be begun.
 * @param key chosen by whoever asks: with the same one it is the same export
 */
export async function requestExport(
  { prefix, folder }: ExportRequest,
  { by, key }: { by: string; key: string },
  { records, publish }: { records: Records; publish: Publish },
  now: Date,
): Promise<ExportRun> {
  const id = exportId(key);
  const run = await records.update(exportName(id), ExportRun, (before): ExportRun | undefined =>
    before
      ? undefined
      : {
          ...{ id, prefix, folder, by, requestedAt: now.toISOString(), state: 'listing' },
          ...{ pages: 0, objects: 0, bytes: 0, over: {} },
        },
  );
  await publishExport(publish, { export: id });
  return run as ExportRun;
}

export const publishExport = (publish: Publish, ...messages: ExportRequested[]): Promise<void> =>
  publish(
    exportTopic,
    messages.map((data) => ({ data })),
  );
