import type { monitoring_v3 } from 'googleapis/build/src/apis/monitoring/v3.js';
import { codeOf } from '../../storage/codeOf.ts';
import { regionOf } from '../candidates.ts';
import type { Measured } from './evidence.ts';
import type { IdleMachine } from './idleMachine.ts';

const metrics = {
  cpu: { type: 'compute.googleapis.com/instance/cpu/utilization', whole: 1 },
  /** Written by the Ops Agent, in per cent. https://cloud.google.com/monitoring/api/metrics_opsagent */
  gpu: { type: 'agent.googleapis.com/gpu/utilization', whole: 100 },
  /** Bytes of a minute. */
  received: { type: 'compute.googleapis.com/instance/network/received_bytes_count', whole: 60 },
  sent: { type: 'compute.googleapis.com/instance/network/sent_bytes_count', whole: 60 },
};

const minute = 60_000;
/** https://cloud.google.com/monitoring/api/v3/latency-n-retention: seen up to four minutes late. */
const lateness = 4 * minute;
/** The most there is; it counts points, so a series may go on on the next page. */
const pageSize = 100_000;

/** What is known of one metric, for every machine; of the last `window` milliseconds that can be seen. */
export type Utilization = (
  machine: Pick<IdleMachine, 'id' | 'zone' | 'startedAt'>,
  window?: number,
) => Measured;

type Point = { at: number; value: number };

/**
 * How busy all machines of the project were, in one question.
 * @param window milliseconds before now, as far as they can be seen already
 * @param patience milliseconds that each page may take
 */
export async function utilization(
  { projects }: Pick<monitoring_v3.Monitoring, 'projects'>,
  of: keyof typeof metrics,
  {
    project,
    window,
    now,
    patience = 20_000,
  }: { project: string; window: number; now: number; patience?: number },
): Promise<Utilization> {
  const { type, whole } = metrics[of];
  const end = now - lateness;
  /** By machine, then by GPU. */
  const series = new Map<string, Map<string, Point[]>>();
  const unreachable: string[] = [];
  try {
    for (let pageToken: string | undefined; ; ) {
      const { data } = await projects.timeSeries.list(
        {
          name: `projects/${project}`,
          filter: `metric.type = "${type}" AND resource.type = "gce_instance"`,
          'interval.startTime': new Date(end - window).toISOString(),
          // What came early is evidence as well.
          'interval.endTime': new Date(now).toISOString(),
          pageSize,
          ...(pageToken ? { pageToken } : {}),
        },
        { timeout: patience, retryConfig: { retry: 2, noResponseRetries: 2 } },
      );
      for (const one of data.timeSeries ?? []) {
        const id = one.resource?.labels?.instance_id ?? '';
        const ofMachine = series.get(id) ?? new Map<string, Point[]>();
        const key = JSON.stringify(one.metric?.labels ?? {});
        const points = (one.points ?? []).map(({ interval, value }) => ({
          at: Date.parse(interval?.endTime ?? ''),
          value: Number(value?.doubleValue ?? value?.int64Value ?? 0) / whole,
        }));
        series.set(id, ofMachine.set(key, [...(ofMachine.get(key) ?? []), ...points]));
      }
      unreachable.push(...(data.unreachable ?? []));
      if (data.executionErrors?.length) return unknown('it says that its answer is not complete');
      if (!data.nextPageToken) break;
      pageToken = data.nextPageToken;
    }
  } catch (error) {
    // Before the first machine was ever measured there is no such metric.
    if (codeOf(error) === 404) return () => ({ kind: 'none' });
    return unknown((error as Error).message.slice(0, 200));
  }
  return ({ id, zone, startedAt }, last = window) => {
    const region = unreachable.map((name) => name.split('/').at(-1)).find((name) => name === regionOf(zone));
    if (region) return { kind: 'unknown', why: `${region} did not answer` };
    const found = series.get(id);
    if (!found) return { kind: 'none' };
    // What it did before it was stopped and started again says nothing of now.
    const since = Math.max(Date.parse(startedAt ?? '') || 0, end - last);
    const each = [...found.values()].map((points) => points.filter(({ at }) => at > since));
    const expected = Math.floor(last / minute);
    return {
      kind: 'measured',
      expected,
      // Of several GPUs all have to be known, and the busiest counts.
      samples: Math.min(expected, ...each.map((points) => points.length)),
      most: Math.max(0, ...each.flat().map(({ value }) => value)),
    };
  };
}

const unknown =
  (why: string): Utilization =>
  () => ({ kind: 'unknown', why });
