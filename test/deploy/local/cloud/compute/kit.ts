import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  AcceleratorTypesClient,
  DisksClient,
  ImagesClient,
  InstancesClient,
  MachineTypesClient,
  ProjectsClient,
  RegionsClient,
  ZoneOperationsClient,
  ZonesClient,
} from '@google-cloud/compute';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { until as untilSoon } from '../pubsub/receiver.ts';
import { call } from '../storage/raw.ts';

export const zone = 'europe-west4-a';

/** Google's own clients, for a local cloud. */
export function clientsOf({ origin, project }: Cloud) {
  const auth = {
    getClient: async () => ({}),
    getRequestHeaders: async () => new Headers({ authorization: 'Bearer local' }),
    getUniverseDomain: async () => 'googleapis.com',
    universeDomain: 'googleapis.com',
    fetch: async (url: string, options: RequestInit) => fetch(url, options),
  };
  const options = {
    apiEndpoint: '127.0.0.1',
    port: Number(new URL(origin).port),
    protocol: 'http',
    projectId: project,
    fallback: true,
    // biome-ignore lint/suspicious/noExplicitAny: the client asks for a whole class and uses these methods
    auth: auth as any,
  };
  return {
    instances: new InstancesClient(options),
    operations: new ZoneOperationsClient(options),
    machineTypes: new MachineTypesClient(options),
    acceleratorTypes: new AcceleratorTypesClient(options),
    images: new ImagesClient(options),
    disks: new DisksClient(options),
    zones: new ZonesClient(options),
    regions: new RegionsClient(options),
    projects: new ProjectsClient(options),
  };
}
export type Clients = ReturnType<typeof clientsOf>;

/** A small machine that runs this script. */
export function machine(name: string, script: string | undefined, more: object = {}) {
  return {
    name,
    machineType: `zones/${zone}/machineTypes/e2-standard-2`,
    disks: [
      {
        boot: true,
        autoDelete: true,
        initializeParams: { sourceImage: 'projects/debian-cloud/global/images/family/debian-12' },
      },
    ],
    networkInterfaces: [{ network: 'global/networks/default' }],
    serviceAccounts: [{ email: 'default', scopes: ['https://www.googleapis.com/auth/cloud-platform'] }],
    metadata: { items: script === undefined ? [] : [{ key: 'startup-script', value: script }] },
    ...more,
  };
}

/** Inserts it and waits for its operation. */
export async function insert(
  cloud: Cloud,
  clients: Clients,
  instanceResource: object,
  more: { zone?: string; requestId?: string } = {},
) {
  const request = { project: cloud.project, zone, requestId: randomUUID(), instanceResource, ...more };
  const [{ latestResponse }] = await clients.instances.insert(request);
  return wait(cloud, clients, latestResponse.name ?? '', request.zone);
}

export async function wait(cloud: Cloud, clients: Clients, operation: string, at = zone) {
  const [done] = await clients.operations.wait({ project: cloud.project, zone: at, operation });
  return done;
}

export async function setCompute(cloud: Cloud, settings: object): Promise<void> {
  const { status, body } = await call('POST', `${cloud.origin}/_local/compute/settings`, { json: settings });
  if (status !== 200) throw new Error(JSON.stringify(body));
}

/** Two states at once take no time, and a guest has a second to end. */
export const quick = { delays: { provisioning: 20, staging: 20 }, shutdown: 1000, shortestRun: 0 };

/** Whether this process runs; one that has ended and that nobody has asked about does not. */
export function lives(pid: string | number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'state=', '-p', String(pid).trim()], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

/** Machines are processes: on a busy computer, they take their time. */
export const until: typeof untilSoon = (look) => untilSoon(look, 25_000);
