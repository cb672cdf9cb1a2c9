import { randomBytes } from 'node:crypto';
import type { Status } from './tpuError.ts';

/** Google's people find the case by it. */
const eid = () => `[EID: 0x${randomBytes(8).toString('hex')}]`;

/** https://github.com/hashicorp/terraform-provider-google/issues/21243 */
export const stockOut = (zone: string): Status => ({
  code: 8,
  message: `There is no more capacity in the zone "${zone}"; you can try in another zone where Cloud TPU Nodes are offered (see https://cloud.google.com/tpu/docs/regions) ${eid()}`,
});

/** What is met when a node is preempted while it is being made; of SkyPilot's table. */
export const preemptedInCreation = (): Status => ({
  code: 3,
  message: `Cloud TPU received a bad request. update is not supported while in state PREEMPTED ${eid()}`,
});

/** How Google words it is not known. */
export const expired = (until: string): Status => ({
  code: 4,
  message: `The request could not be fulfilled within its valid interval, which ended at ${until} ${eid()}`,
});

export const aborted = (name: string): Status => ({
  code: 10,
  message: `The operation was aborted, since '${name}' is being deleted ${eid()}`,
});

export type Exceeded = { metric: string; limit: number; zone: string };

/** At once, and after the request was accepted, the words are others. */
export const quotaMessage = ({ metric, limit, zone }: Exceeded) =>
  `Quota limit '${metric}' has been exceeded. Limit: ${limit} in zone ${zone}.`;

/** https://github.com/marin-community/marin/issues/87 */
export const quotaFailure = ({ metric, limit, zone }: Exceeded): Status => {
  const message = `Quota '${metric}' exhausted. Limit ${limit} in zone ${zone}`;
  return { code: 8, message, details: quotaDetails(message) };
};

export const quotaDetails = (description: string): object[] => [
  {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ subject: 'project:100000000000', description }],
  },
];
