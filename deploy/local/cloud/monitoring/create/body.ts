import * as z from 'zod';
import { invalid } from '../monitoringError.ts';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const labels = z.record(z.string(), z.string()).default({});
const int64 = z.union([z.string().regex(/^-?\d{1,19}$/), z.number().int()]).transform(Number);

const Value = z
  .strictObject({
    boolValue: z.boolean().optional(),
    int64Value: int64.optional(),
    doubleValue: z.number().optional(),
    stringValue: z.string().optional(),
  })
  .refine((value) => Object.keys(value).length === 1, {
    error: 'expected one value, which is no distribution',
  });

export const Point = z.strictObject({
  interval: z.strictObject({ startTime: time.optional(), endTime: time }),
  value: Value,
});

export const metricKind = z.enum(['GAUGE', 'DELTA', 'CUMULATIVE']);
export const valueType = z.enum(['BOOL', 'INT64', 'DOUBLE', 'STRING']);

/** What is misspelled Google refuses. */
const Series = z.strictObject({
  metric: z.strictObject({ type: z.string(), labels }),
  resource: z.strictObject({ type: z.string(), labels }),
  metricKind: metricKind.optional(),
  valueType: valueType.optional(),
  unit: z.string().optional(),
  description: z.string().optional(),
  metadata: z.unknown().optional(),
  points: z.array(Point).default([]),
});
export type GivenSeries = z.infer<typeof Series>;

const Body = z.strictObject({ timeSeries: z.array(Series).min(1) });

/** @throws 400 */
export function readBody(given: unknown): GivenSeries[] {
  const parsed = Body.safeParse(given ?? {});
  if (!parsed.success) throw invalid(`Invalid JSON payload received. ${z.prettifyError(parsed.error)}`);
  const { timeSeries } = parsed.data;
  if (timeSeries.length > 200)
    throw invalid(
      'Field timeSeries had an invalid value: A request can have at most 200 TimeSeries objects.',
    );
  return timeSeries;
}

const types = {
  boolValue: 'BOOL',
  int64Value: 'INT64',
  doubleValue: 'DOUBLE',
  stringValue: 'STRING',
} as const;

export function givenValue(value: GivenSeries['points'][number]['value']) {
  const [entry] = Object.entries(value) as [keyof typeof types, number | boolean | string][];
  return entry && { type: types[entry[0]], value: entry[1] };
}
