import type { RequestHandler } from 'express';
import * as z from 'zod';
import { invalid } from './notebooksError.ts';

/**
 * What a test may choose: `curl -d '{"unreachableZones":["us-central1-a"]}' -H 'content-type: application/json'
 * http://127.0.0.1:PORT/_local/notebooks/settings`. How long a machine takes, quotas, and zones that do not answer for
 * Compute Engine either are settings of that.
 */
export const Settings = z.strictObject({
  /** How long an instance whose machine runs is not ACTIVE yet (ms), because its proxy does not know it. */
  registering: z.number().nonnegative().default(0),
  /** Zones that Workbench does not reach, and that lists say so of. */
  unreachableZones: z.array(z.string()).default([]),
  /** Instances whose Jupyter does not answer. */
  unhealthy: z.array(z.string()).default([]),
});
export type Settings = z.infer<typeof Settings>;

/** Replaces the settings, and answers with them; `{}` takes them back. */
export const changeSettings =
  (settings: Settings): RequestHandler =>
  (request, response) => {
    const parsed = Settings.safeParse(request.body ?? {});
    if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
    response.json(Object.assign(settings, parsed.data));
  };
