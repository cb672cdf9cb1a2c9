import * as z from 'zod';

export const costRecordName = 'budget/cost.json';

const time = z.iso.datetime();
/** US dollars by name. */
const sums = z.record(z.string(), z.number());

/** Something that costs by the hour, and until when that is counted. */
export const Counted = z.object({
  kind: z.enum(['machine', 'tpu', 'disk', 'storage']),
  zone: z.string(),
  name: z.string(),
  words: z.string(),
  labels: z.record(z.string(), z.string()),
  /** Missing if the price is not known. */
  perHour: z.number().optional(),
  from: time,
  /** What came before is counted, and never again. */
  until: time,
  endsAt: time.optional(),
  isUnused: z.literal(true).optional(),
  /** `stopped`: it is there and costs nothing; `gone`: it is not there any more. */
  state: z.enum(['running', 'stopped', 'gone']),
});
export type Counted = z.infer<typeof Counted>;

/** What has been spent in a period, by what was there and list prices. In US dollars. */
export const CostRecord = z.object({
  period: z.object({ start: time, end: time }),
  /** Nothing before was looked at. */
  since: time,
  /** The last look. */
  asOf: time,
  /** The day of the price table. */
  prices: z.string().optional(),
  total: z.number(),
  /** How much of it is for things of which nobody says when they ended. */
  guessed: z.number(),
  by: z.object({ kind: sums, owner: sums, job: sums, label: sums }),
  /** By day in US Pacific time, as Google counts; of earlier periods as well. */
  days: sums,
  /** Units of Vision and Natural Language by day (UTC). */
  units: z.record(z.string(), z.object({ vision: z.number(), language: z.number() })),
  items: z.record(z.string(), Counted),
  /** When it was asked last what the buckets hold; it is measured once a day. */
  storageAskedAt: time.optional(),
  /** Hours of things whose price is not known, by what they are. */
  unpriced: sums,
  /** Zones that did not answer: what ran there is taken to run on. */
  unseen: z.array(z.string()),
  previous: z.object({ period: z.object({ start: time, end: time }), total: z.number() }).optional(),
  /** What Google has billed, and what was counted here when that was heard. */
  billed: z.object({ cost: z.number(), heardAt: time, counted: z.number() }).optional(),
  /** By how much Google’s figure was the larger one, at most: there is something that is not counted here. */
  ahead: z.number(),
});
export type CostRecord = z.infer<typeof CostRecord>;
