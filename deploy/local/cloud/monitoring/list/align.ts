import { invalidField, notHere } from '../monitoringError.ts';
import type { Point, Series } from '../series/series.ts';
import { combine, typeOf } from './combine.ts';

export type Shown = Series & { points: Omit<Point, 'arrived'>[] };

const field = 'aggregation.perSeriesAligner';
const known = ['MIN', 'MAX', 'MEAN', 'STDDEV', 'SUM', 'COUNT', 'DELTA', 'RATE', 'NEXT_OLDER'];

/** Which kinds of metrics an aligner is for. https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#aligner */
function isFor(aligner: string, { metricKind, valueType }: Series): boolean {
  if (valueType === 'STRING') return false;
  if (aligner === 'DELTA' || aligner === 'RATE') return metricKind !== 'GAUGE';
  if (aligner === 'NEXT_OLDER') return metricKind === 'GAUGE';
  return metricKind !== 'CUMULATIVE' && (valueType !== 'BOOL' || aligner === 'COUNT');
}

/**
 * Points at equal distances. Periods count back from the end of what was asked for; one without a point in it gives none,
 * where Google interpolates for ALIGN_DELTA and ALIGN_RATE.
 * @param points the latest first
 * @throws 400, 501
 */
export function align(
  series: Series,
  points: Omit<Point, 'arrived'>[],
  name: string,
  period: number,
  interval: { start: number; end: number },
): Shown {
  const aligner = name.replace(/^ALIGN_/, '');
  if (!known.includes(aligner)) {
    if (/^(PERCENTILE_\d\d|INTERPOLATE|PERCENT_CHANGE|COUNT_TRUE|COUNT_FALSE|FRACTION_TRUE)$/.test(aligner))
      throw notHere(name);
    throw invalidField(field, name, 'It is not known.');
  }
  if (!isFor(aligner, series))
    throw invalidField(
      field,
      name,
      `The aligner cannot be applied to metrics with kind ${series.metricKind} and value type ${series.valueType}.`,
    );

  const periods = Map.groupBy(points, ({ end }) => Math.floor((interval.end - end) / period));
  const isDelta = aligner === 'DELTA' || (aligner === 'SUM' && series.metricKind === 'DELTA');
  const aligned = [...periods]
    .sort(([a], [b]) => a - b)
    .flatMap(([index, here]) => {
      const value = inPeriod(series, aligner, here, period);
      const end = interval.end - index * period;
      return value === undefined ? [] : [{ start: isDelta ? end - period : end, end, value }];
    });
  const { unit, ...rest } = series;
  return {
    ...rest,
    ...(aligner === 'COUNT' ? { unit: '1' } : aligner === 'RATE' ? { unit: `${unit ?? '1'}/s` } : { unit }),
    metricKind: isDelta ? 'DELTA' : 'GAUGE',
    valueType: aligner === 'RATE' ? 'DOUBLE' : typeOf(aligner, series.valueType),
    points: aligned,
  };
}

function inPeriod(
  { metricKind }: Series,
  aligner: string,
  points: Omit<Point, 'arrived'>[],
  period: number,
): Point['value'] | undefined {
  const numbers = points.map(({ value }) => Number(value));
  if (aligner === 'NEXT_OLDER') return points[0]?.value;
  if (aligner !== 'DELTA' && aligner !== 'RATE') return combine(field, aligner, numbers);
  const change = metricKind === 'DELTA' ? combine(field, 'SUM', numbers) : growth(points);
  return aligner === 'DELTA' ? change : change / (period / 1000);
}

/** By how much a counter grew that begins anew now and then, which is when its points have another start. */
function growth(points: Omit<Point, 'arrived'>[]): number {
  return points.reduce((total, { start, value }, index) => {
    const before = points[index + 1];
    if (!before) return total;
    return total + Number(value) - (before.start === start ? Number(before.value) : 0);
  }, 0);
}
