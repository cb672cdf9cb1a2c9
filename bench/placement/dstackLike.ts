import type { Placed } from './placed.ts';
import { latency, minute, second, type World } from './world.ts';

/** “GCP needs some time to return an error in case of no capacity (< 30s)”: `backends/gcp/compute.py`. */
const patience = 30 * second;
/** A machine that it believes in and that does not come up is given up after this. */
const provisioning = 10 * minute;
/** `server/background/tasks/process_runs.py`, with `retry` on `no-capacity`. */
const retryDelay = 15 * second;
/** `DSTACK_SERVER_MAX_OFFERS_TRIED`; an offer is a machine type in a region. */
const mostOffers = 25;

/**
 * A small model of dstack with `retry: {on_events: [no-capacity]}`: the cheapest offer first, in it zone after zone, each
 * for 30 s; then it believes that there is a machine. Regions without quota it knows beforehand. It remembers nothing from
 * one try to the next. In its favour: its polls of an operation count as one call, which is answered at once, and its ticks
 * cost nothing. https://github.com/dstackai/dstack
 * @param until when it gives up
 */
export function dstackLike(world: World, from: number, until = from + 24 * 60 * minute): Placed {
  // What its quota is.
  let calls = 1;
  let at = from + latency;
  const offers = [...new Set(world.places.map(({ region }) => region))]
    .filter((region) => !world.withoutQuota.includes(region))
    .slice(0, mostOffers);
  while (at < until) {
    const placed = tryAll();
    if (placed) return { ...placed, calls };
    at += retryDelay;
  }
  return { at: undefined, calls };

  function tryAll(): { at: number; zone: string } | undefined {
    for (const offer of offers) {
      for (const { zone } of world.places.filter(({ region }) => region === offer)) {
        at += latency;
        const asked = at;
        const { after, code } = world.ask(zone, asked);
        calls += 2;
        at = Math.max(at + latency, asked + Math.min(after, patience));
        if (!code) return { at: asked + after, zone };
        if (after <= patience) continue;
        at = asked + provisioning;
        return undefined;
      }
    }
    return undefined;
  }
}
