import type { PNG } from 'pngjs';

export type Rectangle = { x: number; y: number; width: number; height: number };

/** The smallest rectangle around the dark pixels in a part of a picture. */
export function inkIn(picture: PNG, { x, y, width, height }: Rectangle): Rectangle {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (let v = y; v < y + height; v++)
    for (let u = x; u < x + width; u++)
      if ((picture.data[(v * picture.width + u) * 4] ?? 255) < 128) {
        [left, top] = [Math.min(left, u), Math.min(top, v)];
        [right, bottom] = [Math.max(right, u + 1), Math.max(bottom, v + 1)];
      }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function rectangleOf(vertices: { x?: number | null; y?: number | null }[]): Rectangle {
  const xs = vertices.map(({ x }) => x ?? 0);
  const ys = vertices.map(({ y }) => y ?? 0);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** The shared part of two rectangles, as a share of what they cover together: 1 if they are the same. */
export function overlap(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / (a.width * a.height + b.width * b.height - shared);
}
