import * as z from 'zod';
import { Heartbeat } from './heartbeat.ts';

/** That there is nothing is another thing than that nobody answered, and than that nobody was asked. */
const Missing = [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('unknown'), why: z.string() }),
] as const;

/** What a series says of the window that counts; of CPU and GPU, shares of the whole machine, or of the busiest GPU. */
export const Measured = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('measured'),
    samples: z.int(),
    /** How many there are if none is missing. */
    expected: z.int(),
    most: z.number(),
  }),
  ...Missing,
]);
export type Measured = z.infer<typeof Measured>;

export const Heard = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('heard'), heartbeat: Heartbeat }),
  z.object({ kind: z.literal('unasked') }),
  ...Missing,
]);
export type Heard = z.infer<typeof Heard>;

/** What speaks for and against a machine being in use. */
export const Evidence = z.object({
  /** Whether its zone has answered, or what was seen of it may be old. */
  isZoneThere: z.boolean(),
  cpu: Measured,
  gpu: Measured,
  /** Bytes a second, the one way or the other. Records of earlier have nothing on it. */
  network: Measured.default({ kind: 'none' }),
  heartbeat: Heard,
});
export type Evidence = z.infer<typeof Evidence>;

export const noEvidence: Evidence = {
  isZoneThere: true,
  cpu: { kind: 'none' },
  gpu: { kind: 'none' },
  network: { kind: 'none' },
  heartbeat: { kind: 'unasked' },
};

/** Of two series, either of which is a sign of life. */
export function busier(one: Measured, other: Measured): Measured {
  if (one.kind === 'unknown' || other.kind === 'none') return one;
  if (other.kind === 'unknown' || one.kind === 'none') return other;
  const samples = Math.min(one.samples, other.samples);
  return { ...one, samples, most: Math.max(one.most, other.most) };
}
