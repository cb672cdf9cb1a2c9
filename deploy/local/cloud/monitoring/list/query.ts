import type { Request } from 'express';
import { invalid, invalidField, notHere } from '../monitoringError.ts';
import { type Filter, parseFilter } from './filter.ts';

/** What timeSeries.list is asked for. Times are ms since 1970. */
export type Query = {
  filter: Filter;
  metricType: string;
  interval: { start: number; end: number };
  /** Nothing if the points are wanted as they are. */
  aligner?: string;
  period: number;
  reducer?: string;
  groupBy: string[];
  isFull: boolean;
  pageSize: number;
  pageToken: string;
};

/** https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list @throws 400, 501 */
export function readQuery({ query }: Request): Query {
  const text = (name: string): string | undefined => {
    const value = query[name];
    if (value === undefined || value === '') return undefined;
    if (typeof value === 'string') return value;
    throw invalidField(name, String(value), 'It was given more than once.');
  };
  const secondary = Object.keys(query).find((name) => name.startsWith('secondaryAggregation.'));
  if (secondary) throw notHere('secondary aggregation');
  if (text('orderBy')) throw invalidField('order_by', text('orderBy'), 'It must be left blank.');

  const given = text('filter');
  if (!given) throw invalidField('filter', '', 'A filter must be specified.');
  const filter = parseFilter(given);
  const [metricType, ...others] = new Set(filter.metricTypes);
  if (metricType === undefined)
    throw invalidField('filter', given, 'The filter must specify a metric type, by metric.type = "…".');
  if (others.length > 0)
    throw invalid(
      'The provided filter matches more than one metric. TimeSeries data are limited to a single metric per request.',
    );

  const aligner = named(text('aggregation.perSeriesAligner'), 'ALIGN_NONE');
  const reducer = named(text('aggregation.crossSeriesReducer'), 'REDUCE_NONE');
  if (reducer && !aligner)
    throw invalidField(
      'aggregation.perSeriesAligner',
      'ALIGN_NONE',
      'A cross-series reducer needs an aligner other than ALIGN_NONE.',
    );
  const view = text('view') ?? 'FULL';
  if (view !== 'FULL' && view !== 'HEADERS') throw invalidField('view', view, 'It is not known.');
  return {
    filter,
    metricType,
    interval: intervalOf(text('interval.startTime'), text('interval.endTime')),
    ...(aligner ? { aligner } : {}),
    period: aligner ? periodOf(text('aggregation.alignmentPeriod')) : 0,
    ...(reducer ? { reducer } : {}),
    groupBy: [query['aggregation.groupByFields'] ?? []].flat().map(String),
    isFull: view === 'FULL',
    pageSize: sizeOf(text('pageSize'), 100_000),
    pageToken: text('pageToken') ?? '',
  };
}

const named = (given: string | undefined, none: string) => (given === none ? undefined : given);

function intervalOf(startTime: string | undefined, endTime: string | undefined): Query['interval'] {
  const [start, end] = [startTime ?? endTime, endTime].map((time) => Date.parse(time ?? ''));
  if (end === undefined || Number.isNaN(end))
    throw invalidField('interval.end_time', endTime ?? '', 'The end time must be a timestamp.');
  if (start === undefined || Number.isNaN(start) || start > end)
    throw invalidField('interval.start_time', startTime ?? '', 'The start time must be before the end time.');
  // The start is not in it; one moment alone is.
  return { start: start === end ? end - 1 : start, end };
}

/** In ms. */
function periodOf(given: string | undefined): number {
  const [, seconds] = /^(\d+)(?:\.\d+)?s$/.exec(given ?? '') ?? [];
  if (Number(seconds ?? 0) >= 60) return Number(seconds) * 1000;
  throw invalidField(
    'aggregation.alignmentPeriod',
    given ?? '',
    'The value must be at least 60 seconds if an aligner is given.',
  );
}

/** As with all lists: nothing, and what is too much, is the most there is. @throws 400 */
export function sizeOf(given: string | undefined, most: number): number {
  const size = Number(given ?? 0);
  if (!Number.isInteger(size) || size < 0)
    throw invalidField('page_size', given, 'It must be a positive number.');
  return size === 0 ? most : Math.min(size, most);
}
