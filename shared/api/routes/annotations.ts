import * as z from 'zod';
import { Annotation } from '../../annotation/annotation.ts';
import { AreaRow, areaRows } from '../../annotation/areaRows.ts';
import { AreaOfInterest } from '../../annotation/areasOfInterest.ts';
import { findAnnotation, type Listed, listAnnotations } from '../../annotation/listAnnotations.ts';
import type { Log } from '../../log.ts';
import type { Unreadable } from '../../storage/readFolder.ts';
import { BadRecord } from '../../storage/records.ts';
import { csvOf } from '../csvOf.ts';
import { ObjectName, Prefix } from '../dataset.ts';
import { badPageToken, Paging, pageOfRecords, readToken, writeToken } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';

const Which = {
  stimulus: ObjectName.optional().describe('One, by its name in the raw bucket.'),
  prefix: Prefix.optional().describe('All whose names begin so.'),
};
type Which = { stimulus?: string | undefined; prefix?: string | undefined };

const WithoutResponse = Annotation.omit({ response: true });
/** A page ends here as well: an annotation may hold thousands of words. */
const mostAreas = 20_000;

export const annotationRoutes: Route[] = [
  route({
    id: 'listAnnotations',
    method: 'GET',
    path: '/v1/annotations',
    role: 'reader',
    summary:
      'Annotations of stimuli, without all that the service said. A page may be shorter than asked for.',
    query: z.strictObject({ ...Which, ...Paging }),
    answer: pageOfRecords(WithoutResponse),
    async handle({ query, log }, { derivedRecords }) {
      const items: z.infer<typeof WithoutResponse>[] = [];
      const unreadable: Unreadable[] = [];
      let areas = 0;
      const from = query.pageToken === undefined ? undefined : readToken(query.pageToken);
      for await (const listed of listOf(derivedRecords, query, from)) {
        if (items.length === query.pageSize || areas > mostAreas)
          return { items, nextPageToken: writeToken(listed.record), unreadable };
        if (!isReadable(listed, unreadable, log)) continue;
        const { response: _, ...annotation } = listed.annotation;
        items.push(annotation);
        areas += annotation.areasOfInterest.length;
      }
      return { items, unreadable };
    },
  }),

  route({
    id: 'getAnnotation',
    method: 'GET',
    path: '/v1/annotations/{stimulus}',
    role: 'reader',
    summary: 'The annotation of a stimulus, whole.',
    parameters: z.strictObject({ stimulus: ObjectName }),
    answer: Annotation,
    async handle({ path: { stimulus } }, { derivedRecords }) {
      const listed = await findAnnotation(derivedRecords, stimulus);
      if (!listed) throw new Refused(404, `“${stimulus}” has no annotation.`);
      if ('fault' in listed) throw new BadRecord(listed.fault);
      return listed.annotation;
    },
  }),

  route({
    id: 'listAreasOfInterest',
    method: 'GET',
    path: '/v1/areas-of-interest',
    role: 'reader',
    summary: 'Areas of interest as one table; as CSV for who accepts text/csv.',
    query: z.strictObject({ ...Which, kind: AreaOfInterest.shape.kind.optional(), ...Paging }),
    answer: pageOfRecords(AreaRow),
    csv: ({ items }) => csvOf(Object.keys(AreaRow.shape), items),
    async handle({ query, log }, { derivedRecords }) {
      const { kind, pageSize, pageToken } = query;
      const [from, skipped] = pageToken === undefined ? [undefined, 0] : placeOf(pageToken);
      const items: AreaRow[] = [];
      const unreadable: Unreadable[] = [];
      for await (const listed of listOf(derivedRecords, query, from)) {
        if (!isReadable(listed, unreadable, log)) continue;
        const rows = areaRows(listed.annotation).filter((row) => kind === undefined || row.kind === kind);
        const begin = listed.record === from ? skipped : 0;
        const end = begin + pageSize - items.length;
        items.push(...rows.slice(begin, end));
        if (end < rows.length)
          return { items, nextPageToken: writeToken(`${end} ${listed.record}`), unreadable };
      }
      return { items, unreadable };
    },
  }),
];

function placeOf(token: string): [from: string, skipped: number] {
  const [, skipped, from] = /^(\d{1,9}) (.+)$/s.exec(readToken(token)) ?? [];
  if (from === undefined) throw badPageToken();
  return [from, Number(skipped)];
}

async function* listOf(
  derived: Tools['derivedRecords'],
  { stimulus, prefix = '' }: Which,
  from: string | undefined,
): AsyncIterable<Listed> {
  if (stimulus === undefined) return yield* listAnnotations(derived, prefix, from);
  const one = stimulus.startsWith(prefix) ? await findAnnotation(derived, stimulus) : undefined;
  if (one) yield one;
}

/** One that cannot be read must not hide the others. */
function isReadable(
  listed: Listed,
  unreadable: Unreadable[],
  log: Log,
): listed is Extract<Listed, { annotation: Annotation }> {
  if ('annotation' in listed) return true;
  const one = { id: listed.record, reason: listed.fault };
  log.error('an annotation cannot be read', one);
  unreadable.push(one);
  return false;
}
