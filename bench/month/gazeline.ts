import {
  type BudgetGuardDependencies,
  type BudgetNotified,
  budgetGuard,
} from '../../functions/budget-guard.ts';
import { type CostTickDependencies, costTick } from '../../functions/cost-tick.ts';
import { type IdleSweepDependencies, idleSweep } from '../../functions/idle-sweep.ts';
import { readConfig } from '../../shared/config.ts';
import type { Log } from '../../shared/log.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { idleVms } from '../../shared/machines/idle/idleVms.ts';
import { policyOf, urgent } from '../../shared/machines/idle/policy.ts';
import { sweepIdle } from '../../shared/machines/idle/sweepIdle.ts';
import { utilization } from '../../shared/machines/idle/utilization.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { stopAll } from '../../shared/machines/stopAll.ts';
import { NotYet } from '../../shared/once.ts';
import type { Publish } from '../../shared/publish.ts';
import type { Clock } from '../placement/clock.ts';
import { draw } from '../placement/draw.ts';
import { second } from '../placement/world.ts';
import { hour } from './agenda.ts';
import { budgetId } from './billing.ts';
import { project, simulatedClients } from './computeClients.ts';
import { simulatedMonitoring } from './monitoring.ts';
import type { Policy } from './policy.ts';
import { recordsInMemory } from './records.ts';
import { createSigns } from './signs.ts';
import type { Cause, World } from './world.ts';

/** All that is not said is as it is where nobody has said anything. */
const config = readConfig({
  GAZELINE_PROJECT: project,
  GAZELINE_STUDY_FOLDER: 'study',
  GAZELINE_RAW_BUCKET: 'raw',
  GAZELINE_DERIVED_BUCKET: 'derived',
  GAZELINE_STATE_BUCKET: 'state',
  // Everything stops when the budget is spent, and not a tenth later.
  GAZELINE_BUDGET_THRESHOLDS: 'stop-all=1',
});
const silent: Log = { info() {}, warning() {}, error() {} };

export type GazelineOptions = {
  world: World;
  clock: Clock;
  seed: number;
  hasAgent: boolean;
  /** When Monitoring does not answer at all, besides. */
  outage: { from: number; to: number };
};

/** How often something does not answer, or does not come. */
export const troubles = { zone: 0.01, monitoring: 0.01, tick: 0.02, twice: 0.02 };

/**
 * Gazeline's own functions, given their dependencies as `functions/index.ts` does, with the settings
 * that they have if nobody says anything.
 */
export function gazeline(options: GazelineOptions): Policy {
  const { world, clock, seed, hasAgent, outage } = options;
  let drawn = 0;
  const happens = (share: number) => draw(seed, 'troubles', drawn++) < share;
  let cause: Cause = 'idle';
  const signs = createSigns(world, seed);
  const clients = simulatedClients({
    ...{ world, signs, clock, hasAgent },
    cause: () => cause,
    unreachable: () => (happens(troubles.zone) ? 'us-central1-a' : undefined),
  });
  const monitoring = simulatedMonitoring({
    ...{ world, signs, clock },
    isDown: () => (outage.from <= clock.now() && clock.now() < outage.to) || happens(troubles.monitoring),
  });
  const compute = computeEngine(project, clients, async (ms) => clock.pass(ms), clock.now);
  const queue: unknown[] = [];
  const publish: Publish = async (topic, messages) => {
    if (topic === 'budget-notified') queue.push(...messages.map(({ data }) => data));
  };
  const common = { records: recordsInMemory(), log: silent, now: clock.now };
  const budget = { budgets: [budgetId], amount: undefined, currency: 'USD', periodKind: 'month' as const };

  const idle: IdleSweepDependencies = {
    ...common,
    project,
    vms: idleVms(project, clients),
    compute,
    remove: compute.remove,
    // None of the machines is one of Workbench's.
    workbench: { stop: async () => undefined },
    measure: (of, window, now) => utilization(monitoring, of, { project, window, now }),
    notify: async () => {},
    policy: policyOf(config),
    isRehearsal: false,
    discardLocalSsd: false,
    // Nobody has TPUs.
    tpus: { listAll: async () => ({ machines: [], disks: [], unseen: [], wasSeen: () => true }) },
    prices: priceTable(),
  };
  const cost: CostTickDependencies = {
    ...common,
    ...budget,
    publish,
    services: [compute],
    // Nor anything in a bucket.
    stored: async () => [],
    prices: priceTable(),
    dollarRate: 1,
  };
  const guard: BudgetGuardDependencies = {
    ...common,
    ...budget,
    billingAccount: undefined,
    thresholds: config.budgetThresholds,
    project,
    actions: {
      notify: async () => {},
      stopIdle: (isWanted) => sweepIdle(isWanted, { ...idle, policy: urgent(idle.policy) }),
      async stopAll(isWanted) {
        cause = 'budget';
        try {
          const dependencies = { services: [compute], discardLocalSsd: false, log: silent, now: clock.now };
          return await stopAll(isWanted, dependencies);
        } finally {
          cause = 'idle';
        }
      },
      detach: async () => ({ results: [], complete: true }),
    },
    lease: 9 * 60 * second,
    secondThoughts: hour / 2,
  };

  /** Whatever has not come through comes again with the next tick. */
  const deliver = async (data: unknown, attributes: Record<string, string> = {}) => {
    const publishedAt = new Date(clock.now()).toISOString();
    try {
      await budgetGuard(data as BudgetNotified, { attributes, publishedAt }, guard);
    } catch (error) {
      if (!(error instanceof NotYet)) throw error;
    }
  };

  return {
    async tick() {
      if (happens(troubles.tick)) return;
      for (let times = happens(troubles.twice) ? 2 : 1; times > 0; times--) {
        await costTick(cost);
        while (queue.length > 0) await deliver(queue.shift());
        await idleSweep({ time: new Date(clock.now()) }, idle);
      }
    },
    hear: ({ data, attributes }) => deliver(JSON.parse(data), attributes),
  };
}
