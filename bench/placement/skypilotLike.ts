import type { Placed } from './placed.ts';
import { latency, longestWait, minute, second, type World } from './world.ts';

/** An operation that is not over by then is deleted (`sky/provision/gcp/instance_utils.py`). */
const patience = 300 * second;
/** `sky/jobs/recovery_strategy.py`: the gap between two rounds, and how many there are. */
const firstGap = minute;
const mostRounds = 240;

/**
 * A small model of SkyPilot: the cheapest region first, in it zone after zone; what a refusal rules out, by its table of
 * errors; after a round without a machine a gap that grows. It remembers nothing from one launch to the next, and reads
 * no hints. In its favour: teardown of what was not made, look-ups of its own and its start cost nothing here.
 * https://github.com/skypilot-org/skypilot
 */
export function skypilotLike(world: World, from: number, random: () => number): Placed {
  let at = from;
  let calls = 0;
  for (let round = 0; round < mostRounds; round++) {
    const blocked = new Set<string>();
    for (const { zone, region } of world.places) {
      if (blocked.has('cloud') || blocked.has(region)) continue;
      calls++;
      at += latency;
      const asked = at;
      const { after, code, message } = world.ask(zone, asked);
      if (after > 0) {
        calls += Math.ceil(Math.min(after, patience) / longestWait);
        at = Math.max(at + latency, asked + Math.min(after, patience));
      }
      if (after > patience) {
        calls++;
        at += latency;
      } else if (!code) return { at: asked + after, zone, calls };
      else blocked.add({ zone, region, cloud: 'cloud' }[blocks(code, message)]);
    }
    if (blocked.has('cloud')) break;
    at += gap(round, random());
  }
  return { at: undefined, calls };
}

/** `_gcp_handler` of `sky/backends/cloud_vm_ray_backend.py`: how far a refusal reaches. */
export function blocks(code: string, message = ''): 'zone' | 'region' | 'cloud' {
  switch (code) {
    case 'QUOTA_EXCEEDED':
    case 'quotaExceeded':
      return message.includes("'GPUS_ALL_REGIONS' exceeded") ? 'cloud' : 'region';
    case 'VPC_NOT_FOUND':
    case 'IAM_PERMISSION_DENIED':
      return 'cloud';
    case 'SUBNET_NOT_FOUND_FOR_VPC':
      return 'region';
    case 'type.googleapis.com/google.rpc.QuotaFailure':
      return message.includes('in region') ? 'region' : 'zone';
  }
  if (/Policy update access denied\.|Requested disk size cannot be smaller than the image size/.test(message))
    return 'cloud';
  return 'zone';
}

/** `Backoff` of `sky/utils/common_utils.py`: × 1.6 up to × 5, and 40 per cent of chance. */
const gap = (round: number, random: number) =>
  Math.min(5 * firstGap, firstGap * 1.6 ** round) * (1 + 0.4 * (2 * random - 1));
