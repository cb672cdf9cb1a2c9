import { GoogleError } from '../googleError.ts';
import type { Bucket } from './buckets.ts';
import type { Generation } from './resource.ts';

/**
 * For whatever would delete or replace an object, in a bucket with versioning too.
 * @throws 403 while it is held, or younger than the bucket's retention period
 */
export function requireReleased(
  { bucket, name, metadata, created }: Generation,
  { retention }: Bucket,
): void {
  const { temporaryHold, eventBasedHold } = metadata;
  const object = `Object '${bucket}/${name}'`;
  // https://cloud.google.com/storage/docs/object-holds
  if (temporaryHold || eventBasedHold) {
    const hold = temporaryHold ? 'Temporary' : 'Event-Based';
    const until = 'and cannot be deleted, overwritten or archived until hold is removed.';
    throw new GoogleError(403, 'objectUnderActiveHold', `${object} is under active ${hold} hold ${until}`);
  }
  // https://cloud.google.com/storage/docs/bucket-lock
  const end = created + retention * 1000;
  if (retention === 0 || end <= Date.now()) return;
  const until = `and cannot be deleted or overwritten until ${new Date(end).toISOString()}`;
  throw new GoogleError(
    403,
    'retentionPolicyNotMet',
    `${object} is subject to bucket's retention policy ${until}`,
  );
}
