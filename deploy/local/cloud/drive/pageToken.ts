import type { Request } from 'express';
import { pathOf } from '../faults.ts';
import { GoogleError } from '../googleError.ts';
import { type Drive, invalid, text } from './request.ts';

/** Of the last entry ever written, in any log. */
export const newest = ({ tree }: Drive) =>
  tree.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'drive_changes'")?.seq ?? 0;

/** @throws 400 `required` without a token, 400 `invalid` for one that was never given out, what a fault asks for */
export function pageTokenOf(drive: Drive, request: Request): number {
  const token = text(request, 'pageToken');
  if (token === undefined) {
    const location = { locationType: 'parameter', location: 'pageToken' };
    throw new GoogleError(400, 'required', 'Required parameter: pageToken', location);
  }
  if (!/^[1-9]\d{0,14}$/.test(token) || Number(token) > newest(drive) + 1) throw invalid('pageToken');
  const fault = drive.context.faults.strike('drive', ['expirePageTokens'], {
    method: request.method,
    path: pathOf(request),
  });
  if (fault) refuseOld(drive, fault.status);
  const { upTo, status } = drive.refusedTokens;
  if (Number(token) > upTo) return Number(token);
  if (status !== 404 && status !== 410) throw invalid('pageToken');
  throw new GoogleError(status, status === 404 ? 'notFound' : 'gone', `Page token ${token} is not valid`);
}

function refuseOld(drive: Drive, status: number): void {
  // The token that comes next differs from all before, though nothing has changed.
  drive.tree.run("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'drive_changes'");
  drive.refusedTokens = { upTo: newest(drive), status };
}
