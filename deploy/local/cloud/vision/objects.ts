import { normalizedPoly } from './geometry.ts';
import type { Looked } from './human.ts';

export type FoundObject = { name: string; score: number; boundingPoly: object };

/**
 * The 80 kinds of things of COCO (https://cocodataset.org), the surest first. The names are the model's own, so
 * Google's "Mobile phone" is "Cell phone" here; `mid` stays empty.
 */
export function localizedObjects({ object }: Looked): FoundObject[] {
  return object
    .map(({ label, score, boxRaw: [x, y, width, height] }) => ({
      name: label.charAt(0).toUpperCase() + label.slice(1),
      score,
      boundingPoly: normalizedPoly({ x0: x, y0: y, x1: x + width, y1: y + height }),
    }))
    .sort((a, b) => b.score - a.score);
}
