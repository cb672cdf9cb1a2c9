import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { statusOf } from '../drive/driveFile.ts';
import { refusalOf } from '../drive/refusal.ts';
import { NotYet } from '../once.ts';
import { noticeFileName } from './noticeFile.ts';

export type PutUpDependencies = {
  drive: drive_v3.Drive;
  studyFolder: string;
  sharedDrive: string | undefined;
  ids: {
    /** Written down before a file is made with it: whoever dies after that, or is not alone, makes no second one. */
    own(): Promise<string>;
    /** Its file is gone for good. */
    forget(id: string): Promise<void>;
  };
};

export type PutUp = { fileId: string } | { problem: string };

const Files = z.array(z.object({ id: z.string() }));

/**
 * Writes the file of notices: the one that is known, or one of its name at the top of the study folder. A service account
 * may write what others own and have shared with it as an editor, but can own nothing outside of shared drives, so only
 * there it makes one by itself.
 * https://developers.google.com/workspace/drive/api/guides/handle-errors (storageQuotaExceeded);
 * https://github.com/bskim45/fastlane-plugin-google_drive/issues/44: updates work where creation fails
 * @throws what may be tried again
 */
export async function putUp(
  content: string,
  fileId: string | undefined,
  dependencies: PutUpDependencies,
): Promise<PutUp> {
  const { sharedDrive } = dependencies;
  try {
    if (fileId && (await write(fileId, content, dependencies))) return { fileId };
    const found = await find(dependencies);
    if (found && (await write(found, content, dependencies))) return { fileId: found };
    if (sharedDrive) return { fileId: await create(content, dependencies) };
    return {
      problem:
        `there is no file “${noticeFileName}” in the study folder, and a service account can own none there: put a text ` +
        `file of this name at its top, and share it, or the folder, with ${await whoAmI(dependencies)} as an editor`,
    };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.kind !== 'final') throw error;
    return {
      problem:
        refusal.reason === 'insufficientFilePermissions'
          ? `“${noticeFileName}” may only be read: share it, or the study folder, with ${await whoAmI(dependencies)} as an editor`
          : `Drive does not take “${noticeFileName}”: ${refusal.reason}`,
    };
  }
}

const mimeType = 'text/markdown';

/** @returns false if it is not there any more */
async function write(fileId: string, content: string, { drive }: PutUpDependencies): Promise<boolean> {
  try {
    const { data } = await drive.files.update({
      fileId,
      media: { mimeType, body: content },
      fields: 'id,trashed',
      supportsAllDrives: true,
    });
    return data.trashed !== true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

/** Of several the oldest. */
async function find({ drive, studyFolder, sharedDrive }: PutUpDependencies): Promise<string | undefined> {
  const { data } = await drive.files.list({
    q: `'${studyFolder}' in parents and name = '${noticeFileName}' and trashed = false`,
    orderBy: 'createdTime',
    pageSize: 1,
    fields: 'files(id)',
    supportsAllDrives: true,
    includeItemsFromAllDrives: true,
    ...(sharedDrive ? { driveId: sharedDrive, corpora: 'drive' } : {}),
  });
  return Files.parse(data.files ?? [])[0]?.id;
}

async function create(content: string, dependencies: PutUpDependencies): Promise<string> {
  const { drive, studyFolder, ids } = dependencies;
  const id = await ids.own();
  try {
    await drive.files.create({
      requestBody: { id, name: noticeFileName, mimeType, parents: [studyFolder] },
      media: { mimeType, body: content },
      fields: 'id',
      supportsAllDrives: true,
    });
    return id;
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
  }
  // Made by a try whose answer was lost; or made long ago, and thrown away.
  if (await write(id, content, dependencies)) return id;
  await ids.forget(id);
  throw new NotYet('the file of notices has to be made anew');
}

/** For the person who has to share something. */
async function whoAmI({ drive }: PutUpDependencies): Promise<string> {
  try {
    const { data } = await drive.about.get({ fields: 'user(emailAddress)' });
    return data.user?.emailAddress ?? 'the service account of Gazeline';
  } catch {
    return 'the service account of Gazeline';
  }
}
