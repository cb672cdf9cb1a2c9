import { expect, test } from '@jest/globals';
import { dstackLike } from '../../../bench/placement/dstackLike.ts';
import { blocks, skypilotLike } from '../../../bench/placement/skypilotLike.ts';
import {
  type Answer,
  createWorld,
  latency,
  minute,
  type Place,
  second,
  type World,
} from '../../../bench/placement/world.ts';

const places: Place[] = ['r1-a', 'r1-b', 'r2-a', 'r2-b'].map((zone) => ({ zone, region: zone.slice(0, 2) }));
const runs: Answer = { after: 20 * second, hints: [] };
const refused: Answer = { after: 10 * second, code: 'ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS', hints: [] };
const noQuota: Answer = {
  after: 0,
  code: 'quotaExceeded',
  message: "Quota 'NVIDIA_L4_GPUS' exceeded.",
  hints: [],
};

/** A world that answers as it is told, and remembers who was asked when. */
function worldOf(answerOf: (zone: string, at: number) => Answer, withoutQuota: string[] = []) {
  const asked: [string, number][] = [];
  const world: World = {
    places,
    withoutQuota,
    ask(zone, at) {
      asked.push([zone, at]);
      return answerOf(zone, at);
    },
  };
  return { world, asked, zones: () => asked.map(([zone]) => zone) };
}
const half = () => 0.5;

test('the one like SkyPilot asks zone after zone, each when the one before has refused', () => {
  const { world, asked } = worldOf((zone) => (zone === 'r2-a' ? runs : refused));
  const placed = skypilotLike(world, 0, half);
  expect(asked).toEqual([
    ['r1-a', latency],
    ['r1-b', 2 * latency + refused.after],
    ['r2-a', 3 * latency + 2 * refused.after],
  ]);
  expect(placed).toEqual({ at: 3 * latency + 2 * refused.after + runs.after, zone: 'r2-a', calls: 6 });
});

test('the one like SkyPilot leaves a region without quota, and what takes 300 s', () => {
  const late = { ...refused, after: 10 * minute };
  const { world, zones } = worldOf((zone) =>
    zone.startsWith('r1') ? noQuota : zone === 'r2-a' ? late : runs,
  );
  const placed = skypilotLike(world, 0, half);
  expect(zones()).toEqual(['r1-a', 'r2-a', 'r2-b']);
  // Two inserts, three waits of two minutes at most and a delete; an insert and a wait.
  expect(placed).toEqual({ at: 4 * latency + 300 * second + runs.after, zone: 'r2-b', calls: 8 });
});

test('the one like SkyPilot begins again after a minute, and then after longer', () => {
  const { world, asked } = worldOf((_zone, at) => (at > 5 * minute ? runs : refused));
  skypilotLike(world, 0, half);
  const first = asked.filter(([zone]) => zone === 'r1-a').map(([, at]) => at);
  const round = 4 * (latency + refused.after);
  expect(first.slice(0, 3)).toEqual([
    latency,
    latency + round + minute,
    latency + 2 * round + minute + 1.6 * minute,
  ]);
});

test.each([
  ['ZONE_RESOURCE_POOL_EXHAUSTED', '', 'zone'],
  ['UNSUPPORTED_OPERATION', '', 'zone'],
  ['QUOTA_EXCEEDED', "Quota 'NVIDIA_L4_GPUS' exceeded. Limit: 0.0 in region r1.", 'region'],
  ['QUOTA_EXCEEDED', "Quota 'GPUS_ALL_REGIONS' exceeded. Limit: 0.0 globally.", 'cloud'],
  ['IAM_PERMISSION_DENIED', '', 'cloud'],
  ['SUBNET_NOT_FOUND_FOR_VPC', '', 'region'],
  ['invalid', 'Requested disk size cannot be smaller than the image size (50 GB)', 'cloud'],
  ['8', 'There is no more capacity', 'zone'],
])('by the table of SkyPilot, %s %s blocks the %s', (code, message, scope) => {
  expect(blocks(code, message)).toBe(scope);
});

test('the one like dstack knows its quota, and begins again 15 s after all offers have refused', () => {
  const { world, asked } = worldOf((_zone, at) => (at > 30 * second ? runs : refused), ['r1']);
  const placed = dstackLike(world, 0);
  expect(asked.map(([zone]) => zone)).toEqual(['r2-a', 'r2-b', 'r2-a']);
  const third = latency + 2 * (latency + refused.after) + 15 * second + latency;
  expect(placed).toEqual({ at: third + runs.after, zone: 'r2-a', calls: 7 });
});

test('the one like dstack believes after 30 s that there is a machine, and waits for it in vain', () => {
  const late = { ...refused, after: 40 * second };
  const { world, asked } = worldOf((_zone, at) => (at < minute ? late : runs));
  dstackLike(world, 0);
  expect(asked).toEqual([
    ['r1-a', 2 * latency],
    ['r1-a', 3 * latency + 10 * minute + 15 * second],
  ]);
});

test('two worlds of one seed say the same, in whatever order they are asked', () => {
  const weather = { soldOut: 0.5, hints: true };
  const [one, other] = [createWorld(places, 7, weather), createWorld(places, 7, weather)];
  const said = places.map(({ zone }) => [zone, one.ask(zone, 0)]);
  expect(said).toEqual(
    places
      .toReversed()
      .map(({ zone }) => [zone, other.ask(zone, 0)])
      .toReversed(),
  );
  expect(said.filter(([, answer]) => (answer as Answer).code)).toHaveLength(2);
});
