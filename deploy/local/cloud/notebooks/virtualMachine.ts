import { machineTypeIn } from '../compute/catalogue/machineTypes.ts';
import { projectNumber } from '../compute/instances/machineMetadata.ts';
import type { Context } from '../service.ts';
import type { Body } from './body.ts';

/** The image family of Workbench instances. */
const workbench = { project: 'cloud-notebooks-managed', family: 'workbench-instances' };

export type Place = { zone: string; name: string };

/**
 * What Workbench adds to the labels of its machine, by which a sweep over Compute Engine knows it.
 * https://github.com/hashicorp/terraform-provider-google `WorkbenchInstanceProvidedLabels`
 */
export const labelsOf = ({ project }: Context, { name }: Place, { labels }: Pick<Body, 'labels'>) => ({
  ...labels,
  'consumer-project-id': project,
  'consumer-project-number': projectNumber,
  'notebooks-product': 'workbench-instances',
  'resource-name': name,
});

/** What Workbench adds to its metadata: `WorkbenchInstanceProvidedMetadata`, ibid., as far as it means something here. */
export function systemMetadata(
  proxyUri: string,
  { instanceOwners, disableProxyAccess }: Body,
): Record<string, string> {
  const [owner] = instanceOwners;
  return {
    'notebooks-api': 'PROD',
    'notebooks-api-version': 'v2',
    'enable-guest-attributes': 'TRUE',
    'enable-oslogin': 'TRUE',
    'serial-port-logging-enable': 'true',
    ...(disableProxyAccess
      ? {}
      : {
          'proxy-mode': owner ? 'mail' : 'service_account',
          ...(owner ? { 'proxy-user-mail': owner } : {}),
          'proxy-url': proxyUri,
        }),
  };
}

/** What is said last counts, as far as it is not Workbench's own. */
export const itemsOf = (system: Record<string, string>, own: Record<string, string>) =>
  Object.entries({ ...own, ...system }).map(([key, value]) => ({ key, value }));

/** The body of `instances.insert` for the machine of an instance. */
export function machineBody(context: Context, place: Place, body: Body, proxyUri: string): object {
  const { zone, name } = place;
  const { gceSetup, enableDeletionProtection } = body;
  const { bootDisk, dataDisks, vmImage = workbench, serviceAccounts, networkInterfaces } = gceSetup;
  const [account] = serviceAccounts;
  const [{ network, subnet } = {}] = networkInterfaces;
  const { project, ...image } = vmImage as { project: string; name?: string; family?: string };
  const accelerators = acceleratorsOf(zone, gceSetup);
  const typed = (diskType: string) =>
    `zones/${zone}/diskTypes/${diskType.toLowerCase().replaceAll('_', '-')}`;
  return {
    name,
    machineType: `zones/${zone}/machineTypes/${gceSetup.machineType.split('/').at(-1)}`,
    labels: labelsOf(context, place, body),
    metadata: { items: itemsOf(systemMetadata(proxyUri, body), gceSetup.metadata) },
    tags: { items: [...gceSetup.tags, 'deeplearning-vm', 'notebook-instance'] },
    disks: [
      {
        boot: true,
        autoDelete: true,
        initializeParams: {
          sourceImage: `projects/${project}/global/images/${image.name ?? `family/${image.family}`}`,
          // https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/BootDisk
          diskSizeGb: bootDisk.diskSizeGb ?? 150,
          diskType: typed(bootDisk.diskType),
        },
      },
      ...dataDisks.map(({ diskSizeGb = 100, diskType }) => ({
        autoDelete: true,
        initializeParams: { diskName: `${name}-data`.slice(-63), diskSizeGb, diskType: typed(diskType) },
      })),
    ],
    networkInterfaces: [
      {
        ...(network ? { network } : {}),
        ...(subnet ? { subnetwork: subnet } : {}),
        ...(gceSetup.disablePublicIp
          ? {}
          : { accessConfigs: [{ name: 'External NAT', type: 'ONE_TO_ONE_NAT' }] }),
      },
    ],
    serviceAccounts: [
      { email: account?.email ?? 'default', scopes: ['https://www.googleapis.com/auth/cloud-platform'] },
    ],
    ...(accelerators.attached.length > 0 ? { guestAccelerators: accelerators.attached } : {}),
    ...(accelerators.areThere ? { scheduling: { onHostMaintenance: 'TERMINATE' } } : {}),
    ...(enableDeletionProtection ? { deletionProtection: true } : {}),
    ...(gceSetup.enableIpForwarding ? { canIpForward: true } : {}),
    ...(gceSetup.minCpuPlatform ? { minCpuPlatform: gceSetup.minCpuPlatform } : {}),
  };
}

/** What is built into the type of a machine may be said as well, and is not attached again. */
function acceleratorsOf(zone: string, { machineType, acceleratorConfigs }: Body['gceSetup']) {
  const builtIn = machineTypeIn(zone, machineType.split('/').at(-1) ?? '')?.accelerators ?? [];
  const attached = acceleratorConfigs
    .map(({ type, coreCount }) => ({
      // `NVIDIA_TESLA_T4`, and at Compute Engine `nvidia-tesla-t4`.
      type: type.toLowerCase().replaceAll('_', '-'),
      count: coreCount,
    }))
    .filter(({ type }) => !builtIn.some((one) => one.type === type))
    .map(({ type, count }) => ({
      acceleratorType: `zones/${zone}/acceleratorTypes/${type}`,
      acceleratorCount: count,
    }));
  return { attached, areThere: builtIn.length + attached.length > 0 };
}
