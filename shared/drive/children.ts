import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';

const Child = z.object({ id: z.string(), mimeType: z.string() });

/** What lies directly in a folder, page by page; what is in the trash only if that is asked for. */
export async function* children(
  drive: drive_v3.Drive,
  folder: string,
  sharedDrive: string | undefined,
  { withTrashed = false } = {},
): AsyncIterable<z.infer<typeof Child>[]> {
  let pageToken: string | undefined;
  do {
    const { data } = await drive.files.list({
      q: `'${folder}' in parents${withTrashed ? '' : ' and trashed = false'}`,
      pageSize: 1000,
      fields: 'nextPageToken,files(id,mimeType)',
      ...inSharedDrive(sharedDrive),
      ...(sharedDrive ? { corpora: 'drive' } : {}),
      ...(pageToken ? { pageToken } : {}),
    });
    yield z.array(Child).parse(data.files ?? []);
    pageToken = data.nextPageToken ?? undefined;
  } while (pageToken);
}

/** Without these, Drive hides everything that is in a shared drive. */
export const inSharedDrive = (sharedDrive: string | undefined) => ({
  supportsAllDrives: true,
  includeItemsFromAllDrives: true,
  ...(sharedDrive ? { driveId: sharedDrive } : {}),
});
