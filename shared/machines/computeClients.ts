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

/**
 * Three clients, by their files: the package's own front door loads all 300, of three versions, which takes a second and
 * 150 MB more.
 * @param options of each client
 */
export async function openComputeClients(options: Options): Promise<ComputeClients> {
  // By `default`: see `shared/clients.ts`.
  const { InstancesClient } = (await import('@google-cloud/compute/build/src/v1/instances_client.js'))
    .default;
  const { DisksClient } = (await import('@google-cloud/compute/build/src/v1/disks_client.js')).default;
  const { ZoneOperationsClient } = (
    await import('@google-cloud/compute/build/src/v1/zone_operations_client.js')
  ).default;
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
