import * as z from 'zod';
import type { Candidate } from './candidate.ts';
import { regionOf } from './candidates.ts';
import type { Failure } from './failure.ts';
import { hardwareOf } from './names.ts';

/**
 * What all jobs know of zones and regions that gave nothing: none of them asks again for a while. A machine of another
 * kind, or paid in the other way, is another matter: they have their own stock and their own quota.
 */
export const Cooldown = z.object({
  blocked: z.record(
    z.string(),
    z.object({
      until: z.iso.datetime(),
      /** How often it was blocked without anything given in between. */
      strikes: z.int().min(1),
      reason: z.string(),
    }),
  ),
});
export type Cooldown = z.infer<typeof Cooldown>;

/** In the state bucket; changed by `Records.update`. */
export const cooldownRecord = 'machines/cooldown.json';
export const noCooldown: Cooldown = { blocked: {} };

const minute = 60_000;
/** The first time, and at most. Capacity comes and goes in minutes, quota when a machine ends or somebody grants more. */
const spans: { [kind in Failure['kind']]?: [number, number] } = {
  // Longer at most, and a machine was had 12 minutes later after a long sell-out (`npm run bench:placement`).
  'stock-out': [5 * minute, 15 * minute],
  quota: [2 * minute, 60 * minute],
  'quota-zero': [60 * minute, 24 * 60 * minute],
  'zone-closed': [60 * minute, 24 * 60 * minute],
  rate: [minute, 10 * minute],
  transient: [minute, 10 * minute],
  unknown: [5 * minute, 60 * minute],
  'not-found': [60 * minute, 24 * 60 * minute],
};
/** Strikes are forgotten this long after the end of a block. */
const memory = 2 * 60 * minute;
const mostEntries = 2000;

type Place = Pick<Candidate, 'zone' | 'machineType' | 'guestAccelerators' | 'model'>;

const keyOf = (place: string, wanted: Place) => `${place} ${hardwareOf(wanted)} ${wanted.model}`;
const placesOf = ({ zone }: Place) => ({ zone, region: regionOf(zone), global: 'everywhere' });

/** Each time twice as long. A failure that is fatal blocks nothing: it is the job's own, or everybody will see it. */
export function block(
  cooldown: Cooldown,
  { kind, scope, words }: Pick<Failure, 'kind' | 'scope' | 'words'>,
  candidate: Place,
  now: number,
): Cooldown {
  const span = spans[kind];
  if (scope === 'fatal' || !span) return cooldown;
  const key = keyOf(placesOf(candidate)[scope], candidate);
  const before = cooldown.blocked[key];
  // Two jobs that asked at the same time have seen the same thing.
  if (before && Date.parse(before.until) > now) return cooldown;
  const known = before && Date.parse(before.until) + memory > now;
  const strikes = known ? before.strikes + 1 : 1;
  const [first, most] = span;
  const until = new Date(now + Math.min(most, first * 2 ** Math.min(strikes - 1, 20))).toISOString();
  return { blocked: { ...forget(cooldown, now).blocked, [key]: { until, strikes, reason: words } } };
}

/** @returns why, and until when */
export function isBlocked(
  cooldown: Cooldown,
  candidate: Place,
  now: number,
): { until: string; reason: string } | undefined {
  return Object.values(placesOf(candidate))
    .map((place) => cooldown.blocked[keyOf(place, candidate)])
    .filter((entry) => entry !== undefined)
    .filter(({ until }) => Date.parse(until) > now)
    .sort((one, other) => Date.parse(other.until) - Date.parse(one.until))[0];
}

/** There was one after all: what was known of the zone is old. */
export function unblock(cooldown: Cooldown, candidate: Place): Cooldown {
  const keys = Object.values(placesOf(candidate)).map((place) => keyOf(place, candidate));
  if (!keys.some((key) => key in cooldown.blocked)) return cooldown;
  const rest = Object.entries(cooldown.blocked).filter(([key]) => !keys.includes(key));
  return { blocked: Object.fromEntries(rest) };
}

function forget(cooldown: Cooldown, now: number): Cooldown {
  const kept = Object.entries(cooldown.blocked)
    .filter(([, { until }]) => Date.parse(until) + memory > now)
    .sort(([, one], [, other]) => Date.parse(other.until) - Date.parse(one.until));
  return { blocked: Object.fromEntries(kept.slice(0, mostEntries)) };
}
