import * as z from 'zod';
import table from './priceTable.json' with { type: 'json' };

/** US dollars on demand, and for spot. Null is unknown. Zero would be a mistake of the source: nothing is free. */
const amount = z.number().positive().nullable();
const pair = z.tuple([amount, amount]);
const byRegion = <T extends z.ZodType>(value: T) => z.record(z.string(), value);

export const storageClasses = ['standard', 'nearline', 'coldline', 'archive'] as const;
export type StorageClass = (typeof storageClasses)[number];

/** List prices, made by `deploy/google/refreshPrices.ts`; what is not in here is not known. */
export const PriceTable = z.object({
  /** The day of the oldest price in it. */
  asOf: z.iso.date(),
  sources: z.array(z.string()),
  currency: z.literal('USD'),
  /** An hour of one vCPU with the memory that belongs to it, by shape and region. */
  vcpus: z.record(z.string(), byRegion(pair)),
  /** An hour of one GPU. */
  gpus: z.record(z.string(), byRegion(pair)),
  /** An hour of one unit (`tpus`): eight cores of v2 and v3 cost as eight units, a chip of the others as one. */
  tpus: z.record(z.string(), byRegion(pair)),
  /** A month of a gigabyte. */
  disks: z.object({
    'pd-balanced': byRegion(amount),
    'hyperdisk-balanced': byRegion(amount).optional(),
    'local-ssd': byRegion(pair),
  }),
  /** A month of a gibibyte, by class and, in lower case, by the location of a bucket. */
  storage: z.record(z.enum(storageClasses), byRegion(amount)),
  /** Where a family of machines, a GPU or a generation of TPUs is offered at all. */
  zones: z.record(z.string(), z.array(z.string())),
});
export type PriceTable = z.infer<typeof PriceTable>;

let read: PriceTable | undefined;

/** The one in the repository, checked on first use. */
export function priceTable(): PriceTable {
  read ??= PriceTable.parse(table);
  return read;
}
