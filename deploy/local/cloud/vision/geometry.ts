/** A box in pixels: left, top, right, bottom. */
export type Box = { x0: number; y0: number; x1: number; y1: number };
type Size = { width: number; height: number };

const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most);

/** Corners from the top left one clockwise, in whole pixels and inside the picture. */
export function pixelPoly({ x0, y0, x1, y1 }: Box, { width, height }: Size): object {
  const [left, right] = [clip(Math.round(x0), width), clip(Math.round(x1), width)];
  const [top, bottom] = [clip(Math.round(y0), height), clip(Math.round(y1), height)];
  return { vertices: corners(left, top, right, bottom) };
}

/** The same as fractions of the picture, the way only objects come. */
export function normalizedPoly({ x0, y0, x1, y1 }: Box): object {
  return { normalizedVertices: corners(clip(x0, 1), clip(y0, 1), clip(x1, 1), clip(y1, 1)) };
}

const corners = (left: number, top: number, right: number, bottom: number) => [
  { x: left, y: top },
  { x: right, y: top },
  { x: right, y: bottom },
  { x: left, y: bottom },
];

/** The smallest box around all of them. */
export function around(boxes: Box[]): Box {
  return {
    x0: Math.min(...boxes.map(({ x0 }) => x0)),
    y0: Math.min(...boxes.map(({ y0 }) => y0)),
    x1: Math.max(...boxes.map(({ x1 }) => x1)),
    y1: Math.max(...boxes.map(({ y1 }) => y1)),
  };
}
