import * as z from 'zod';
import { Unreadable } from '../storage/readFolder.ts';
import { Refused } from './refused.ts';

/** What every list is asked with. */
export const Paging = {
  pageSize: z.coerce
    .number('expected a number')
    .int('expected a whole number')
    .min(1, 'expected at least 1')
    .max(1000, 'expected at most 1000')
    .default(100)
    .describe('So many at most.'),
  pageToken: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('nextPageToken of the page before; the rest of the query is to be the same.'),
};

/** A page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextPageToken: nextPageToken.optional() });

/** A page of a list of records; `readFolder` says which of them cannot be read. */
export const pageOfRecords = <T extends z.ZodType>(item: T) =>
  pageOf(item).extend({
    unreadable: z
      .array(Unreadable)
      .describe(
        'Those whose records are not as expected, and why: all of them, or those that this page met.',
      ),
  });
const nextPageToken = z.string().describe('Missing on the last page.');

export const badPageToken = () =>
  new Refused(400, 'pageToken is not of this list.', {
    errors: [{ path: 'query.pageToken', message: 'expected nextPageToken of the page before' }],
  });

/**
 * A page of a list that is at hand, in the order of `keyOf`. The token names the last item that was given, so what comes
 * and goes meanwhile neither repeats others nor hides them.
 */
export function cutPage<T>(
  items: T[],
  { pageSize, pageToken }: { pageSize: number; pageToken?: string | undefined },
  keyOf: (item: T) => string,
): { items: T[]; nextPageToken?: string } {
  const after = pageToken === undefined ? undefined : readToken(pageToken);
  const sorted = items.map((item) => ({ item, key: keyOf(item) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const rest = after === undefined ? sorted : sorted.filter(({ key }) => key > after);
  const page = rest.slice(0, pageSize);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    ...(last && rest.length > page.length ? { nextPageToken: writeToken(last.key) } : {}),
  };
}

export const writeToken = (after: string): string =>
  Buffer.from(JSON.stringify({ after })).toString('base64url');

const Token = z.strictObject({ after: z.string() });

/** @throws Refused if it is none of ours */
export function readToken(token: string): string {
  try {
    return Token.parse(JSON.parse(Buffer.from(token, 'base64url').toString())).after;
  } catch {
    throw badPageToken();
  }
}
