import type { Descriptor } from '../descriptors.ts';

/** What a series is of. */
export type Identity = {
  metric: { type: string; labels: Record<string, string> };
  resource: { type: string; labels: Record<string, string> };
};

export type Series = Identity & {
  metricKind: Descriptor['metricKind'];
  valueType: Descriptor['valueType'];
  unit?: string | undefined;
};

/** Times are ms since 1970. */
export type Point = {
  /** The same as the end of a GAUGE. */
  start: number;
  end: number;
  value: Value;
  /** When it was written, which is when its lateness begins. */
  arrived: number;
};
export type Value = number | boolean | string;

/** By which it is found again. */
export function keyOf({ metric, resource }: Identity): string {
  const sorted = (labels: Record<string, string>) =>
    Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([metric.type, resource.type, sorted(resource.labels), sorted(metric.labels)]);
}

const fields = {
  BOOL: 'boolValue',
  INT64: 'int64Value',
  DOUBLE: 'doubleValue',
  STRING: 'stringValue',
} as const;

/** As the API has it: integers of 64 bits are strings in JSON. */
export const typedValue = (valueType: Series['valueType'], value: Value): object => ({
  [fields[valueType]]: valueType === 'INT64' ? String(value) : value,
});

export const pointResource = (
  valueType: Series['valueType'],
  { start, end, value }: Omit<Point, 'arrived'>,
) => ({
  interval: { startTime: new Date(start).toISOString(), endTime: new Date(end).toISOString() },
  value: typedValue(valueType, value),
});
