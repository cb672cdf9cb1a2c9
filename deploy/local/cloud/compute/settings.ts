import type { RequestHandler } from 'express';
import * as z from 'zod';
import { GoogleError } from '../googleError.ts';

const ms = z.number().nonnegative();

/**
 * What a test may choose: `curl -d '{"unreachableZones":["us-central1-a"]}' -H 'content-type: application/json'
 * http://127.0.0.1:PORT/_local/compute/settings`.
 */
export const Settings = z.strictObject({
  /** How long a machine takes from each state to the next (ms); at Google it is seconds to minutes. */
  delays: z
    .strictObject({
      provisioning: ms.default(100),
      staging: ms.default(100),
      /** On top of what the guest needs to end. */
      stopping: ms.default(0),
    })
    .prefault({}),
  /** Between the metadata server's word of a preemption and the signal (ms). */
  preemptionNotice: ms.default(0),
  /** How long a machine may take to end after the signal, before it is cut off (ms). At Google 30 s; 120 s if not spot. */
  shutdown: ms.default(30_000),
  /** The shortest `maxRunDuration` that is accepted (s). */
  shortestRun: z.number().nonnegative().default(30),
  /** How long `operations.wait` waits at most (ms). */
  wait: ms.default(120_000),
  /** Whether a request id is known when it comes again. How long Google keeps them is not said. */
  rememberRequestIds: z.boolean().default(true),
  /** Quotas other than the usual ones. Without a region they hold in each; GPUS_ALL_REGIONS is one for all. */
  quotas: z
    .array(
      z.strictObject({
        metric: z.string(),
        region: z.string().optional(),
        limit: z.number().nonnegative(),
        /** Whether a request that is over it is refused at once, or its operation fails. */
        when: z.enum(['now', 'late']).default('late'),
      }),
    )
    .default([]),
  /** Zones that do not answer, and that lists say so of. */
  unreachableZones: z.array(z.string()).default([]),
  /** Zones that this project may not use. */
  closedZones: z.array(z.string()).default([]),
});
export type Settings = z.infer<typeof Settings>;

/** Replaces the settings, and answers with them; `{}` takes them back. */
export const changeSettings =
  (settings: Settings): RequestHandler =>
  (request, response) => {
    const parsed = Settings.safeParse(request.body ?? {});
    if (!parsed.success) throw new GoogleError(400, 'invalid', z.prettifyError(parsed.error));
    response.json(Object.assign(settings, parsed.data));
  };
