import * as z from 'zod';

const time = z.iso.datetime();

/**
 * What the agent on a machine says each minute, as JSON in the guest attribute `gazeline/heartbeat`
 * (`deploy/google/agent/`). Times are of the machine's clock; what the agent cannot see is left out.
 */
export const Heartbeat = z.object({
  at: time,
  /** Something on the machine says of itself that it is at work, in its own words. */
  busy: z.string().max(300).optional(),
  /** When a GPU was last in use, and when much went over the network. */
  gpuAt: time.optional(),
  networkAt: time.optional(),
  /** Of Jupyter: how many there are, how many compute, and when one last did. */
  kernels: z.object({ count: z.int().min(0), busy: z.int().min(0), at: time.optional() }).optional(),
  /** How many are logged in, and when one of them last pressed a key. */
  ssh: z.object({ sessions: z.int().min(0), at: time.optional() }).optional(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** As the namespace and key of guest attributes. */
export const heartbeatKey = 'gazeline/heartbeat';

/** @returns undefined for what no agent of ours has written */
export function parseHeartbeat(text: string): Heartbeat | undefined {
  try {
    return Heartbeat.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
