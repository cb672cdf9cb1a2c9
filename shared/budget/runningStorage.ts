import { priceOfStorage } from '../machines/prices.ts';
import type { PriceTable, StorageClass } from '../machines/priceTable.ts';
import type { CostRecord } from './costRecord.ts';
import type { Running } from './running.ts';
import { keyOf, type Stored } from './storedBytes.ts';

/** In place of a zone: buckets are in none. */
export const buckets = 'buckets';

/** What is stored costs by the hour as well; the rate changes when it is measured again. */
export const runningStorage = (stored: Stored[], prices: PriceTable): Running[] =>
  stored
    .filter(({ bytes }) => bytes > 0)
    .map((one) => {
      const { bucket, location, storageClass, type, bytes, at } = one;
      const known = classOf(storageClass);
      const perHour = known && priceOfStorage({ storageClass: known, location, bytes }, prices);
      return {
        key: `${buckets}/${keyOf(one)}`,
        kind: 'storage',
        zone: buckets,
        name: bucket,
        words: `${size(bytes)} of ${known ?? storageClass} storage in ${location}${of[type] ?? `, ${type}`}`,
        labels: {},
        ...(perHour === undefined ? {} : { perHour }),
        from: at,
      };
    });

/** What was stored when it was asked for last. */
export const storageBefore = ({ items }: CostRecord): Running[] =>
  Object.entries(items).flatMap(([key, { kind, state, zone, name, words, labels, from, perHour }]) =>
    kind === 'storage' && state === 'running'
      ? [{ key, kind, zone, name, words, labels, from, ...(perHour === undefined ? {} : { perHour }) }]
      : [],
  );

const of: { [type: string]: string } = {
  'live-object': '',
  'noncurrent-object': ', older versions',
  'soft-deleted-object': ', deleted and kept for a while',
  'multipart-upload': ', uploads that were not ended',
};

/** The older names say no more than what the location says. https://cloud.google.com/storage/docs/storage-classes#legacy */
function classOf(storageClass: string): StorageClass | undefined {
  switch (storageClass) {
    case 'STANDARD':
    case 'REGIONAL':
    case 'MULTI_REGIONAL':
    case 'DURABLE_REDUCED_AVAILABILITY':
      return 'standard';
    case 'NEARLINE':
      return 'nearline';
    case 'COLDLINE':
      return 'coldline';
    case 'ARCHIVE':
      return 'archive';
    default:
      return undefined;
  }
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
function size(bytes: number): string {
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1024 ** step).toPrecision(3))} ${units[step]}`;
}
