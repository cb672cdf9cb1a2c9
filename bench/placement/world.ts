import { draw, drawnOf } from './draw.ts';

export const second = 1000;
export const minute = 60 * second;

/** What a call takes until it is answered; the same for all who ask. */
export const latency = 0.2 * second;
/** The service holds a wait for an operation this long at most; then it has to be asked again. */
export const longestWait = 2 * minute;

export type Place = { zone: string; region: string };

export type Weather = {
  /** The share of the zones that have no machine. */
  soldOut: number;
  /** Whether a refusal may name zones that have some. */
  hints: boolean;
  /** The share of the answers that take minutes. */
  late?: number;
  /** How many regions this project has no quota in. */
  withoutQuota?: number;
  /** When two zones have machines again; without it, never. */
  returnsAt?: number;
};

/** What came of asking for a machine. Whoever has no quota is told at once, all others by the operation. */
export type Answer = {
  /** From the insert on. */
  after: number;
  /** Why there is none, as Compute Engine says it; undefined if there is one, and it runs. */
  code?: 'ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS' | 'quotaExceeded';
  message?: string;
  hints: string[];
};

/** What all who look for a machine meet. Drawn from the seed, by zone and by how often it was asked. */
export type World = {
  /** The cheapest first. */
  places: Place[];
  withoutQuota: string[];
  ask(zone: string, at: number): Answer;
};

export function createWorld(places: Place[], seed: number, weather: Weather): World {
  const { soldOut, late = 0, hints, returnsAt } = weather;
  const regions = [...new Set(places.map(({ region }) => region))];
  const withoutQuota = drawnOf(regions, weather.withoutQuota ?? 0, seed, 'without quota');
  const zones = places.filter(({ region }) => !withoutQuota.includes(region)).map(({ zone }) => zone);
  const empty = drawnOf(zones, Math.round(soldOut * zones.length), seed, 'sold out');
  const isEmpty = (zone: string, at: number) =>
    empty.includes(zone) && !(returnsAt !== undefined && at >= returnsAt && empty.indexOf(zone) < 2);
  const asked = new Map<string, number>();

  return {
    places,
    withoutQuota,
    ask(zone, at) {
      const region = places.find((place) => place.zone === zone)?.region ?? '';
      if (withoutQuota.includes(region)) {
        const message = `Quota 'NVIDIA_L4_GPUS' exceeded.  Limit: 0.0 in region ${region}.`;
        return { after: 0, code: 'quotaExceeded', message, hints: [] };
      }
      const time = asked.get(zone) ?? 0;
      asked.set(zone, time + 1);
      const of = (what: string) => draw(seed, what, zone, time);
      const isLate = of('is late') < late;
      const lateAfter = minute + of('late after') * 9 * minute;
      if (!isEmpty(zone, at)) return { after: (15 + of('runs after') * 25) * second, hints: [] };
      return {
        after: isLate ? lateAfter : (5 + of('refused after') * 25) * second,
        code: 'ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS',
        message: `The zone '${zone}' does not have enough resources available to fulfill the request.`,
        hints: hints && of('hint') < 0.5 ? named(of('stale') < 0.2, at, `${zone} ${time}`) : [],
      };
    },
  };

  /** A hint is no promise: some name a zone that has nothing any more. */
  function named(isStale: boolean, at: number, what: string): string[] {
    const candidates = zones.filter((zone) => isEmpty(zone, at) === isStale);
    return drawnOf(candidates, 2, seed, `hint ${what}`);
  }
}

/** How the world was drawn, for whoever reads the figures. */
export const drawn = `\
Drawn for each zone and try, the same for all: a refusal comes 5 to 30 s after the insert, a machine runs after 15 to 40 s.
With hints, every second refusal names up to two zones, and one in five of those names such as are sold out as well.`;
