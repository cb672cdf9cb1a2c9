import type { Disk } from '../../deploy/local/cloud/compute/disks.ts';
import { diskResource } from '../../deploy/local/cloud/compute/disks.ts';
import type { Instance } from '../../deploy/local/cloud/compute/instances/instance.ts';
import { instanceResource } from '../../deploy/local/cloud/compute/instances/resource.ts';
import type { Context } from '../../deploy/local/cloud/service.ts';
import type { ComputeClients } from '../../shared/machines/computeClients.ts';
import type { Clock } from '../placement/clock.ts';
import type { Signs } from './signs.ts';
import type { Cause, Machine, World } from './world.ts';

export const project = 'month';
const context = { project, origin: () => 'http://compute' } as Context;
const iso = (at: number) => new Date(at).toISOString();

export const instanceOf = (machine: Machine): Instance => {
  const { id, name, zone, status, labels, machineType, accelerators, diskGb, created, runs } = machine;
  const run = runs.at(-1);
  return {
    ...{ id, name, zone, status, machineType, accelerators, localSsds: 0, ip: '10.0.0.2' },
    body: { labels, scheduling: {} } as Instance['body'],
    disks: [{ name, sizeGb: diskGb, boot: true, autoDelete: true }],
    created: iso(created),
    ...(run ? { lastStart: iso(run.from) } : {}),
    ...(run && status === 'TERMINATED' ? { lastStop: iso(run.to) } : {}),
  };
};

export const diskOf = ({ id, name, zone, diskGb, created }: Machine): Disk => ({
  ...{ id, name, zone, sizeGb: diskGb, type: 'pd-balanced', sourceImage: '', labels: {}, user: name },
  created: iso(created),
});

class Refused extends Error {
  code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Options = {
  world: World;
  signs: Signs;
  clock: Clock;
  hasAgent: boolean;
  /** Why a machine is being stopped. */
  cause: () => Cause;
  /** A zone of which nothing can be seen at the moment. */
  unreachable: () => string | undefined;
};

/** In place of Google's clients: what they would answer, of simulated machines. */
export function simulatedClients({
  world,
  signs,
  clock,
  hasAgent,
  cause,
  unreachable,
}: Options): ComputeClients {
  const operations = new Map<string, { target: string; end: number }>();
  const find = (name: string) => {
    const machine = world.machines().find((one) => one.name === name);
    if (!machine) throw new Refused(404, `The resource 'instances/${name}' was not found`);
    return machine;
  };
  const operationOf = (name: string) => {
    const { target, end } = operations.get(name) ?? { target: '', end: 0 };
    const isDone = end <= clock.now();
    return {
      name,
      targetLink: target,
      status: isDone ? 'DONE' : 'RUNNING',
      ...(isDone ? { endTime: iso(end) } : {}),
    };
  };
  const page = <T>(kind: string, items: (T & { zone: string })[], resourceOf: (item: T) => object) => {
    const gone = unreachable();
    const zones = Map.groupBy(items, ({ zone }) => zone);
    const scopes = [...zones].filter(([zone]) => zone !== gone);
    return {
      items: Object.fromEntries(
        scopes.map(([zone, some]) => [`zones/${zone}`, { [kind]: some.map((one) => resourceOf(one)) }]),
      ),
      ...(gone ? { unreachables: [`projects/${project}/zones/${gone}`] } : {}),
    };
  };
  const instances = {
    get: async ({ instance }: { instance: string }) => [
      instanceResource(context, instanceOf(find(instance))),
    ],
    async stop({ zone, instance }: { zone: string; instance: string }) {
      const name = `operation-${operations.size}`;
      const end = world.stop(find(instance), cause());
      operations.set(name, { target: `projects/${project}/zones/${zone}/instances/${instance}`, end });
      return [{ latestResponse: operationOf(name) }];
    },
    async setLabels(request: { instance: string; instancesSetLabelsRequestResource: { labels: object } }) {
      find(request.instance).labels = { ...request.instancesSetLabelsRequestResource.labels };
    },
    async getGuestAttributes({ instance }: { instance: string }) {
      const heartbeat = hasAgent ? signs.heartbeat(find(instance), clock.now()) : undefined;
      if (!heartbeat) throw new Refused(404, 'The resource was not found');
      return [{ queryValue: { items: [{ value: JSON.stringify(heartbeat) }] } }];
    },
  };
  const zoneOperations = {
    async wait({ operation }: { operation: string }) {
      clock.until(operations.get(operation)?.end ?? 0);
      world.catchUp();
      return [operationOf(operation)];
    },
    async *listAsync() {},
  };
  return {
    instances,
    zoneOperations,
    disks: {},
    listInstances: async () =>
      page('instances', world.machines(), (machine) => instanceResource(context, instanceOf(machine))),
    listDisks: async () => page('disks', world.machines().map(diskOf), (disk) => diskResource(context, disk)),
  } as unknown as ComputeClients;
}
