import * as z from 'zod';

const seconds = z.number().nonnegative();
const range = z.tuple([seconds, seconds]).refine(([least, most]) => least <= most, 'expected [least, most]');

/**
 * What a test may choose; all times are in seconds of Billing's own clock. `curl -d '{"doubled":0.5}' -H 'content-type:
 * application/json' http://127.0.0.1:PORT/_local/billing/settings`.
 */
export const Settings = z.strictObject({
  /** Between two notifications of a budget: 20 to 40 minutes, as people have seen. */
  every: range.default([20 * 60, 40 * 60]),
  /** Until a cost is in what notifications say: "typically … up to 24 hours". */
  late: range.default([60 * 60, 24 * 60 * 60]),
  /** How likely a notification is sent twice. */
  doubled: z.number().min(0).max(1).default(0.05),
  /** How likely one is on its way so long that others overtake it, and how long. */
  overtaken: z.number().min(0).max(1).default(0.05),
  delay: range.default([0, 2 * 60 * 60]),
  /** Whether what runs here costs anything, besides what a test says is spent. */
  isMetering: z.boolean().default(true),
});
export type Settings = z.infer<typeof Settings>;
