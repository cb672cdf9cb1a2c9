/** https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.metricDescriptors */
export type Descriptor = {
  type: string;
  metricKind: 'GAUGE' | 'DELTA' | 'CUMULATIVE';
  valueType: 'BOOL' | 'INT64' | 'DOUBLE' | 'STRING';
  unit?: string | undefined;
  labels: string[];
  displayName: string;
  monitoredResourceTypes: string[];
  /** In seconds; of metrics that users write, there is none. */
  ingestDelay?: number;
  /** In seconds, of Google's own metrics; 60 if nothing is said. */
  samplePeriod?: number;
};

const ofInstance = { monitoredResourceTypes: ['gce_instance'] };
const gauge = { metricKind: 'GAUGE', valueType: 'DOUBLE' } as const;
const delta = { metricKind: 'DELTA', valueType: 'INT64', unit: 'By' } as const;

/**
 * https://cloud.google.com/monitoring/api/metrics_gcp_c#gcp-compute: each minute, and seen up to four minutes late.
 * `agent`: https://cloud.google.com/monitoring/api/metrics_opsagent, written by what runs on a machine and by nothing else.
 */
export const builtIn: Descriptor[] = [
  {
    type: 'compute.googleapis.com/instance/cpu/utilization',
    displayName: 'CPU utilization',
    ...gauge,
    unit: '10^2.%',
    labels: ['instance_name'],
    ingestDelay: 240,
    ...ofInstance,
  },
  ...(['read', 'write'] as const).map((way) => ({
    type: `compute.googleapis.com/instance/disk/${way}_bytes_count`,
    displayName: `Disk ${way} bytes`,
    labels: ['instance_name', 'device_name', 'storage_type', 'device_type'],
    ingestDelay: 240,
    ...delta,
    ...ofInstance,
  })),
  ...(['received', 'sent'] as const).map((way) => ({
    type: `compute.googleapis.com/instance/network/${way}_bytes_count`,
    displayName: `${way === 'sent' ? 'Sent' : 'Received'} bytes`,
    labels: ['instance_name', 'loadbalanced'],
    ingestDelay: 240,
    ...delta,
    ...ofInstance,
  })),
  {
    type: 'agent.googleapis.com/gpu/utilization',
    displayName: 'GPU utilization',
    ...gauge,
    unit: '%',
    labels: ['gpu_number', 'model', 'uuid'],
    ...ofInstance,
  },
  {
    type: 'agent.googleapis.com/gpu/memory/bytes_used',
    displayName: 'GPU memory usage',
    ...gauge,
    unit: 'By',
    labels: ['gpu_number', 'model', 'uuid', 'memory_state'],
    ...ofInstance,
  },
  {
    type: 'storage.googleapis.com/storage/v2/total_bytes',
    displayName: 'Total bytes',
    ...gauge,
    unit: 'By',
    labels: ['storage_class', 'type'],
    ingestDelay: 600,
    samplePeriod: 300,
    monitoredResourceTypes: ['gcs_bucket'],
  },
].sort((a, b) => (a.type < b.type ? -1 : 1));

export function descriptorResource(project: string, descriptor: Descriptor): object {
  const { type, labels, ingestDelay, samplePeriod = 60, ...rest } = descriptor;
  return {
    ...rest,
    name: `projects/${project}/metricDescriptors/${type}`,
    type,
    labels: labels.map((key) => ({ key })),
    launchStage: 'GA',
    ...(ingestDelay === undefined
      ? {}
      : {
          metadata: { launchStage: 'GA', samplePeriod: `${samplePeriod}s`, ingestDelay: `${ingestDelay}s` },
        }),
  };
}

/** What metrics can be of, and by which labels one is told from another. https://cloud.google.com/monitoring/api/resources */
export const resourceLabels: { [type: string]: string[] } = {
  gce_instance: ['project_id', 'instance_id', 'zone'],
  generic_node: ['project_id', 'location', 'namespace', 'node_id'],
  generic_task: ['project_id', 'location', 'namespace', 'job', 'task_id'],
  global: ['project_id'],
  gcs_bucket: ['project_id', 'bucket_name', 'location'],
};

/** The metrics of users are of these. https://cloud.google.com/monitoring/custom-metrics/creating-metrics#create-metric-desc */
export const forUsers = ['gce_instance', 'generic_node', 'generic_task', 'global'];

export const monitoredResource = (project: string, type: string): object => ({
  name: `projects/${project}/monitoredResourceDescriptors/${type}`,
  type,
  labels: (resourceLabels[type] ?? []).map((key) => ({ key })),
  launchStage: 'GA',
});
