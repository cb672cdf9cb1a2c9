import type { IdleMachine } from './idleMachine.ts';

/** Labels that begin with `goog-` only Google's services can set. https://cloud.google.com/resource-manager/docs/labels-overview */
const services: [RegExp, string][] = [
  [/^goog-(gke|k8s)-/, 'a cluster of Kubernetes Engine'],
  [/^goog-batch-/, 'a job of Batch'],
  [/^goog-dataflow-/, 'a job of Dataflow'],
  [/^goog-dataproc-/, 'a cluster of Dataproc'],
  [/^goog-composer-/, 'an environment of Composer'],
];

/**
 * Why a machine is another service's to stop; undefined if it is nobody's. By what that service has left on it, never by
 * its name: a machine called `gke-report` is somebody's report.
 */
export function managedBy({
  labels,
  createdBy,
  isKubernetes,
}: Pick<IdleMachine, 'labels' | 'createdBy' | 'isKubernetes'>): string | undefined {
  for (const [pattern, service] of services)
    if (Object.keys(labels).some((key) => pattern.test(key))) return `it belongs to ${service}`;
  if (isKubernetes) return 'it is a node of Kubernetes';
  // A group would make another one in its place.
  if (createdBy?.includes('/instanceGroupManagers/'))
    return `it belongs to the group ${createdBy.split('/').at(-1)}`;
  return undefined;
}
