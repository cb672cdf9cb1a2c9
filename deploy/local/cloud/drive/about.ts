import type { RequestHandler } from 'express';
import { GoogleError } from '../googleError.ts';
import { fieldsOf } from './fields.ts';
import { people } from './people.ts';
import { answer, type Drive, text } from './request.ts';

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/about/get */
export const getAbout =
  ({ tree, context }: Drive): RequestHandler =>
  (request, response) => {
    if (text(request, 'fields') === undefined) {
      const location = { locationType: 'parameter', location: 'fields' };
      throw new GoogleError(400, 'required', "The 'fields' parameter is required for this method.", location);
    }
    const { used } = tree.get<{ used: number }>('SELECT coalesce(sum(size), 0) AS used FROM drive_files') ?? {
      used: 0,
    };
    const body = {
      kind: 'drive#about',
      user: people(context).me,
      storageQuota: {
        limit: String(2 ** 40),
        usage: String(used),
        usageInDrive: String(used),
        usageInDriveTrash: '0',
      },
      maxUploadSize: '5497558138880',
      canCreateDrives: true,
      canCreateTeamDrives: true,
      appInstalled: false,
    };
    const others = 'importFormats exportFormats folderColorPalette driveThemes';
    answer(request, response, body, '*', fieldsOf(`${Object.keys(body).join(' ')} ${others}`));
  };
