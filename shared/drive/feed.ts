import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import * as z from 'zod';
import { inSharedDrive } from './children.ts';
import { statusOf } from './driveFile.ts';

/** How far the change feed has been handed on. */
export const Feed = z.object({ pageToken: z.string(), drainedAt: z.iso.datetime() });
export const feedRecord = 'drive/feed.json';

/** A page of the change feed. @throws BadPageToken */
export async function pageOf(
  drive: drive_v3.Drive,
  pageToken: string,
  sharedDrive: string | undefined,
): Promise<drive_v3.Schema$ChangeList> {
  try {
    const { data } = await drive.changes.list({
      pageToken,
      pageSize: 1000,
      includeRemoved: true,
      // A folder that is shared with us is not in our own My Drive.
      restrictToMyDrive: false,
      ...inSharedDrive(sharedDrive),
      fields: 'nextPageToken,newStartPageToken,changes(changeType,removed,time,fileId)',
    });
    return data;
  } catch (error) {
    throw isBadPageToken(error) ? new BadPageToken('Drive refused the page token', { cause: error }) : error;
  }
}

export class BadPageToken extends Error {
  override name = 'BadPageToken';
}

/**
 * Drive does not document what a bad token is answered with; all three have been seen with Google's sync tokens. A 400
 * about another parameter is our own mistake and must not start a new import.
 */
function isBadPageToken(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 404 || status === 410) return true;
  const { response } = error as { response?: { data?: { error?: { errors?: { location?: string }[] } } } };
  return status === 400 && response?.data?.error?.errors?.[0]?.location === 'pageToken';
}
