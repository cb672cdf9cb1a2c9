import { type Picture, shrink } from './picture.ts';

type Cluster = { count: number; red: number; green: number; blue: number };

const near = 40;

/**
 * The colours that fill most of the picture, at most ten: colours less than 40 apart (in RGB) are taken together and
 * shown as their mean. `pixelFraction` is a share of all pixels, `score` the share among the colours shown.
 */
export function dominantColours(picture: Picture): object[] {
  const { data } = shrink(picture, 256);
  const boxes = new Map<number, Cluster>();
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue] = [data[i], data[i + 1], data[i + 2]] as [number, number, number];
    const key = ((red >> 4) << 8) | ((green >> 4) << 4) | (blue >> 4);
    const box = boxes.get(key) ?? { count: 0, red: 0, green: 0, blue: 0 };
    boxes.set(key, add(box, { count: 1, red, green, blue }));
  }
  const clusters: Cluster[] = [];
  for (const box of [...boxes.values()].sort((a, b) => b.count - a.count)) {
    const at = clusters.findIndex((cluster) => distance(mean(cluster), mean(box)) < near);
    if (at < 0) clusters.push(box);
    else clusters[at] = add(clusters[at] as Cluster, box);
  }
  const shown = clusters.sort((a, b) => b.count - a.count).slice(0, 10);
  const total = shown.reduce((sum, { count }) => sum + count, 0);
  return shown.map((cluster) => ({
    color: mean(cluster),
    score: cluster.count / total,
    pixelFraction: cluster.count / (data.length / 4),
  }));
}

const add = (a: Cluster, b: Cluster): Cluster => ({
  count: a.count + b.count,
  red: a.red + b.red,
  green: a.green + b.green,
  blue: a.blue + b.blue,
});

type Colour = Omit<Cluster, 'count'>;

const mean = ({ count, red, green, blue }: Cluster): Colour => ({
  red: Math.round(red / count),
  green: Math.round(green / count),
  blue: Math.round(blue / count),
});

const distance = (a: Colour, b: Colour) => Math.hypot(a.red - b.red, a.green - b.green, a.blue - b.blue);
