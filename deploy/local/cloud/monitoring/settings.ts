import * as z from 'zod';

const datetime = z.iso.datetime({ offset: true }).transform((time) => Date.parse(time));

/** Which points are lost. All that is said must be true of a point; what says nothing loses everything. */
const Hole = z.strictObject({
  /** The beginning of a metric's type. */
  metric: z.string().optional(),
  /** Name or id of a machine. */
  instance: z.string().optional(),
  zone: z.string().optional(),
  from: datetime.optional(),
  to: datetime.optional(),
  /** Of the points that this is true of, so many are lost: the same ones, however often they are asked for. */
  share: z.number().min(0).max(1).default(1),
});
export type Hole = z.infer<typeof Hole>;

/**
 * What a test may choose: `curl -d '{"clock":{"speed":60}}' -H 'content-type: application/json'
 * http://127.0.0.1:PORT/_local/monitoring/settings`.
 */
export const Settings = z.strictObject({
  /** Sets the clock, if it is given; it is not set back. `at` is the time that it has now. */
  clock: z.strictObject({ at: datetime.optional(), speed: z.number().nonnegative().default(1) }).optional(),
  /**
   * How many seconds after its time a point can be seen, by the beginning of its metric's type; the longest counts.
   * Without one, as long as Google says at most. https://cloud.google.com/monitoring/api/v3/latency-n-retention
   */
  lateness: z.record(z.string(), z.number().nonnegative()).default({}),
  holes: z.array(Hole).default([]),
  /** Regions whose series are left out, which the answer says. */
  unreachableRegions: z.array(z.string()).default([]),
  /** Whether machines are looked at by itself, once a minute. */
  isSampling: z.boolean().default(true),
  /** Metrics, by the beginning of their type, that Monitoring says it cannot find: 404 instead of an empty list. */
  unknownMetrics: z.array(z.string()).default([]),
});
export type Settings = z.infer<typeof Settings>;
