import type { protos } from '@google-cloud/compute';
import { brief, type ComputeClients } from './computeClients.ts';
import { type Failure, failureOf, unknownZone } from './failure.ts';
import type { Disk, Hardware, Machine, Machines, Paid, Removed, Seen } from './machines.ts';
import type { Stoppable } from './stopAll.ts';

type InsertRequest = protos.google.cloud.compute.v1.IInsertInstanceRequest;
type Operation = protos.google.cloud.compute.v1.IOperation;
type Instance = protos.google.cloud.compute.v1.IInstance;

/** The server answers a wait after two minutes at the latest, or at once if it cannot: then it is asked again. */
const pause = 500;
/** The library itself never tries an insert again; ours has a request id. */
const mostInserts = 5;
const lastBootLines = 30;
const pageSize = 500;

/**
 * Virtual machines of Compute Engine. The client never throws when an operation fails, hides what lists could not reach,
 * and drops fields that it does not know, all without a word: see `test/shared/machines/computeEngine.test.ts`.
 */
export function computeEngine(
  project: string,
  clients: ComputeClients,
  wait: (ms: number) => Promise<unknown> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  now: () => number = Date.now,
): Machines<InsertRequest> & Stoppable & Required<Paid> {
  const { instances, disks, zoneOperations } = clients;

  /** @returns the operation when it is done, or undefined when the time is over */
  async function finished(
    operation: Operation,
    zone: string,
    patience: number,
  ): Promise<Operation | undefined> {
    const until = now() + patience;
    for (let current = operation; ; ) {
      if (isDone(current)) return current;
      if (now() >= until) return undefined;
      try {
        [current] = await zoneOperations.wait({ project, zone, operation: operation.name ?? '' });
      } catch (error) {
        // The operation goes on whether or not somebody hears of it, and only it can say that there is no machine.
        if (failureOf(error)?.scope === 'fatal') throw error;
      }
      if (!isDone(current)) await wait(pause);
    }
  }

  const operationsOf = (zone: string, filter: string) =>
    // Without this option it warns that it sets it.
    zoneOperations.listAsync({ project, zone, filter }, { ...brief, autoPaginate: false });

  async function look(zone: string, name: string): Promise<Machine | undefined> {
    const [instance] = await orNothing(() => instances.get({ project, zone, instance: name }, brief), []);
    return instance && machineOf(instance);
  }

  /** When machines of this name came to an end, whoever ended them, the first one first. */
  async function endsOf(zone: string, name: string): Promise<string[]> {
    // It is “contains”: what was done to job-10 is found for job-1 as well.
    const filter = `targetLink:"/instances/${name}"`;
    const operations = await orNothing(() => allOf(operationsOf(zone, filter)), []);
    return operations
      .filter(({ targetLink }) => targetLink?.endsWith(`/instances/${name}`))
      .filter(({ operationType }) => endings.includes(operationType ?? ''))
      .flatMap(({ endTime }) => (endTime ? [utc(endTime)] : []))
      .sort();
  }

  async function removed(
    zone: string,
    ask: () => Promise<[{ latestResponse: unknown }, ...unknown[]]>,
  ): Promise<Removed> {
    try {
      const [{ latestResponse }] = await ask();
      const operation = await finished(latestResponse as Operation, zone, 5 * 60_000);
      if (!operation) return { gone: false };
      const failure = failureOf(operation);
      if (failure && !isMissing(failure)) return { gone: false, failure };
      return { gone: true, ...(operation.endTime ? { at: utc(operation.endTime) } : {}) };
    } catch (error) {
      const failure = failureOf(error);
      if (failure && isMissing(failure)) return { gone: true };
      if (!failure) throw error;
      return { gone: false, failure };
    }
  }

  async function seen(filter?: string): Promise<Seen> {
    const request = { project, ...(filter ? { filter } : {}) };
    const machines = await allPages(clients.listInstances, request, ({ instances = [] }) =>
      instances.map(machineOf),
    );
    const theirDisks = await allPages(clients.listDisks, request, ({ disks = [] }) => disks.map(diskOf));
    const unseen = [...new Set([...machines.unseen, ...theirDisks.unseen])];
    return {
      machines: machines.items,
      disks: theirDisks.items,
      unseen,
      wasSeen: (zone) => !unseen.includes(everywhere) && !unseen.includes(zone),
    };
  }

  return {
    async insert(request, patience) {
      let accepted: Operation | undefined;
      for (let time = 1; !accepted; time++) {
        try {
          const [{ latestResponse }] = await instances.insert(request);
          accepted = latestResponse as Operation;
        } catch (error) {
          const failure = failureOf(error);
          if (!failure) throw error;
          if (failure.kind !== 'transient' || time === mostInserts) return failure;
          await wait(pause * 2 ** time);
        }
      }
      const operation = await finished(accepted, request.zone ?? '', patience);
      return operation ? (failureOf(operation) ?? 'there') : 'unknown';
    },

    look,
    covers: ['machine', 'disk'],

    async remove(zone, name) {
      const before = await look(zone, name);
      if (!before) {
        // Until then it has to be paid.
        const [at] = await endsOf(zone, name);
        return { gone: true, ...(at ? { at } : {}) };
      }
      // Local SSDs forbid a stop without a word about their content, but not this.
      const after = await removed(zone, () => instances.delete({ project, zone, instance: name }));
      const { startedAt, stoppedAt } = before;
      return { ...after, ...(startedAt ? { startedAt } : {}), ...(stoppedAt ? { at: stoppedAt } : {}) };
    },

    async stop(zone, name, { discardLocalSsd }) {
      // Always sent: without it, a machine with a Local SSD is not stopped at all.
      const request = { project, zone, instance: name, discardLocalSsd };
      const { gone: stopped, failure } = await removed(zone, () => instances.stop(request));
      return { stopped, ...(failure ? { failure } : {}) };
    },

    removeDisk: ({ zone, name }) => removed(zone, () => disks.delete({ project, zone, disk: name })),

    list: (lab) => seen(`labels.gazeline-lab=${lab}`),
    listAll: () => seen(),
    runs: ({ status }) => status === 'RUNNING',
    endsOf,

    async wasPreempted(zone, name) {
      // The filter is “contains”: the operation of job-10 is found for job-1 as well.
      const filter = 'operationType="compute.instances.preempted"';
      for await (const { targetLink } of operationsOf(zone, filter))
        if (targetLink?.endsWith(`/instances/${name}`)) return true;
      return false;
    },

    async bootLines(zone, name) {
      const [output] = await orNothing(
        () => instances.getSerialPortOutput({ project, zone, instance: name }, brief),
        [],
      );
      const lines = (output?.contents ?? '').split(/\r?\n/).filter((line) => line.trim());
      return lines.slice(-lastBootLines);
    },
  };
}

/** In place of a zone: the list itself could not be read to its end. */
const everywhere = 'everywhere';

type Page = {
  items?: Record<
    string,
    { warning?: { code?: string | null } | null; instances?: Instance[]; disks?: object[] }
  > | null;
  nextPageToken?: string | null;
  unreachables?: string[] | null;
  warning?: { code?: string | null } | null;
};
export type ListPage = (request: {
  project: string;
  filter?: string;
  maxResults: number;
  pageToken?: string;
}) => Promise<Page>;

/** Whatever of a list can be had. What could not is named, and never taken for empty. */
export async function allPages<T>(
  list: ListPage,
  request: { project: string; filter?: string },
  itemsOf: (scope: { instances?: Instance[]; disks?: object[] }) => T[],
): Promise<{ items: T[]; unseen: string[] }> {
  const items: T[] = [];
  const unseen: string[] = [];
  try {
    for (let pageToken: string | undefined; ; ) {
      const page = await list({ ...request, maxResults: pageSize, ...(pageToken ? { pageToken } : {}) });
      for (const [scope, content] of Object.entries(page.items ?? {})) {
        // A zone that is empty says NO_RESULTS_ON_PAGE.
        if (content.warning?.code && content.warning.code !== 'NO_RESULTS_ON_PAGE') unseen.push(last(scope));
        items.push(...itemsOf(content));
      }
      unseen.push(...(page.unreachables ?? []).map(last));
      if (page.warning?.code && page.warning.code !== 'NO_RESULTS_ON_PAGE' && !page.unreachables?.length)
        unseen.push(everywhere);
      if (!page.nextPageToken) break;
      pageToken = page.nextPageToken;
    }
  } catch (error) {
    if (!failureOf(error)) throw error;
    unseen.push(everywhere);
  }
  return { items, unseen };
}

/** Operations after which a machine does not run any more. */
const endings = ['delete', 'stop', 'compute.instances.preempted', 'compute.instances.guestTerminate'];

const last = (url: string | null | undefined) => url?.split('/').at(-1) ?? '';
/** Google writes times with the offset of California. */
const utc = (time: string) => new Date(time).toISOString();
const isDone = ({ status }: Operation) => String(status) === 'DONE';
const isMissing = ({ kind, raw }: Pick<Failure, 'kind' | 'raw'>) =>
  kind === 'not-found' || unknownZone.test(raw);

export function machineOf(instance: Instance): Machine {
  const { name, zone, status, labels, creationTimestamp, lastStartTimestamp, lastStopTimestamp } = instance;
  const endsAt = instance.resourceStatus?.scheduling?.terminationTimestamp;
  const createdBy = instance.metadata?.items?.find(({ key }) => key === 'created-by')?.value;
  const hasStopped = ['STOPPED', 'TERMINATED'].includes(String(status)) && lastStopTimestamp;
  const stoppedAt = String(status) === 'SUSPENDED' ? instance.lastSuspendedTimestamp : hasStopped;
  return {
    kind: 'vm',
    name: name ?? '',
    zone: last(zone),
    status: String(status),
    labels: labels ?? {},
    createdAt: utc(creationTimestamp ?? ''),
    ...(lastStartTimestamp ? { startedAt: utc(lastStartTimestamp) } : {}),
    ...(stoppedAt ? { stoppedAt: utc(stoppedAt) } : {}),
    ...(endsAt ? { endsAt: utc(endsAt) } : {}),
    ...(instance.deletionProtection ? { deletionProtection: true as const } : {}),
    ...(createdBy ? { createdBy } : {}),
    hardware: hardwareIn(instance),
  };
}

const hardwareIn = ({ machineType, guestAccelerators, scheduling, disks }: Instance): Hardware => ({
  machineType: last(machineType),
  guestAccelerators: (guestAccelerators ?? []).map(({ acceleratorType, acceleratorCount }) => ({
    type: last(acceleratorType),
    count: acceleratorCount ?? 0,
  })),
  // The older word is the only one on machines of its time.
  model: String(scheduling?.provisioningModel) === 'SPOT' || scheduling?.preemptible ? 'spot' : 'standard',
  localSsdGb: (disks ?? [])
    .filter(({ type }) => String(type) === 'SCRATCH')
    .reduce((sum, { diskSizeGb }) => sum + Number(diskSizeGb ?? 0), 0),
});

function diskOf(disk: protos.google.cloud.compute.v1.IDisk): Disk {
  return {
    name: disk.name ?? '',
    zone: last(disk.zone),
    labels: disk.labels ?? {},
    users: (disk.users ?? []).map(last),
    sizeGb: Number(disk.sizeGb ?? 0),
    type: last(disk.type),
    createdAt: utc(disk.creationTimestamp ?? ''),
  };
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function orNothing<T, N>(ask: () => Promise<T>, nothing: N): Promise<T | N> {
  try {
    return await ask();
  } catch (error) {
    const failure = failureOf(error);
    if (failure && isMissing(failure)) return nothing;
    throw error;
  }
}
