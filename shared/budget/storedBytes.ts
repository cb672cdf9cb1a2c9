import type { monitoring_v3 } from 'googleapis/build/src/apis/monitoring/v3.js';
import { codeOf } from '../storage/codeOf.ts';

/** What a bucket holds of one class, and of one kind: current, noncurrent or soft-deleted; all of them are paid. */
export type Stored = {
  bucket: string;
  /** In lower case: a region, or several: `europe-west4`, `eu`, `nam4`. */
  location: string;
  /** As Google calls it: `STANDARD`, of old `REGIONAL` and `MULTI_REGIONAL`; `NEARLINE`, … */
  storageClass: string;
  /** `live-object`, `noncurrent-object`, `soft-deleted-object`, `multipart-upload`. */
  type: string;
  bytes: number;
  /** Of the sample, not of the measurement. */
  at: string;
};

const metric = 'storage.googleapis.com/storage/v2/total_bytes';
const hour = 3_600_000;
/** It is measured once a day, comes late, and is repeated from then on: what is emptied has no samples any more. */
const window = 30 * hour;

/**
 * What all buckets of the project hold, in one question, without a look at a single object. It is measured once a day, and
 * repeated at each sample until the next day.
 * https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-storage
 * @returns undefined if there is no answer, or not a whole one
 */
export async function storedBytes(
  { projects }: Pick<monitoring_v3.Monitoring, 'projects'>,
  { project, now, patience = 20_000 }: { project: string; now: number; patience?: number },
): Promise<Stored[] | undefined> {
  const found: Stored[] = [];
  try {
    for (let pageToken: string | undefined; ; ) {
      const { data } = await projects.timeSeries.list(
        {
          name: `projects/${project}`,
          filter: `metric.type = "${metric}" AND resource.type = "gcs_bucket"`,
          'interval.startTime': new Date(now - window).toISOString(),
          'interval.endTime': new Date(now).toISOString(),
          // One sample in five minutes says the same all day.
          'aggregation.alignmentPeriod': `${hour / 1000}s`,
          'aggregation.perSeriesAligner': 'ALIGN_NEXT_OLDER',
          ...(pageToken ? { pageToken } : {}),
        },
        { timeout: patience, retryConfig: { retry: 2, noResponseRetries: 2 } },
      );
      found.push(...(data.timeSeries ?? []).flatMap(storedIn));
      if (data.executionErrors?.length || data.unreachable?.length) return undefined;
      if (!data.nextPageToken) return latestOf(found);
      pageToken = data.nextPageToken;
    }
  } catch (error) {
    // Before the first bucket was ever measured there is no such metric.
    if (codeOf(error) === 404) return [];
    return undefined;
  }
}

function storedIn({ metric, resource, points = [] }: monitoring_v3.Schema$TimeSeries): Stored[] {
  const { bucket_name: bucket = '', location = '' } = resource?.labels ?? {};
  const { storage_class: storageClass = '', type = '' } = metric?.labels ?? {};
  const [latest] = points;
  const bytes = latest?.value?.doubleValue ?? Number(latest?.value?.int64Value);
  const at = latest?.interval?.endTime;
  if (!bucket || !at || !Number.isFinite(bytes)) return [];
  return [{ bucket, location: location.toLowerCase(), storageClass, type, bytes, at }];
}

/** A series that goes on on the next page comes twice, the latest sample first. */
const latestOf = (found: Stored[]): Stored[] => [
  ...new Map(found.toReversed().map((one) => [keyOf(one), one])).values(),
];

export const keyOf = ({ bucket, storageClass, type }: Stored): string => `${bucket}/${storageClass}/${type}`;
