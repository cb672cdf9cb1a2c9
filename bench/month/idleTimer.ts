import type { Clock } from '../placement/clock.ts';
import { minute } from '../placement/world.ts';
import type { Policy } from './policy.ts';
import type { World } from './world.ts';

/** https://cloud.google.com/vertex-ai/docs/workbench/instances/idle-shutdown */
const timeout = 180 * minute;

/**
 * As Workbench does it: notebooks, and no other machines, are stopped when nothing has happened on them for three hours. What
 * it counts as something is not written down; here it sees all that goes on, at once, and is never wrong.
 */
export const idleTimer = (world: World, clock: Clock): Policy => ({
  async tick() {
    const now = clock.now();
    for (const machine of world.machines()) {
      const run = machine.runs.at(-1);
      if (!machine.isNotebook || machine.status !== 'RUNNING' || !run) continue;
      const ends = machine.uses.filter(({ from }) => from <= now).map(({ to }) => to);
      if (now - Math.max(run.from, ...ends) >= timeout) world.stop(machine, 'idle');
    }
  },
  async hear() {},
});
