import type { Instance } from '../compute/instances/instance.ts';
import { accountOf } from '../compute/instances/resource.ts';
import { linkOf, nameOf, type Parts } from './parts.ts';
import type { Notebook } from './tables.ts';
import { systemMetadata } from './virtualMachine.ts';

/** An instance with its machine, which somebody may have deleted behind its back. */
export type Present = { notebook: Notebook; machine: Instance | undefined };

/**
 * It as it is by now: nothing if its machine was not to be had, or has gone because it was deleted itself.
 */
export function present({ tables, machines }: Parts, notebook: Notebook): Present | undefined {
  const machine = machines.get(notebook);
  if (machine?.id === notebook.machineId) return { notebook, machine };
  const insert = machines.operation({ zone: notebook.zone, name: notebook.insert });
  if (!notebook.isLeaving && !insert?.failure) return { notebook, machine: undefined };
  tables.instances.remove(notebook);
  return undefined;
}

/** https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/State */
export function stateOf({ settings }: Parts, { machine }: Present): string {
  switch (machine?.status) {
    case undefined:
      return 'DELETED';
    case 'PROVISIONING':
    case 'STAGING':
      return machine.lastStart ? 'STARTING' : 'INITIALIZING';
    case 'RUNNING':
      if (Date.now() >= readyAt(machine, settings.registering)) return 'ACTIVE';
      return machine.lastStop ? 'STARTING' : 'PROVISIONING';
    case 'STOPPING':
      return 'STOPPING';
    case 'TERMINATED':
      return 'STOPPED';
  }
}

/** From when on Jupyter answers on a machine that runs. */
export const readyAt = ({ lastStart, created }: Instance, registering: number): number =>
  Date.parse(lastStart ?? created) + registering;

/** https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/projects.locations.instances */
export function instanceResource(parts: Parts, one: Present): object {
  const { context, settings } = parts;
  const { notebook, machine } = one;
  const { zone, name, id, machineId, body, proxyUri, created, updated } = notebook;
  const state = stateOf(parts, one);
  const { acceleratorConfigs, dataDisks, bootDisk, serviceAccounts, ...setup } = body.gceSetup;
  const isActive = state === 'ACTIVE';
  const isHealthy = !settings.unhealthy.includes(name);
  const sized = (disk: (typeof dataDisks)[number], usual: number) => ({
    diskEncryption: 'GMEK',
    ...disk,
    diskSizeGb: String(disk.diskSizeGb ?? usual),
  });
  return {
    name: nameOf(context, zone, `instances/${name}`),
    id,
    state,
    creator: accountOf(context, 'default'),
    createTime: created,
    updateTime: [updated, machine?.lastStart, machine?.lastStop].reduce((a = '', b = '') => (a > b ? a : b)),
    labels: body.labels,
    instanceOwners: body.instanceOwners,
    ...(body.disableProxyAccess ? { disableProxyAccess: true } : {}),
    ...(body.enableDeletionProtection ? { enableDeletionProtection: true } : {}),
    ...(machine?.lastStart && !body.disableProxyAccess ? { proxyUri: linkOf(parts, notebook) } : {}),
    healthState: isActive ? (isHealthy ? 'HEALTHY' : 'UNHEALTHY') : 'HEALTH_STATE_UNSPECIFIED',
    ...(isActive
      ? { healthInfo: { jupyterlab_status: isHealthy ? '1' : '-1', updated: new Date().toISOString() } }
      : {}),
    gceSetup: {
      ...setup,
      machineType: machine?.machineType ?? setup.machineType,
      ...(acceleratorConfigs.length > 0
        ? {
            acceleratorConfigs: acceleratorConfigs.map(({ type, coreCount }) => ({
              type,
              coreCount: String(coreCount),
            })),
          }
        : {}),
      bootDisk: sized(bootDisk, 150),
      ...(dataDisks.length > 0 ? { dataDisks: dataDisks.map((disk) => sized(disk, 100)) } : {}),
      serviceAccounts: [
        {
          email: accountOf(context, serviceAccounts[0]?.email ?? 'default'),
          scopes: ['https://www.googleapis.com/auth/cloud-platform'],
        },
      ],
      metadata: { ...setup.metadata, ...systemMetadata(proxyUri, body) },
      instanceId: machineId,
    },
  };
}
