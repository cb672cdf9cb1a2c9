import * as z from 'zod';
import type { Annotation } from './annotation.ts';
import { AreaOfInterest } from './areasOfInterest.ts';

/** An area of interest as a row of a table. */
export const AreaRow = z.object({
  stimulus: z.string(),
  generation: z.string(),
  kind: AreaOfInterest.shape.kind,
  label: z.string(),
  confidence: z.number().nullable(),
  /** Pixels of a picture. */
  x: z.number().nullable(),
  y: z.number().nullable(),
  width: z.number().nullable(),
  height: z.number().nullable(),
  /** UTF-16 code units of a text. */
  start: z.number().nullable(),
  end: z.number().nullable(),
  isLocal: z.boolean().describe('Found by a local stand-in, not by Google.'),
});
export type AreaRow = z.infer<typeof AreaRow>;

export function areaRows({ stimulus, areasOfInterest, annotator }: Annotation): AreaRow[] {
  return areasOfInterest.map(({ kind, label, confidence, box, span }) => ({
    stimulus: stimulus.name,
    generation: stimulus.generation,
    kind,
    label,
    confidence,
    x: box?.x ?? null,
    y: box?.y ?? null,
    width: box?.width ?? null,
    height: box?.height ?? null,
    start: span?.begin ?? null,
    end: span?.end ?? null,
    isLocal: annotator.local,
  }));
}
