import { invalid } from './errors.ts';

export type PageRequest = { pageSize?: number | null; pageToken?: string | null };

/**
 * One page of what `select` gives in order of name: it is called with the name to start behind and how many are
 * wanted. The token is the last name of the page before.
 */
export function page<T>(
  { pageSize, pageToken }: PageRequest,
  select: (after: string, limit: number) => { name: string; item: T }[],
): { items: T[]; nextPageToken: string } {
  if (pageSize && pageSize < 0) throw invalid('The page size is negative');
  const size = Math.min(pageSize || 100, 1000);
  const rows = select(Buffer.from(pageToken ?? '', 'base64url').toString(), size + 1);
  const last = rows.length > size ? rows[size - 1] : undefined;
  return {
    items: rows.slice(0, size).map(({ item }) => item),
    nextPageToken: last ? Buffer.from(last.name).toString('base64url') : '',
  };
}
