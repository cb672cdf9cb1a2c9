import { DatabaseSync } from 'node:sqlite';
import { accountName } from '../../deploy/local/cloud/billing/account.ts';
import { makeBudget } from '../../deploy/local/cloud/billing/budget.ts';
import { createClock } from '../../deploy/local/cloud/billing/clock.ts';
import { createMeter } from '../../deploy/local/cloud/billing/meter.ts';
import { createNotifier } from '../../deploy/local/cloud/billing/notifier.ts';
import { Settings } from '../../deploy/local/cloud/billing/settings.ts';
import { type Letter, openTables } from '../../deploy/local/cloud/billing/tables.ts';
import type { Run } from '../../deploy/local/cloud/compute/tables.ts';
import type { Context } from '../../deploy/local/cloud/service.ts';
import type { Clock } from '../placement/clock.ts';
import { draw as lot } from '../placement/draw.ts';
import { diskOf, project } from './computeClients.ts';
import type { World } from './world.ts';

export const budgetId = 'budget';

/** The local Billing itself, with its lateness, doubles and disorder, by the simulated clock over the simulated machines. */
export function simulatedBilling(world: World, clock: Clock, seed: number, budget: number) {
  const tables = openTables(new DatabaseSync(':memory:'));
  const context = { project, store: { transaction: <T>(work: () => T) => work() } } as Context;
  const settings = Settings.parse({});
  let drawn = 0;
  const random = () => lot(seed, 'billing', drawn++);
  const draw = ([least, most]: [number, number]) => (least + random() * (most - least)) * 1000;
  const things = {
    disks: () => world.machines().map(diskOf),
    tpuRuns: () => [],
    runs: () =>
      world.machines().flatMap((machine) =>
        machine.runs.map(({ from, to }): Run => {
          const { zone, name, id, machineType, accelerators, diskGb, labels } = machine;
          return {
            ...{ zone, name, id, machineType, accelerators, diskGb, labels, localSsds: 0 },
            provisioningModel: 'STANDARD',
            startedAt: new Date(from).toISOString(),
            ...(Number.isFinite(to) ? { endedAt: new Date(to).toISOString() } : {}),
          };
        }),
      ),
  };
  tables.budgets.put({
    ...makeBudget(
      `${accountName}/budgets/${budgetId}`,
      {
        displayName: 'The lab',
        amount: { specifiedAmount: { units: String(budget) } },
        thresholdRules: [{ thresholdPercent: 0.5 }, { thresholdPercent: 1 }],
        notificationsRule: {
          pubsubTopic: `projects/${project}/topics/budget-notified`,
          schemaVersion: '1.0',
        },
      },
      'etag',
    ),
    nextAt: clock.now(),
  });
  const said: Letter[] = [];
  const time = createClock(clock.now);
  const meter = createMeter({ context, tables, settings, clock: time, things, draw });
  const notifier = createNotifier({
    ...{ context, tables, settings, clock: time, meter, random, draw },
    publish: (topic, messages) => {
      for (const { data, attributes = {} } of messages)
        said.push({ topic, data: Buffer.from(data ?? []).toString(), attributes });
      return messages.map((_, index) => String(index));
    },
  });
  return {
    /** What it has said until now, and has not been heard yet. */
    hear(): Letter[] {
      notifier.catchUp();
      return said.splice(0);
    },
    /** What of it is known by the end: everything. */
    billed: () => tables.costs.all().reduce((sum, { amount }) => sum + amount, 0),
    close: notifier.close,
  };
}
