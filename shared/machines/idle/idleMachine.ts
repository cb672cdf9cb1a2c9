import type { Candidate } from '../candidate.ts';
import type { Machine } from '../machines.ts';
import { machineNamed } from '../names.ts';

/** Any machine of Compute Engine in the project, whoever made it, with what matters for whether it is idle. */
export type IdleMachine = Machine & {
  /** By which Monitoring knows it: a name may stand for two machines in two zones. */
  id: string;
  machineType: string;
  vcpus: number | undefined;
  guestAccelerators: Candidate['guestAccelerators'];
  model: Candidate['model'];
  /** Of all its disks together. */
  diskGb: number;
  localSsd: boolean;
  /** Its metadata has what a node of Kubernetes is started with. */
  isKubernetes: boolean;
  /** Its owner has switched Workbench's own idle timer off. */
  hasOptedOut: boolean;
};

/** For people, and for the results of the budget guard. */
export const whatOf = ({ zone, name }: Pick<Machine, 'zone' | 'name'>): string => `${zone}/${name}`;

/** https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2: what Workbench adds to its machines. */
export const workbenchOf = ({ labels }: Pick<Machine, 'labels'>): string | undefined =>
  labels['notebooks-product'] === 'workbench-instances' ? labels['resource-name'] : undefined;

/**
 * The job that a machine was made for, which `machine-sweep` looks after. A label alone, as on a copy that somebody has
 * made, says nothing: nobody would look after that one.
 */
export function jobOf({ name, labels }: Pick<Machine, 'name' | 'labels'>): string | undefined {
  const { 'gazeline-job': job, 'gazeline-lab': lab } = labels;
  return lab !== undefined && machineNamed(name) ? job : undefined;
}
