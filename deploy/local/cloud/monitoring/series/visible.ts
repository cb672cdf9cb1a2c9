import { createHash } from 'node:crypto';
import type { Hole, Settings } from '../settings.ts';
import { type Identity, keyOf, type Point } from './series.ts';

/** What users write is there after 3 to 7 s. https://cloud.google.com/monitoring/api/v3/latency-n-retention */
const latenessOfWritten = 5;

export function latenessOf({ lateness }: Settings, type: string, ingestDelay = latenessOfWritten): number {
  const [longest] = Object.entries(lateness)
    .filter(([prefix]) => type.startsWith(prefix))
    .sort(([a], [b]) => b.length - a.length);
  return (longest?.[1] ?? ingestDelay) * 1000;
}

/** The points of a series that can be seen at this time, with the holes that were asked for. */
export function visible(
  settings: Settings,
  series: Identity,
  points: Point[],
  lateness: number,
  now: number,
): Point[] {
  const holes = settings.holes.filter((hole) => isOf(hole, series));
  const key = holes.some(({ share }) => share < 1) ? keyOf(series) : '';
  return points.filter(
    ({ end, arrived }) =>
      arrived + lateness <= now &&
      !holes.some(
        ({ from = -Infinity, to = Infinity, share }) =>
          from <= end && end <= to && (share === 1 || lot(`${key} ${end}`) < share),
      ),
  );
}

function isOf({ metric = '', instance, zone }: Hole, series: Identity): boolean {
  const { instance_id, zone: place } = series.resource.labels;
  const { instance_name } = series.metric.labels;
  return (
    series.metric.type.startsWith(metric) &&
    (instance === undefined || instance === instance_id || instance === instance_name) &&
    (zone === undefined || zone === place)
  );
}

/** From 0 to 1, always the same for the same text. */
const lot = (text: string) => createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
