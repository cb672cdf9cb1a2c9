import type { Key } from '../zonal.ts';
import { acceleratorIn } from './catalogue.ts';
import type { Exceeded } from './failure.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** Much more than a new project has, which is next to none. */
const usual = 100_000;

type Use = Key & { acceleratorType: string; provisioningModel: 'SPOT' | 'STANDARD' };

/**
 * The quota that this would pass, if any. A queued resource takes its part as long as there is a record of it, also when
 * it is suspended or has failed: https://github.com/marin-community/marin/issues/87
 */
export function exceeded(
  { queuedResources, nodes }: Tables,
  { quotas }: Settings,
  wanted: Use,
): (Exceeded & { when: 'now' | 'late' }) | undefined {
  const { zone } = wanted;
  const metric = metricOf(wanted);
  const { limit = usual, when = 'now' } =
    quotas.find((one) => one.metric === metric && one.zone === zone) ??
    quotas.find((one) => one.metric === metric && one.zone === undefined) ??
    {};
  const queued = queuedResources.all();
  const ofNobody = nodes
    .all()
    .filter((node) => !queued.some((one) => one.zone === node.zone && one.name === node.queuedResource));
  const others = [...queued, ...ofNobody].filter(
    (one) => one.zone === zone && one.name !== wanted.name && metricOf(one) === metric,
  );
  const used = others.reduce((sum, one) => sum + unitsOf(one), 0);
  return used + unitsOf(wanted) > limit ? { metric, limit, zone, when } : undefined;
}

const unitsOf = ({ zone, acceleratorType }: Use) => acceleratorIn(zone, acceleratorType)?.units ?? 0;

function metricOf({ zone, acceleratorType, provisioningModel }: Use): string {
  const accelerator = acceleratorIn(zone, acceleratorType);
  return (provisioningModel === 'SPOT' ? accelerator?.spotQuota : accelerator?.quota) ?? '';
}
