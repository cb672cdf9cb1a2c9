import * as z from 'zod';
import { invalid } from '../request.ts';
import type { FileRow, Meta } from '../table.ts';
import { metaOf } from './resource.ts';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
const properties = z.record(z.string().max(124), z.string().max(124).nullable());

/** What of a file resource can be written; other fields are dropped without a word, as Google does. */
const FileBody = z
  .object({
    id: z.string(),
    name: z.string().max(32_767),
    mimeType: z.string().regex(/^[\w.+-]+\/[\w.+-]+(;.*)?$/),
    description: z.string(),
    parents: z.array(z.string()),
    starred: z.boolean(),
    trashed: z.boolean(),
    properties,
    appProperties: properties,
    createdTime: time,
    modifiedTime: time,
    copyRequiresWriterPermission: z.boolean(),
    writersCanShare: z.boolean(),
    folderColorRgb: z.string(),
    originalFilename: z.string(),
    shortcutDetails: z.object({ targetId: z.string() }),
  })
  .partial();
export type FileBody = z.infer<typeof FileBody>;

/** @throws 400 `invalid` */
export function parseBody(body: unknown): FileBody {
  const given = Object.entries((body ?? {}) as object).filter(([, value]) => value !== null);
  const parsed = FileBody.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(issue?.path.join('.') ?? 'body', z.prettifyError(parsed.error));
  }
  return parsed.data;
}

/** The columns that are only stored. A property set to `null` goes away. */
export function storedColumns(body: FileBody, row?: FileRow): Partial<FileRow> {
  const meta: Meta = row ? metaOf(row) : {};
  if (body.name !== undefined) delete meta.name;
  if (body.name?.isWellFormed() === false) meta.name = body.name;
  const { description, copyRequiresWriterPermission, writersCanShare, folderColorRgb, originalFilename } =
    body;
  const given = {
    description,
    copyRequiresWriterPermission,
    writersCanShare,
    folderColorRgb,
    originalFilename,
  };
  for (const kind of ['properties', 'appProperties'] as const) {
    const merged = Object.entries({ ...meta[kind], ...body[kind] });
    if (body[kind])
      meta[kind] = Object.fromEntries(merged.filter(([, value]) => value !== null)) as Record<string, string>;
  }
  // JSON leaves out what is undefined.
  const changed = JSON.stringify({ ...meta, ...JSON.parse(JSON.stringify(given)) });
  const { starred, createdTime, modifiedTime } = body;
  return {
    ...(changed === (row?.meta ?? '{}') ? {} : { meta: changed }),
    ...(starred === undefined || Number(starred) === row?.starred ? {} : { starred: Number(starred) }),
    ...(createdTime === undefined ? {} : { createdTime }),
    ...(modifiedTime === undefined ? {} : { modifiedTime }),
  };
}
