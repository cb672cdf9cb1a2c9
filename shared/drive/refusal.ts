import { statusOf } from './driveFile.ts';
export class WaitForTomorrow extends Error {}
const finalReasons = new Set([
  'cannotDownloadAbusiveFile',
  'cannotDownloadFile',
  'exportSizeLimitExceeded',
  'fileNotDownloadable',
  'fileNotExportable',
  'badRequest',
]);
export function refusalOf(
  error: unknown,
): { kind: 'gone' | 'slow-down' | 'daily' | 'final'; reason: string } | undefined {
  const { message, response } = error as { message?: string; response?: { data?: unknown } };
  const status = statusOf(error);
  try {
    let data: unknown = response?.data ?? message;
    if (data instanceof ArrayBuffer) data = Buffer.from(data).toString();
    const body: any = typeof data === 'string' ? JSON.parse(data) : data;
    const reason = body?.error?.errors?.[0]?.reason;
    if ((status === 403 || status === 400) && finalReasons.has(reason)) return { kind: 'final', reason };
  } catch {}
  return undefined;
}
