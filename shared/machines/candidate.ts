import * as z from 'zod';

/** US dollars an hour by the table, or that it is not known: then it is undefined, and never zero. */
export const Price = z.object({
  /** Machine, accelerators and disks. */
  perHour: z.number().positive(),
  /** The day of the price table. */
  asOf: z.string(),
});
export type Price = z.infer<typeof Price>;

/** A machine that could be asked for: where, which, and how it is paid. */
export const Candidate = z.object({
  kind: z.enum(['vm', 'tpu']),
  region: z.string(),
  zone: z.string(),
  /** Of Compute Engine; for a TPU its accelerator type. */
  machineType: z.string(),
  /** That are attached to the machine; those that belong to its type are not named here. */
  guestAccelerators: z.array(z.object({ type: z.string(), count: z.number() })),
  /** What the person asked for, as `L4` or `A100:2`. */
  accelerator: z.string(),
  /** The machine brings disks whose content is lost when it stops. */
  localSsd: z.boolean(),
  model: z.enum(['spot', 'standard']),
  diskType: z.enum(['pd-balanced', 'hyperdisk-balanced']),
  price: Price.optional(),
});
export type Candidate = z.infer<typeof Candidate>;
