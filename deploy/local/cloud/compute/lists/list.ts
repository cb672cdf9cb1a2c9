import type { Request } from 'express';
import type { Context } from '../../service.ts';
import { zones } from '../catalogue/zones.ts';
import { invalidField } from '../computeError.ts';
import { linkTo } from '../parts.ts';
import type { Settings } from '../settings.ts';
import { parseFilter } from './filter.ts';

/** A resource, and the zone that it is in. */
type Item = { zone: string; resource: object & { name?: string } };

/**
 * One page of what a list asks for: `filter`, `maxResults`, `pageToken`, and `orderBy` as far as `creationTimestamp desc`.
 * The token is where the last page ended.
 */
function pageOf(request: Request, items: Item[]): { items: Item[]; nextPageToken?: string } {
  const filter = parseFilter(text(request, 'filter') ?? '');
  const size = Number(text(request, 'maxResults') ?? 500);
  if (!Number.isInteger(size) || size < 0 || size > 500)
    throw invalidField('maxResults', String(size), 'Must be between 0 and 500');
  const order = text(request, 'orderBy');
  if (order !== undefined && order !== 'name' && order !== 'creationTimestamp desc')
    throw invalidField('orderBy', order, 'Only name and creationTimestamp desc are supported.');
  const keyed = items
    .filter(({ resource }) => filter(resource))
    .map((item) => ({ item, key: keyOf(item, order) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const after = Buffer.from(text(request, 'pageToken') ?? '', 'base64url').toString();
  const left = keyed.filter(({ key }) => key > after);
  const taken = left.slice(0, size || 500);
  const last = left.length > taken.length ? taken.at(-1) : undefined;
  return {
    items: taken.map(({ item }) => item),
    ...(last ? { nextPageToken: Buffer.from(last.key).toString('base64url') } : {}),
  };
}

function keyOf({ zone, resource }: Item, order: string | undefined): string {
  const place = `${zone}/${resource.name}`;
  if (order !== 'creationTimestamp desc') return place;
  // The newest first: the later, the smaller the key.
  const { creationTimestamp = '', insertTime = creationTimestamp } = resource as Record<string, string>;
  return `${String(1e15 - Date.parse(insertTime)).padStart(16, '0')} ${place}`;
}

/** The answer of a `list`. */
export function listed(
  context: Context,
  request: Request,
  kind: string,
  path: string,
  items: Item[],
): object {
  const { items: page, ...next } = pageOf(request, items);
  return {
    kind: `compute#${kind}List`,
    id: `projects/${context.project}/${path}`,
    ...(page.length > 0 ? { items: page.map(({ resource }) => resource) } : {}),
    ...next,
    selfLink: linkTo(context, path),
  };
}

/**
 * The answer of an `aggregatedList`: every zone is there, those without anything with a warning. A zone that does not
 * answer has another warning, and stands under `unreachables`; one that is closed to the project is not there, as in
 * `zones.list`.
 */
export function aggregated(
  context: Context,
  request: Request,
  { unreachableZones, closedZones }: Settings,
  kind: string,
  plural: string,
  items: Item[],
): object {
  const { items: page, ...next } = pageOf(
    request,
    items.filter(({ zone }) => !unreachableZones.includes(zone) && !closedZones.includes(zone)),
  );
  const open = zones.filter((zone) => !closedZones.includes(zone));
  const scopes = open.map((zone) => {
    const scope = `zones/${zone}`;
    const found = page.filter((item) => item.zone === zone).map(({ resource }) => resource);
    if (found.length > 0) return [scope, { [plural]: found }];
    const isUnreachable = unreachableZones.includes(zone);
    const warning = {
      code: isUnreachable ? 'UNREACHABLE' : 'NO_RESULTS_ON_PAGE',
      message: isUnreachable
        ? `The scope '${scope}' is unreachable.`
        : `There are no results for scope '${scope}' on this page.`,
      data: [{ key: 'scope', value: scope }],
    };
    return [scope, { warning }];
  });
  return {
    kind: `compute#${kind}AggregatedList`,
    id: `projects/${context.project}/aggregated/${plural}`,
    items: Object.fromEntries(scopes),
    ...next,
    ...(unreachableZones.length > 0
      ? { unreachables: unreachableZones.map((zone) => `projects/${context.project}/zones/${zone}`) }
      : {}),
    selfLink: linkTo(context, `aggregated/${plural}`),
  };
}

export function text(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalidField(name, value, 'It was given more than once.');
}
