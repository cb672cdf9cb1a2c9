import { invalidField } from '../monitoringError.ts';
import { pointResource } from '../series/series.ts';
import type { Shown } from './align.ts';
import type { Query } from './query.ts';

type Page = { timeSeries?: object[]; nextPageToken?: string };

/**
 * One page. With `view=FULL` its size counts points, so that a series may go on on the next page; with HEADERS it counts
 * series, and there are no points. https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list
 * @param all in an order that stays
 */
export function pageOf(all: (Shown & { key: string })[], query: Query): Page {
  const { key: last, end: lastEnd } = readToken(query.pageToken);
  let left = query.pageSize;
  let next: string | undefined;
  const taken: object[] = [];
  for (const series of all) {
    if (series.key < last || (series.key === last && lastEnd === undefined)) continue;
    const { metric, resource, metricKind, valueType } = series;
    const header = { metric, resource, metricKind, valueType };
    if (left === 0) return { timeSeries: taken, ...(next ? { nextPageToken: next } : {}) };
    if (!query.isFull) {
      taken.push(header);
      left--;
      next = token(series.key);
      continue;
    }
    const rest = series.points.filter(({ end }) => series.key > last || end < (lastEnd ?? 0));
    const points = rest.slice(0, left);
    const earliest = points.at(-1);
    if (!earliest) continue;
    taken.push({ ...header, points: points.map((point) => pointResource(valueType, point)) });
    left -= points.length;
    next = token(series.key, earliest.end);
    if (points.length < rest.length) return { timeSeries: taken, nextPageToken: next };
  }
  return taken.length > 0 ? { timeSeries: taken } : {};
}

const token = (key: string, end?: number) => Buffer.from(JSON.stringify({ key, end })).toString('base64url');

function readToken(text: string): { key: string; end?: number } {
  if (text === '') return { key: '' };
  try {
    const { key, end } = JSON.parse(Buffer.from(text, 'base64url').toString()) as {
      key: string;
      end?: number;
    };
    return { key, ...(end === undefined ? {} : { end }) };
  } catch {
    throw invalidField('page_token', text, 'It was not given out.');
  }
}
