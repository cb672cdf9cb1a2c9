import type { Context } from '../../service.ts';
import { linkTo } from '../parts.ts';
import { type Instance, isSpot } from './instance.ts';
import { fingerprintOf } from './labels.ts';

/** https://cloud.google.com/compute/docs/reference/rest/v1/instances */
export function instanceResource(context: Context, instance: Instance): object {
  const { id, name, zone, status, body, machineType, accelerators, disks, ip, created } = instance;
  const { lastStart, lastStop, terminationTime } = instance;
  const { labels, metadata, scheduling, networkInterfaces = [], serviceAccounts, zone: _, ...rest } = body;
  const at = (path: string) => linkTo(context, `zones/${zone}/${path}`);
  const isEphemeral = isSpot(instance);
  const { maxRunDuration } = scheduling;
  return {
    ...rest,
    kind: 'compute#instance',
    id,
    name,
    zone: linkTo(context, `zones/${zone}`),
    selfLink: at(`instances/${name}`),
    status,
    creationTimestamp: created,
    ...(lastStart ? { lastStartTimestamp: lastStart } : {}),
    ...(lastStop ? { lastStopTimestamp: lastStop } : {}),
    machineType: at(`machineTypes/${machineType}`),
    cpuPlatform: status === 'TERMINATED' ? 'Unknown CPU Platform' : 'Intel Haswell',
    labels: labels ?? {},
    labelFingerprint: fingerprintOf(labels ?? {}),
    metadata: {
      kind: 'compute#metadata',
      fingerprint: fingerprintOf(metadata?.items ?? []),
      ...(metadata?.items ? { items: metadata.items } : {}),
    },
    ...(accelerators.length > 0
      ? {
          guestAccelerators: accelerators.map(({ type, count }) => ({
            acceleratorType: at(`acceleratorTypes/${type}`),
            acceleratorCount: count,
          })),
        }
      : {}),
    scheduling: {
      ...scheduling,
      ...(maxRunDuration
        ? { maxRunDuration: { ...maxRunDuration, seconds: String(maxRunDuration.seconds) } }
        : {}),
      provisioningModel: isEphemeral ? 'SPOT' : 'STANDARD',
      preemptible: isEphemeral,
      automaticRestart: scheduling.automaticRestart ?? !isEphemeral,
      onHostMaintenance: scheduling.onHostMaintenance ?? (isEphemeral ? 'TERMINATE' : 'MIGRATE'),
    },
    resourceStatus: { scheduling: terminationTime ? { terminationTimestamp: terminationTime } : {} },
    disks: disks.map((disk, index) => ({
      kind: 'compute#attachedDisk',
      type: 'PERSISTENT',
      mode: 'READ_WRITE',
      source: at(`disks/${disk.name}`),
      deviceName: index === 0 ? 'persistent-disk-0' : `persistent-disk-${index}`,
      index,
      boot: disk.boot,
      autoDelete: disk.autoDelete,
      diskSizeGb: String(disk.sizeGb),
      interface: 'SCSI',
    })),
    networkInterfaces: networkInterfaces.map((given, index) => ({
      kind: 'compute#networkInterface',
      network: linkTo(context, 'global/networks/default'),
      ...given,
      name: `nic${index}`,
      networkIP: ip,
    })),
    ...(serviceAccounts
      ? {
          serviceAccounts: serviceAccounts.map(({ email, scopes }) => ({
            email: accountOf(context, email),
            scopes,
          })),
        }
      : {}),
    deletionProtection: body.deletionProtection ?? false,
    startRestricted: false,
  };
}

/** `default` is the account of the project's machines. */
export const accountOf = ({ project }: Context, email: string): string =>
  email === 'default' ? `gazeline@${project}.iam.gserviceaccount.com` : email;
