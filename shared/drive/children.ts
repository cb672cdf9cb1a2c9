import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';

const Child = z.object({ id: z.string(), mimeType: z.string() });
type Child = z.infer<typeof Child>;

export type ChildrenOptions<T> = {
  /** What is in the trash as well. */
  withTrashed?: boolean;
  /** Only those of this name, whatever its capitals. */
  name?: string;
  /** More of each than its id and type. */
  fields?: string;
  schema?: z.ZodType<T>;
};

/**
 * What lies directly in a folder, page by page.
 * @throws if Drive says that its answer is not complete
 */
export async function* children<T = Child>(
  drive: drive_v3.Drive,
  folder: string,
  sharedDrive: string | undefined,
  { withTrashed = false, name, fields = 'id,mimeType', schema = Child as never }: ChildrenOptions<T> = {},
): AsyncIterable<T[]> {
  let pageToken: string | undefined;
  do {
    const { data } = await drive.files.list({
      q: [
        `'${folder}' in parents`,
        ...(withTrashed ? [] : ['trashed = false']),
        ...(name === undefined ? [] : [`name = '${name.replace(/[\\']/g, '\\$&')}'`]),
      ].join(' and '),
      pageSize: 1000,
      fields: `nextPageToken,incompleteSearch,files(${fields})`,
      ...inSharedDrive(sharedDrive),
      ...(sharedDrive ? { corpora: 'drive' } : {}),
      ...(pageToken ? { pageToken } : {}),
    });
    if (data.incompleteSearch) throw new Error(`Drive did not list all that is in ${folder}`);
    yield z.array(schema).parse(data.files ?? []);
    pageToken = data.nextPageToken ?? undefined;
  } while (pageToken);
}

/** Without these, Drive hides everything that is in a shared drive. */
export const inSharedDrive = (sharedDrive: string | undefined) => ({
  supportsAllDrives: true,
  includeItemsFromAllDrives: true,
  ...(sharedDrive ? { driveId: sharedDrive } : {}),
});
