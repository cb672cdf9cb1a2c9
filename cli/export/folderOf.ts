import { clients } from '../../shared/clients.ts';
import { ExportRequest } from '../../shared/export/requestExport.ts';
import { Refusal } from '../../shared/refusal.ts';

/**
 * The id of the folder that a person means: by its link, its id, or the name of a shared drive.
 * @throws Refusal if there is none, or more than one
 */
export async function folderOf(written: string): Promise<string> {
  const { data } = ExportRequest.shape.folder.safeParse(written);
  if (data && (data !== written || looksLikeId(data))) return data;
  const ids = await sharedDrivesCalled(written);
  const [id, ...others] = ids;
  if (others.length > 0)
    throw new Refusal(
      `Several shared drives are called “${written}”. Use the link of the one that you mean.`,
    );
  if (id) return id;
  throw new Refusal(
    `“${written}” is neither the link nor the ID of a folder, and no shared drive that is shared with this account is called so.`,
  );
}

/** Those of folders are longer than names are, and those of shared drives begin so. */
const looksLikeId = (text: string) => /^(?=.*\d)[\w-]{25,}$/.test(text) || /^0A[\w-]{10,}$/.test(text);

async function sharedDrivesCalled(name: string): Promise<string[]> {
  const drive = await clients.drive();
  const found: string[] = [];
  let pageToken: string | undefined;
  do {
    const { data } = await drive.drives.list({
      pageSize: 100,
      fields: 'nextPageToken,drives(id,name)',
      ...(pageToken ? { pageToken } : {}),
    });
    for (const one of data.drives ?? []) if (one.name === name && one.id) found.push(one.id);
    pageToken = data.nextPageToken ?? undefined;
  } while (pageToken);
  return found;
}
