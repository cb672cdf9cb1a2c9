import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clients } from '../../../shared/clients.ts';
import { backOff, capacityDeadline, nextLook } from '../../../shared/machines/backOff.ts';
import {
  block,
  Cooldown,
  cooldownRecord,
  isBlocked,
  noCooldown,
  unblock,
} from '../../../shared/machines/cooldown.ts';
import { recordsIn } from '../../../shared/storage/records.ts';
import { useLocalCloud } from '../../localCloud.ts';

useLocalCloud();
const minute = 60_000;
const now = Date.UTC(2026, 0, 1);
const l4 = {
  zone: 'us-east1-b',
  machineType: 'g2-standard-8',
  guestAccelerators: [],
  model: 'spot' as const,
};
const soldOut = { kind: 'stock-out', scope: 'zone', words: 'sold out' } as const;

test('a zone that is sold out is left alone for five minutes, for this machine alone', () => {
  const cooldown = block(noCooldown, soldOut, l4, now);
  expect(isBlocked(cooldown, l4, now + 5 * minute - 1)).toMatchObject({ reason: 'sold out' });
  expect(isBlocked(cooldown, l4, now + 5 * minute)).toBeUndefined();
  for (const other of [
    { zone: 'us-east1-c' },
    { model: 'standard' as const },
    { machineType: 'n1-standard-8' },
  ])
    expect(isBlocked(cooldown, { ...l4, ...other }, now)).toBeUndefined();
});

test('a quota blocks the region, a global one everything of the kind, and a fatal failure nothing', () => {
  const region = block(noCooldown, { kind: 'quota', scope: 'region', words: 'quota' }, l4, now);
  expect(isBlocked(region, { ...l4, zone: 'us-east1-d' }, now)).toBeDefined();
  expect(isBlocked(region, { ...l4, zone: 'us-east4-a' }, now)).toBeUndefined();
  const everywhere = block(noCooldown, { kind: 'quota-zero', scope: 'global', words: 'quota' }, l4, now);
  expect(isBlocked(everywhere, { ...l4, zone: 'asia-east1-a' }, now)).toBeDefined();
  expect(block(noCooldown, { kind: 'permission', scope: 'fatal', words: 'no' }, l4, now)).toBe(noCooldown);
});

test('each time it lasts longer, up to a quarter of an hour, until something is given or it is long ago', () => {
  let cooldown = noCooldown;
  let time = now;
  const spans: number[] = [];
  for (let strike = 0; strike < 6; strike++) {
    cooldown = block(cooldown, soldOut, l4, time);
    // Another job that asked at the same time adds nothing.
    expect(block(cooldown, soldOut, l4, time + 1)).toBe(cooldown);
    const until = Date.parse(isBlocked(cooldown, l4, time)?.until ?? '');
    spans.push((until - time) / minute);
    time = until;
  }
  expect(spans).toEqual([5, 10, 15, 15, 15, 15]);
  expect(unblock(cooldown, l4)).toEqual(noCooldown);
  const later = block(cooldown, soldOut, l4, time + 3 * 60 * minute);
  expect(Date.parse(isBlocked(later, l4, time + 3 * 60 * minute)?.until ?? '')).toBe(time + 185 * minute);
});

test('what is long over is forgotten, and the record stays small', () => {
  let cooldown = noCooldown;
  for (let zone = 0; zone < 3000; zone += 1)
    cooldown = {
      blocked: {
        ...cooldown.blocked,
        [`z${zone} m spot`]: { until: new Date(now + zone).toISOString(), strikes: 1, reason: 'r' },
      },
    };
  expect(Object.keys(block(cooldown, soldOut, l4, now).blocked)).toHaveLength(2001);
  expect(Object.keys(block(cooldown, soldOut, l4, now + 24 * 60 * minute).blocked)).toEqual([
    'us-east1-b g2-standard-8 spot',
  ]);
});

test('many jobs at once share it through the state bucket', async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  const records = recordsIn(storage, 'state', async () => {});
  const zones = ['us-east1-b', 'us-east1-c', 'us-east1-d', 'us-east4-a', 'us-east4-c'];
  await Promise.all(
    zones.map((zone) =>
      records.update(cooldownRecord, Cooldown, (before = noCooldown) =>
        block(before, soldOut, { ...l4, zone }, now),
      ),
    ),
  );
  const shared = await records.read(cooldownRecord, Cooldown);
  for (const zone of zones)
    expect(isBlocked(shared?.value ?? noCooldown, { ...l4, zone }, now)).toBeDefined();
});

test('the wait grows, is never the same for all, and ends at the deadline', () => {
  expect([1, 2, 3, 20].map((tries) => backOff(tries, 1) / minute)).toEqual([1, 1.5, 2.25, 15]);
  expect(backOff(1, 0)).toBe(minute / 2);
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(2 * capacityDeadline),
      (tries, random, waited) => {
        const next = nextLook({ since: now, tries }, now + waited, random);
        if (waited >= capacityDeadline) expect(next).toBeUndefined();
        else {
          expect(next).toBeGreaterThan(now + waited);
          expect(next).toBeLessThanOrEqual(Math.min(now + capacityDeadline, now + waited + 15 * minute));
        }
      },
    ),
  );
});
