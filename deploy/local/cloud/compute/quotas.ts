import { acceleratorNamed, accelerators } from './catalogue/accelerators.ts';
import { machineTypeIn } from './catalogue/machineTypes.ts';
import { regionOf } from './catalogue/zones.ts';
import type { Exceeded } from './failure.ts';
import { type Instance, isSpot, isUp } from './instances/instance.ts';
import type { Settings } from './settings.ts';

/** Much more than a new project has, which is none of any accelerator. */
const usual = 1000;

type Use = { metric: string; region?: string; amount: number };

/** What a machine takes of which quotas. A machine that is off takes none. */
function usesOf(instance: Instance): Use[] {
  const region = regionOf(instance.zone);
  const spot = isSpot(instance) ? 'PREEMPTIBLE_' : '';
  const cpus = machineTypeIn(instance.zone, instance.machineType)?.cpus ?? 0;
  return [
    // Spot machines use the ordinary quota of CPUs where there is none of their own.
    { metric: 'CPUS', region, amount: cpus },
    ...instance.accelerators.flatMap(({ type, count }) => {
      const metric = acceleratorNamed(type)?.metric;
      return metric
        ? [
            { metric: `${spot}${metric}`, region, amount: count },
            { metric: 'GPUS_ALL_REGIONS', amount: count },
          ]
        : [];
    }),
  ];
}

const isSame = (a: Omit<Use, 'amount'>, b: Omit<Use, 'amount'>) =>
  a.metric === b.metric && a.region === b.region;

const usage = (instances: Instance[], what: Omit<Use, 'amount'>) =>
  instances
    .filter(isUp)
    .flatMap(usesOf)
    .filter((use) => isSame(use, what))
    .reduce((sum, { amount }) => sum + amount, 0);

const limitOf = ({ quotas }: Settings, { metric, region }: Omit<Use, 'amount'>) =>
  quotas.find((quota) => quota.metric === metric && quota.region === region) ??
  quotas.find((quota) => quota.metric === metric && quota.region === undefined);

/** The quota that another machine would pass, if any. */
export function exceeded(
  instances: Instance[],
  settings: Settings,
  wanted: Instance,
): (Exceeded & { when: 'now' | 'late' }) | undefined {
  const others = instances.filter(({ id }) => id !== wanted.id);
  for (const use of usesOf(wanted)) {
    const { limit = usual, when = 'late' } = limitOf(settings, use) ?? {};
    if (usage(others, use) + use.amount > limit)
      return { metric: use.metric, region: use.region, limit, when };
  }
  return undefined;
}

/** As a region or, without one, the project shows them; not every accelerator has one there. */
export function quotasOf(instances: Instance[], settings: Settings, region?: string): object[] {
  const listed = accelerators.filter(({ isQuotaListed }) => isQuotaListed).map(({ metric }) => metric);
  const metrics = region
    ? ['CPUS', ...listed.flatMap((metric) => [metric, `PREEMPTIBLE_${metric}`])]
    : ['GPUS_ALL_REGIONS'];
  return metrics.map((metric) => {
    const what = { metric, ...(region ? { region } : {}) };
    return { metric, limit: limitOf(settings, what)?.limit ?? usual, usage: usage(instances, what) };
  });
}
