import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { type DriveFile, getFile } from '../drive/driveFile.ts';
import { pathOf } from '../drive/pathOf.ts';
import { refusalOf } from '../drive/refusal.ts';
import { fresh } from '../fresh.ts';
import { NotYet } from '../once.ts';
import { type DriveItem, getItem, isFolder } from './driveItem.ts';

/** Nothing can be exported there until somebody changes something; the message says what. */
export class ExportRefused extends Error {
  override name = 'ExportRefused';
}

export type Target = { id: string; name: string; sharedDrive: string };

export type TargetDependencies = {
  drive: drive_v3.Drive;
  /** What is exported there would come back as raw data. */
  studyFolder: string;
};

/**
 * Whether a folder may be exported to.
 * @throws ExportRefused if not; NotYet if it is not known where the folder is
 */
export async function checkTarget(
  folder: string,
  { drive, studyFolder }: TargetDependencies,
): Promise<Target> {
  const item = await getItem(drive, folder);
  if (!item)
    throw new ExportRefused(
      `Drive finds no folder ${folder}, or it is not shared with ${await accountOf(drive)}. Make that address a content manager of the shared drive.`,
    );
  const { id, name, driveId } = item;
  if (!isFolder(item)) throw new ExportRefused(`“${name}” is not a folder.`);
  if (item.trashed) throw new ExportRefused(`“${name}” is in the trash.`);
  await refuseStudy(item, drive, studyFolder);
  if (!driveId)
    throw new ExportRefused(
      `“${name}” is in somebody’s My Drive, where ${await accountOf(drive)} can own nothing. Use a folder of a shared drive of which that address is a content manager; or, in a notebook, lab.to_drive(…), which writes as you.`,
    );
  if (item.capabilities?.canAddChildren === false) throw new ExportRefused(await notAllowed(drive, name));
  return { id, name, sharedDrive: driveId };
}

/** For so long a folder that may be exported to is taken to be so; milliseconds. */
const lifetime = 20_000;

export const targets = (dependencies: TargetDependencies, now: () => number) =>
  fresh((folder) => checkTarget(folder, dependencies), { lifetime, now });

async function refuseStudy(item: DriveItem, drive: drive_v3.Drive, studyFolder: string): Promise<void> {
  const readFolder = (id: string) => getFile(drive, id);
  const place =
    item.id === studyFolder ? { where: 'inside' } : await pathOf(readFolder, item as DriveFile, studyFolder);
  if (place.where === 'inside')
    throw new ExportRefused(
      `“${item.name}” is the study folder, or lies in it: what is exported there would come back as raw data.`,
    );
  // No answer is not a no.
  if (place.where === 'unknown') throw new NotYet(`it is not known where ${item.id} is`);
}

/** What Drive said to a write, if that holds for everything that goes there. */
export async function refusedThere(
  error: unknown,
  drive: drive_v3.Drive,
  { name }: Target,
): Promise<ExportRefused | undefined> {
  switch (refusalOf(error)?.reason) {
    case 'storageQuotaExceeded':
      return new ExportRefused(
        `There is no room left for “${name}”: the storage of the shared drive, or of its organization, is used up. In a My Drive, ${await accountOf(drive)} has none at all.`,
      );
    case 'teamDriveFileLimitExceeded':
      return new ExportRefused(`The shared drive of “${name}” holds as many items as Drive allows.`);
    case 'insufficientFilePermissions':
    case 'insufficientParentPermissions':
    case 'teamDriveMembershipRequired':
      return new ExportRefused(await notAllowed(drive, name));
    default:
      return undefined;
  }
}

const notAllowed = async (drive: drive_v3.Drive, name: string) =>
  `${await accountOf(drive)} may not add files to “${name}”. Make that address a content manager of the shared drive.`;

/** The address that a person has to share with. */
async function accountOf(drive: drive_v3.Drive): Promise<string> {
  try {
    const { data } = await drive.about.get({ fields: 'user/emailAddress' });
    return data.user?.emailAddress ?? unnamed;
  } catch {
    return unnamed;
  }
}
const unnamed = 'Gazeline’s service account';
