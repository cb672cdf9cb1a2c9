import { NotYet } from '../once.ts';
import { statusOf } from './driveFile.ts';

/**
 * Why Drive did not do what was asked, by https://developers.google.com/workspace/drive/api/guides/handle-errors:
 *
 * - `gone`: it does not exist, or we may not see it;
 * - `slow-down`: too much at a time, and nobody should send anything for a moment;
 * - `daily`: a limit that opens again tomorrow;
 * - `final`: no repetition can help until somebody changes something.
 */
export type Refusal = { kind: 'gone' | 'slow-down' | 'daily' | 'final'; reason: string };

/** A limit of Drive is used up that opens again tomorrow. */
export class WaitForTomorrow extends Error {
  override name = 'WaitForTomorrow';
}

const slowDown = new Set(['rateLimitExceeded', 'userRateLimitExceeded']);

const daily = new Set([
  'dailyLimitExceeded',
  'downloadQuotaExceeded',
  'quotaExceeded',
  'sharingRateLimitExceeded',
]);

const final = new Set([
  'appNotAuthorizedToFile',
  'badRequest',
  'cannotDownloadAbusiveFile',
  'cannotDownloadFile',
  'domainPolicy',
  'downloadRestrictedForRevision',
  'exportSizeLimitExceeded',
  'fileNotDownloadable',
  'fileNotExportable',
  'insufficientFilePermissions',
  'insufficientParentPermissions',
  'numChildrenInNonRootLimitExceeded',
  'storageQuotaExceeded',
  'teamDriveFileLimitExceeded',
  'teamDriveHierarchyTooDeep',
  'teamDriveMembershipRequired',
]);

/** @returns undefined if it is not known what the error means, as of an answer 500: it may be tried again. */
export function refusalOf(error: unknown): Refusal | undefined {
  // The client library wraps whatever happens before a request leaves.
  if ((error as Error | undefined)?.cause instanceof NotYet) return { kind: 'slow-down', reason: 'heldBack' };
  const status = statusOf(error);
  const reason = reasonOf(error);
  if (status === 404) return { kind: 'gone', reason: reason ?? 'notFound' };
  if (status !== 400 && status !== 403 && status !== 429) return undefined;
  if (reason && daily.has(reason)) return { kind: 'daily', reason };
  if (status === 429 || (reason && slowDown.has(reason)))
    return { kind: 'slow-down', reason: reason ?? 'tooManyRequests' };
  return reason && final.has(reason) ? { kind: 'final', reason } : undefined;
}

/** Of an answer that was to be streamed, the library keeps what it says only as a text, or as the error's message. */
function reasonOf(error: unknown): string | undefined {
  const { message, response } = (error ?? {}) as { message?: string; response?: { data?: unknown } };
  for (const data of [response?.data, message]) {
    try {
      const body = (typeof data === 'string' ? JSON.parse(data) : data) as Body | undefined;
      const reason = body?.error?.errors?.[0]?.reason;
      if (typeof reason === 'string') return reason;
    } catch {
      // Not JSON: a proxy on the way answered, or it is a message for people.
    }
  }
  return undefined;
}
type Body = { error?: { errors?: { reason?: unknown }[] } };
