import * as z from 'zod';
import { ComputeError, invalidField, missingField } from '../computeError.ts';

const int64 = z.union([z.string().regex(/^-?\d{1,19}$/), z.number().int()]).transform(Number);
const Duration = z.strictObject({ seconds: int64.default(0), nanos: z.number().int().optional() });

/** What is misspelled here costs money, and what is misspelled Google refuses. */
const Scheduling = z.strictObject({
  provisioningModel: z.enum(['STANDARD', 'SPOT', 'FLEX_START', 'RESERVATION_BOUND']).optional(),
  preemptible: z.boolean().optional(),
  automaticRestart: z.boolean().optional(),
  onHostMaintenance: z.enum(['MIGRATE', 'TERMINATE']).optional(),
  instanceTerminationAction: z.enum(['STOP', 'DELETE']).optional(),
  maxRunDuration: Duration.optional(),
  terminationTime: z.iso.datetime({ offset: true }).optional(),
  onInstanceStopAction: z.strictObject({ discardLocalSsd: z.boolean().optional() }).optional(),
  preemptionNoticeDuration: Duration.optional(),
  gracefulShutdown: z
    .strictObject({ enabled: z.boolean().optional(), maxDuration: Duration.optional() })
    .optional(),
  skipGuestOsShutdown: z.boolean().optional(),
  hostErrorTimeoutSeconds: z.number().optional(),
  localSsdRecoveryTimeout: Duration.optional(),
  locationHint: z.string().optional(),
  minNodeCpus: z.number().optional(),
  availabilityDomain: z.number().optional(),
  nodeAffinities: z.array(z.unknown()).optional(),
});

const Disk = z.looseObject({
  boot: z.boolean().default(false),
  autoDelete: z.boolean().default(false),
  type: z.enum(['PERSISTENT', 'SCRATCH']).default('PERSISTENT'),
  source: z.string().optional(),
  initializeParams: z
    .looseObject({
      diskName: z.string().optional(),
      diskSizeGb: int64.optional(),
      diskType: z.string().optional(),
      sourceImage: z.string().optional(),
      labels: z.record(z.string(), z.string()).optional(),
    })
    .prefault({}),
});

const Metadata = z.strictObject({
  kind: z.string().optional(),
  fingerprint: z.string().optional(),
  items: z.array(z.strictObject({ key: z.string(), value: z.string().optional() })).optional(),
});

/** What a client may say of an instance; what has no effect here is kept and shown again. */
const Body = z.strictObject({
  kind: z.string().optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  zone: z.string().optional(),
  machineType: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  metadata: Metadata.optional(),
  scheduling: Scheduling.prefault({}),
  disks: z.array(Disk).optional(),
  guestAccelerators: z
    .array(z.strictObject({ acceleratorType: z.string(), acceleratorCount: z.number().int().positive() }))
    .optional(),
  networkInterfaces: z.array(z.looseObject({})).optional(),
  serviceAccounts: z
    .array(z.strictObject({ email: z.string().default('default'), scopes: z.array(z.string()).default([]) }))
    .max(1)
    .optional(),
  deletionProtection: z.boolean().optional(),
  tags: z.unknown().optional(),
  canIpForward: z.boolean().optional(),
  shieldedInstanceConfig: z.unknown().optional(),
  confidentialInstanceConfig: z.unknown().optional(),
  displayDevice: z.unknown().optional(),
  reservationAffinity: z.unknown().optional(),
  advancedMachineFeatures: z.unknown().optional(),
  minCpuPlatform: z.string().optional(),
  hostname: z.string().optional(),
  keyRevocationActionType: z.string().optional(),
  networkPerformanceConfig: z.unknown().optional(),
  params: z.unknown().optional(),
  resourcePolicies: z.array(z.string()).optional(),
});
export type InstanceBody = z.infer<typeof Body>;

const namePattern = '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)';

/** The shape of the request, and what can be judged without knowing the zone. @throws 400 in Google's words */
export function readBody(
  given: unknown,
  shortestRun: number,
): InstanceBody & { name: string; machineType: string } {
  const parsed = Body.safeParse(given ?? {});
  if (!parsed.success) throw unreadable(parsed.error);
  const body = parsed.data;
  const { name, machineType, disks = [], networkInterfaces = [] } = body;
  if (name === undefined) throw missingField('resource.name');
  checkName('resource.name', name);
  if (machineType === undefined) throw missingField('resource.machineType');
  if (disks.length === 0) throw invalidField('resource.disks', '', 'No disks are specified.');
  if (disks.filter(({ boot }) => boot).length !== 1)
    throw invalidField('resource.disks', '', 'Exactly one disk must be the boot disk.');
  if (networkInterfaces.length === 0)
    throw invalidField('resource.networkInterfaces', '', 'At least one network interface is required.');
  checkScheduling(body.scheduling, shortestRun);
  return { ...body, name, machineType };
}

export function checkName(field: string, name: string): void {
  if (!new RegExp(`^${namePattern}$`).test(name))
    throw invalidField(field, name, `Must be a match of regex '${namePattern}'`);
}

/** @throws 400 as for a field that is not there, or has another type */
function unreadable({ issues }: z.ZodError): ComputeError {
  const [issue] = issues;
  const at = ['resource', ...(issue?.path ?? [])].join('.');
  if (issue?.code === 'unrecognized_keys')
    return new ComputeError(
      400,
      'badRequest',
      `Invalid JSON payload received. Unknown name "${issue.keys[0]}" at '${at}': Cannot find field.`,
    );
  return new ComputeError(400, 'invalid', `Invalid value for field '${at}': ${issue?.message}`);
}

const longestRun = 120 * 24 * 3600;

function checkScheduling(scheduling: InstanceBody['scheduling'], shortestRun: number): void {
  const { provisioningModel, preemptible, maxRunDuration, terminationTime } = scheduling;
  if (provisioningModel === 'FLEX_START' || provisioningModel === 'RESERVATION_BOUND')
    throw new ComputeError(
      501,
      'notImplemented',
      `The local Compute Engine has no ${provisioningModel} machines.`,
    );
  const isSpot = provisioningModel === 'SPOT' || preemptible === true;
  const isLimited = maxRunDuration !== undefined || terminationTime !== undefined;
  const field = 'resource.scheduling';
  if (isSpot && scheduling.automaticRestart)
    throw invalidField(
      `${field}.automaticRestart`,
      true,
      'Preemptible instances cannot be automatically restarted.',
    );
  if (isSpot && scheduling.onHostMaintenance === 'MIGRATE')
    throw invalidField(`${field}.onHostMaintenance`, 'MIGRATE', 'Preemptible instances cannot be migrated.');
  if (scheduling.instanceTerminationAction && !isSpot && !isLimited)
    throw invalidField(
      `${field}.instanceTerminationAction`,
      scheduling.instanceTerminationAction,
      'You cannot specify a termination action for a VM instance that has the standard provisioning model (default). To use instance termination action, the VM instance must use the Spot provisioning model.',
    );
  if (preemptible && !provisioningModel && isLimited)
    throw invalidField(`${field}.maxRunDuration`, '', 'It cannot be used with the legacy preemptible model.');
  if (maxRunDuration && terminationTime)
    throw invalidField(
      `${field}.terminationTime`,
      terminationTime,
      'It cannot be used beside maxRunDuration.',
    );
  if (terminationTime && Date.parse(terminationTime) <= Date.now())
    throw invalidField(`${field}.terminationTime`, terminationTime, 'It must be in the future.');
  // https://cloud.google.com/compute/docs/instances/limit-vm-runtime
  const seconds = maxRunDuration?.seconds;
  if (seconds !== undefined && (seconds < shortestRun || seconds > longestRun))
    throw invalidField(
      `${field}.maxRunDuration.seconds`,
      String(seconds),
      `The maximum run duration must be between ${shortestRun} and ${longestRun} seconds.`,
    );
}
