import { type Descriptor, forUsers, resourceLabels } from '../descriptors.ts';
import { invalid } from '../monitoringError.ts';
import type { Parts } from '../parts.ts';
import { type Identity, keyOf, type Point, type Series } from '../series/series.ts';
import { type GivenSeries, givenValue, readBody } from './body.ts';

/** What users and agents may write. https://cloud.google.com/monitoring/custom-metrics#custom_metric_names */
const writable = /^(custom|external|workload|agent)\.googleapis\.com\/[\w./-]+$/;
const second = 1000;
/** Points of one series are at least this far apart. https://cloud.google.com/monitoring/quotas#custom_metrics_quotas */
const shortestPeriod = 5 * second;
const longestPast = 25 * 3600 * second;
const longestFuture = 300 * second;

/**
 * timeSeries.create: a point for each of several series. What is right is written, even if the answer is a refusal for the
 * rest. https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/create
 * @throws 400
 */
export function create(parts: Parts, given: unknown): void {
  const all = readBody(given);
  const seen = new Set<string>();
  const refusals: string[] = [];
  parts.context.store.transaction(() => {
    for (const [index, one] of all.entries()) {
      const why = write(parts, one, seen);
      if (why) refusals.push(`${why}: timeSeries[${index}]`);
    }
  });
  if (refusals.length > 0)
    throw invalid(`One or more TimeSeries could not be written: ${refusals.join('; ')}`);
}

/** @returns why it is not written, if it is not */
function write(parts: Parts, given: GivenSeries, seen: Set<string>): string | undefined {
  const { tables, clock } = parts;
  const [first, ...more] = given.points;
  const value = first && givenValue(first.value);
  if (!first || !value || more.length > 0)
    return 'Field points had an invalid value: Only one point can be written per TimeSeries per request.';
  const { type } = given.metric;
  if (!writable.test(type))
    return `Field metric.type had an invalid value of "${type}": It cannot be written by users.`;
  const resource = resourceOf(parts, given);
  if (typeof resource === 'string') return resource;
  const known = parts.descriptorOf(type);
  const descriptor = known ?? descriptorFor(given, value.type);
  const { metricKind, valueType } = descriptor;
  if (value.type !== valueType || (given.valueType ?? valueType) !== valueType)
    return `Field points[0].value had an invalid value: Value type for metric ${type} must be ${valueType}, but is ${given.valueType ?? value.type}.`;
  if ((given.metricKind ?? metricKind) !== metricKind)
    return `Field metricKind had an invalid value of "${given.metricKind}": Metric kind for metric ${type} must be ${metricKind}.`;
  if (metricKind === 'DELTA')
    return 'Field metricKind had an invalid value of "DELTA": Users cannot write DELTA metrics.';

  const series: Series = {
    metric: given.metric,
    resource,
    metricKind,
    valueType,
    unit: descriptor.unit,
  };
  const key = keyOf(series);
  if (seen.has(key))
    return 'Field timeSeries had an invalid value: Duplicate TimeSeries encountered. Only one point can be written per TimeSeries per request.';
  seen.add(key);
  const point: Point = {
    start: first.interval.startTime ?? first.interval.endTime,
    end: first.interval.endTime,
    value: value.value,
    arrived: clock.now(),
  };
  const why = untimely(point, metricKind, tables.latest(key), clock.now());
  if (why) return why;
  if (!known) tables.descriptors.put(descriptor);
  tables.put(series, [point]);
  return undefined;
}

function untimely(
  { start, end }: Point,
  metricKind: Descriptor['metricKind'],
  before: Point | undefined,
  now: number,
): string | undefined {
  if (metricKind === 'GAUGE' && start !== end)
    return 'Field points[0].interval.start_time had an invalid value: The start time of a GAUGE must be its end time.';
  if (metricKind === 'CUMULATIVE' && start >= end)
    return 'Field points[0].interval.start_time had an invalid value: The start time must be before the end time.';
  if (end < now - longestPast || end > now + longestFuture)
    return `Field points[0].interval.end_time had an invalid value of "${new Date(end).toISOString()}": Data points cannot be written more than 25h0m0s in the past, or more than 5m0s in the future.`;
  if (!before) return undefined;
  if (end <= before.end || (metricKind === 'CUMULATIVE' && start !== before.start && start <= before.end))
    return `Points must be written in order. One or more of the points specified had an older ${end <= before.end ? 'end' : 'start'} time than the most recent point.`;
  if (end - before.end < shortestPeriod)
    return 'One or more points were written more frequently than the maximum sampling period configured for the metric.';
  return undefined;
}

/** @returns the whole resource, or why it is none */
function resourceOf({ context }: Parts, { resource }: GivenSeries): Identity['resource'] | string {
  const wanted = forUsers.includes(resource.type) ? resourceLabels[resource.type] : undefined;
  if (!wanted)
    return `Field resource.type had an invalid value of "${resource.type}": It cannot be used for metrics of users.`;
  const labels: Record<string, string> = { ...resource.labels, project_id: context.project };
  const unknown = Object.keys(labels).find((label) => !wanted.includes(label));
  if (unknown) return `Field resource.labels had an invalid value: Unrecognized resource label: ${unknown}.`;
  const missing = wanted.find((label) => labels[label] === undefined);
  if (missing) return `Field resource.labels had an invalid value: Missing resource label: ${missing}.`;
  return { type: resource.type, labels };
}

/** What becomes of a metric that nobody has described before. */
function descriptorFor(given: GivenSeries, valueType: Descriptor['valueType']): Descriptor {
  return {
    type: given.metric.type,
    metricKind: given.metricKind ?? 'GAUGE',
    valueType: given.valueType ?? valueType,
    unit: given.unit,
    labels: Object.keys(given.metric.labels),
    displayName: given.description ?? given.metric.type,
    monitoredResourceTypes: forUsers,
  };
}
