import type { Request } from 'express';
import { GoogleError } from '../googleError.ts';

/** What a request to an upload session says it carries. */
export type ContentRange = {
  /** The offset of its first byte; undefined if it carries none and asks how far the upload is. */
  first: number | undefined;
  /** The offset of its last byte; undefined if it carries everything that is left. */
  last: number | undefined;
  total: number | undefined;
};

/**
 * Reads `bytes FIRST-LAST/TOTAL`, where LAST (as the Node library sends it), TOTAL, or FIRST and LAST together may be
 * an asterisk. Without the header, the body is the whole object.
 * @throws 400
 */
export function readContentRange(request: Request): ContentRange {
  const header = request.get('content-range');
  const length = request.get('content-length');
  if (header === undefined) return { first: 0, last: undefined, total: length ? Number(length) : undefined };
  const [match, , firstText, lastText, totalText] =
    /^bytes[ =](\*|(\d{1,15})-(-?\d{1,15}|\*))\/(\d{1,15}|\*)$/i.exec(header.trim()) ?? [];
  if (!match) throw invalid(header);
  const [first, last, total] = [firstText, lastText, totalText].map((digits) =>
    digits === undefined || digits === '*' ? undefined : Number(digits),
  );
  // The Node library sends an empty object as `bytes 0--1/0`.
  if (total === 0) return { first: undefined, last: undefined, total };
  const range = { first, last, total };
  if (first === undefined || last === undefined) return range;
  if (last < first || (total !== undefined && last >= total)) throw invalid(header);
  if (length !== undefined && Number(length) !== last - first + 1) throw invalid(header);
  return range;
}

const invalid = (header: string) =>
  new GoogleError(400, 'badRequest', `Failed to parse Content-Range header: ${header}`);
