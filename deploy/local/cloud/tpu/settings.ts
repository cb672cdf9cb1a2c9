import * as z from 'zod';

const ms = z.number().nonnegative();

/**
 * What a test may choose: `curl -d '{"soldOut":[{"zone":"us-west4-a"}]}' -H 'content-type: application/json'
 * http://127.0.0.1:PORT/_local/tpu/settings`.
 */
export const Settings = z.strictObject({
  /** How long it takes from each state to the next (ms); at Google it is seconds to minutes, in a queue days. */
  delays: z
    .strictObject({
      /** CREATING → ACCEPTED; the operation of the request ends then. */
      accepting: ms.default(50),
      /** ACCEPTED → WAITING_FOR_RESOURCES, and from there on if there is a TPU. */
      queueing: ms.default(50),
      /** PROVISIONING → ACTIVE; of a node: CREATING → READY. */
      provisioning: ms.default(100),
      /** On top of what the guest needs to end. */
      deleting: ms.default(0),
    })
    .prefault({}),
  /** Between the metadata server's word of a preemption and the signal (ms). */
  preemptionNotice: ms.default(0),
  /** How long a node may take to end after the signal, before it is cut off (ms). */
  shutdown: ms.default(30_000),
  /** From a node's preemption until its queued resource is suspended (ms); null: it stays ACTIVE. */
  suspension: ms.nullable().default(0),
  /** Whether a request id is known when it comes again. How long Google keeps them is not said. */
  rememberRequestIds: z.boolean().default(true),
  /** What is not to be had as long as it stands here. A part that is not said is any. */
  soldOut: z
    .array(
      z.strictObject({
        zone: z.string().optional(),
        acceleratorType: z.string().optional(),
        provisioningModel: z.enum(['SPOT', 'STANDARD']).optional(),
        /** Whether it is refused with code 8; otherwise a queued resource waits until it is there, or too late. */
        fails: z.boolean().default(false),
      }),
    )
    .default([]),
  /** Quotas other than the usual ones, as `TPUV5sLitepodPerProjectPerZoneForTPUAPI`. Without a zone they hold in each. */
  quotas: z
    .array(
      z.strictObject({
        metric: z.string(),
        zone: z.string().optional(),
        limit: z.number().nonnegative(),
        /** Whether a request that is over it is refused at once, or fails after it was accepted. */
        when: z.enum(['now', 'late']).default('now'),
      }),
    )
    .default([]),
  /** Zones that do not answer, and that lists say so of. */
  unreachableZones: z.array(z.string()).default([]),
  /** Zones that this project may not use. */
  closedZones: z.array(z.string()).default([]),
});
export type Settings = z.infer<typeof Settings>;
