import { statusOf } from './driveFile.ts';

/**
 * What Drive means by an answer that is no success:
 * - `gone`: deleted, or out of our sight; Drive does not tell them apart;
 * - `slow-down`: asked too often, the same request succeeds later;
 * - `daily`: a limit of a whole day, tomorrow is early enough to ask again;
 * - `final`: asking again cannot help.
 */
export type Refusal = { kind: 'gone' | 'slow-down' | 'daily' | 'final'; reason: string };

/** https://developers.google.com/workspace/drive/api/guides/handle-errors */
const kinds = new Map<string, Refusal['kind']>([
  ['rateLimitExceeded', 'slow-down'],
  ['userRateLimitExceeded', 'slow-down'],
  // The limit of a project's day, then of a file's day: rclone knows it as that of the downloads.
  ['dailyLimitExceeded', 'daily'],
  ['dailyLimitExceededUnreg', 'daily'],
  ['downloadQuotaExceeded', 'daily'],
  ['quotaExceeded', 'daily'],
  ['appNotAuthorizedToFile', 'final'],
  ['badRequest', 'final'],
  ['cannotDownloadAbusiveFile', 'final'],
  ['cannotDownloadFile', 'final'],
  ['domainPolicy', 'final'],
  ['exportSizeLimitExceeded', 'final'],
  ['fileNotDownloadable', 'final'],
  ['fileNotExportable', 'final'],
  ['insufficientFilePermissions', 'final'],
  ['storageQuotaExceeded', 'final'],
  ['teamDriveMembershipRequired', 'final'],
]);

/** @returns undefined where the answer, or its absence, says nothing of the kind: what failed comes again */
export function refusalOf(error: unknown): Refusal | undefined {
  const status = statusOf(error);
  const reason = reasonOf(error);
  if (status === 404) return { kind: 'gone', reason: reason ?? 'notFound' };
  if (status !== 400 && status !== 403 && status !== 429) return undefined;
  const kind = kinds.get(reason ?? '');
  if (status === 429 && kind !== 'daily') return { kind: 'slow-down', reason: reason ?? 'rateLimitExceeded' };
  return kind && reason ? { kind, reason } : undefined;
}

/** A limit of this day is used up: the work is put aside until the next. */
export class WaitForTomorrow extends Error {
  override name = 'WaitForTomorrow';
}

/**
 * The library makes an object of a body that was to be JSON or bytes. Of one that was to be streamed it keeps the text,
 * depending on the version only as the message of the error.
 */
function reasonOf(error: unknown): string | undefined {
  const { message, response } = (error ?? {}) as { message?: unknown; response?: { data?: unknown } };
  try {
    const data = response?.data ?? message;
    const body: unknown = typeof data === 'string' ? JSON.parse(data) : data;
    const reason = (body as { error?: { errors?: { reason?: unknown }[] } })?.error?.errors?.[0]?.reason;
    return typeof reason === 'string' ? reason : undefined;
  } catch {
    return undefined;
  }
}
