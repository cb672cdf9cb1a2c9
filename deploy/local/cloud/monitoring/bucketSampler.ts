import { everyPeriod } from './everyPeriod.ts';
import type { Parts } from './parts.ts';
import type { Series } from './series/series.ts';

export type BucketSampler = {
  /** Looks again at when to look next, because the clock was set. */
  wake(): void;
  close(): void;
};

const metric = 'storage.googleapis.com/storage/v2/total_bytes';
const period = 300_000;
const day = 24 * 3600_000;

/**
 * What the buckets hold is measured once a day of the clock, and repeated every five minutes until the next day; buckets
 * that hold nothing have no series. So what comes today is seen tomorrow, as at Google:
 * https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-storage
 */
export function createBucketSampler(parts: Parts): BucketSampler {
  const { clock, context, stored, tables, descriptorOf } = parts;
  let measured: { day: number; series: { series: Series; bytes: number }[] } | undefined;
  let until = clock.now();

  const look = () => {
    const now = clock.now();
    const today = Math.floor(now / day);
    context.store.transaction(() => {
      if (measured?.day !== today) {
        // Until its own day ended; of days that nobody looked at nobody knows anything.
        if (measured) repeat(measured, Math.min(now, (measured.day + 1) * day));
        measured = { day: today, series: stored().map(seriesOf) };
      }
      repeat(measured, now);
    });
    until = now;
  };

  const repeat = ({ day: ofDay, series }: NonNullable<typeof measured>, to: number) => {
    const ends: number[] = [];
    const first = Math.max(until, ofDay * day);
    for (let end = Math.floor(first / period + 1) * period; end <= to; end += period) ends.push(end);
    for (const { series: one, bytes } of series)
      tables.put(
        one,
        ends.map((end) => ({ start: end, end, value: bytes, arrived: end })),
      );
  };

  const seriesOf = ({ bucket, location, storageClass, type, bytes }: ReturnType<Parts['stored']>[number]) => {
    const descriptor = descriptorOf(metric);
    return {
      bytes,
      series: {
        metric: { type: metric, labels: { storage_class: storageClass, type } },
        resource: {
          type: 'gcs_bucket',
          labels: { project_id: context.project, bucket_name: bucket, location: location.toLowerCase() },
        },
        metricKind: descriptor?.metricKind ?? 'GAUGE',
        valueType: descriptor?.valueType ?? 'DOUBLE',
        unit: descriptor?.unit,
      } satisfies Series,
    };
  };

  const looking = everyPeriod(parts, period, look);

  return {
    wake() {
      if (clock.now() < until) until = 0;
      looking.tick();
    },
    close: looking.close,
  };
}
