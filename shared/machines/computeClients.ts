import type { DisksClient, InstancesClient, ZoneOperationsClient } from '@google-cloud/compute';
import type { ListPage } from './computeEngine.ts';

/**
 * Of questions. By itself the library asks a zone that is not reachable for ten minutes, and nothing else is looked after
 * meanwhile; whoever asks comes again.
 */
export const brief = {
  retry: {
    backoffSettings: {
      maxRetries: 4,
      initialRetryDelayMillis: 100,
      retryDelayMultiplier: 2,
      maxRetryDelayMillis: 2000,
      initialRpcTimeoutMillis: 20_000,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: 20_000,
    },
  },
};

type Options = NonNullable<ConstructorParameters<typeof InstancesClient>[0]>;

export type ComputeClients = {
  instances: InstancesClient;
  disks: DisksClient;
  zoneOperations: ZoneOperationsClient;
  listInstances: ListPage;
  listDisks: ListPage;
};

/** @param options of each client; loading the library takes a second and much memory, so it is done late */
export async function openComputeClients(options: Options): Promise<ComputeClients> {
  const { InstancesClient, DisksClient, ZoneOperationsClient } = await import('@google-cloud/compute');
  const instances = new InstancesClient(options);
  const disks = new DisksClient(options);
  await Promise.all([instances.initialize(), disks.initialize()]);
  return {
    instances,
    disks,
    zoneOperations: new ZoneOperationsClient(options),
    listInstances: pages(instances),
    listDisks: pages(disks),
  };
}

type Call = (request: object, options: object) => Promise<[unknown, unknown, Awaited<ReturnType<ListPage>>]>;

/** `aggregatedListAsync` does not tell which zones have not answered; this call under it does. */
function pages(client: InstancesClient | DisksClient): ListPage {
  return async (request) => {
    const list = client.innerApiCalls.aggregatedList as unknown as Call;
    const [, , page] = await list(request, { ...brief, autoPaginate: false });
    return page;
  };
}
