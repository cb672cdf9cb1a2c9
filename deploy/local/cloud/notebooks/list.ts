import type { Request } from 'express';
import { parseFilter } from '../compute/lists/filter.ts';
import { invalid, notHere } from './notebooksError.ts';

type Item = { zone: string; name: string; resource: object };

/** Comes after everything that is there. */
const afterAll = '~';

/**
 * One page. `A ListInstancesResponse will only contain either instances or unreachables`: so when zones do not answer,
 * the last page says that and nothing else, and who reads only the first one never learns of it.
 * https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/projects.locations.instances/list
 */
export function listed({ query }: Request, kind: string, items: Item[], unreachable: string[]): object {
  if (query.orderBy) throw notHere('order of lists');
  const size = Number(query.pageSize ?? 0);
  if (!Number.isInteger(size) || size < 0) throw invalid('page_size must not be negative.');
  const filter = parseFilter(String(query.filter ?? ''));
  const after = Buffer.from(String(query.pageToken ?? ''), 'base64url').toString();
  const left = items
    .filter(({ resource }) => filter(resource))
    .map((item) => ({ ...item, key: `${item.zone}/${item.name}` }))
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (left.length === 0) return unreachable.length > 0 ? { unreachable } : {};
  const page = left.slice(0, size || 500);
  const last = left.length > page.length ? page.at(-1)?.key : unreachable.length > 0 ? afterAll : undefined;
  return {
    [kind]: page.map(({ resource }) => resource),
    ...(last ? { nextPageToken: Buffer.from(last).toString('base64url') } : {}),
  };
}
