import { regionOf } from '../../compute/catalogue/zones.ts';
import { unknownMetric } from '../monitoringError.ts';
import type { Parts } from '../parts.ts';
import { keyOf } from '../series/series.ts';
import { latenessOf, visible } from '../series/visible.ts';
import { align, type Shown } from './align.ts';
import { pageOf } from './page.ts';
import type { Query } from './query.ts';
import { reduce } from './reduce.ts';

/** timeSeries.list: what can be seen of a metric by now. A series without a point in the interval is not there. */
export function list({ tables, settings, clock, descriptorOf }: Parts, query: Query): object {
  const { metricType, interval, filter, aligner, period, reducer } = query;
  const descriptor = descriptorOf(metricType);
  if (!descriptor) throw unknownMetric(metricType);
  const lateness = latenessOf(settings, metricType, descriptor.ingestDelay);
  const now = clock.now();
  const raw = tables.of(metricType).flatMap((series): Shown[] => {
    if (
      !filter.matches(series) ||
      settings.unreachableRegions.includes(regionOf(series.resource.labels.zone ?? ''))
    )
      return [];
    const found = tables.points(series.key, interval.start, interval.end);
    const points = visible(settings, series, found, lateness, now);
    return points.length > 0 ? [{ ...series, points }] : [];
  });
  const aligned = aligner
    ? raw.map((series) => align(series, series.points, aligner, period, interval))
    : raw;
  const shown = reducer ? reduce(aligned, reducer, query.groupBy) : aligned;
  const unit = shown[0]?.unit ?? descriptor.unit;
  const keyed = shown
    .map((series) => ({ ...series, key: keyOf(series) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const unreachable = settings.unreachableRegions;
  return {
    ...pageOf(keyed, query),
    ...(unit ? { unit } : {}),
    ...(unreachable.length > 0 ? { unreachable } : {}),
  };
}
