import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { type Clients, clientsOf, insert, machine, quick, setCompute, until, wait, zone } from './kit.ts';

const cloud = useLocalCloud();
let clients: Clients;
beforeAll(async () => {
  clients = clientsOf(cloud);
  await setCompute(cloud, quick);
});
afterEach(async () => {
  await setFaults(cloud);
  await setCompute(cloud, quick);
});
const at = (instance: string) => ({ project: cloud.project, zone, instance });
const spot = { scheduling: { provisioningModel: 'SPOT', instanceTerminationAction: 'DELETE' } };
const l4 = { machineType: `zones/${zone}/machineTypes/g2-standard-4` };
const onlyTerminate = { scheduling: { onHostMaintenance: 'TERMINATE', automaticRestart: false } };
const isGone = (name: string) =>
  clients.instances.get(at(name)).then(
    () => false,
    ({ code }: { code: number }) => code === 5,
  );

test('a stock-out is told by the operation, after insert has answered, with a hint of where there is capacity', async () => {
  await setFaults(cloud, {
    service: 'compute',
    kind: 'stockOut',
    machine: { zone, acceleratorType: 'nvidia-l4', provisioningModel: 'SPOT' },
    zonesAvailable: ['europe-west4-c'],
  });
  const request = {
    project: cloud.project,
    zone,
    instanceResource: machine('sold-out', '', { ...l4, ...spot }),
  };
  const [{ latestResponse }] = await clients.instances.insert(request);
  expect(latestResponse).toMatchObject({ status: 'RUNNING', progress: 0 });
  const done = await wait(cloud, clients, latestResponse.name ?? '');
  expect(done).toMatchObject({ status: 'DONE', httpErrorStatusCode: 503 });
  const [error] = done.error?.errors ?? [];
  expect(error?.code).toBe('ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS');
  const info = error?.errorDetails?.find(({ errorInfo }) => errorInfo)?.errorInfo;
  expect(info).toMatchObject({ reason: 'resource_availability', domain: 'compute.googleapis.com' });
  expect(info?.metadatas).toMatchObject({
    vmType: 'g2-standard-4',
    attachment: 'nvidia-l4=1',
    zone,
    zonesAvailable: 'europe-west4-c',
  });
  expect(await isGone('sold-out')).toBe(true);
  const [disks] = await clients.disks.list({ project: cloud.project, zone, filter: 'name=sold-out' });
  expect(disks).toEqual([]);
  expect(
    (await insert(cloud, clients, machine('in-stock', '', { ...l4, ...onlyTerminate }))).error,
  ).toBeUndefined();
});

test.each([
  ['stockOut', { code: 'ZONE_RESOURCE_POOL_EXHAUSTED' }, 503, 'ZONE_RESOURCE_POOL_EXHAUSTED'],
  ['stockOut', { code: 'UNSUPPORTED_OPERATION' }, 400, 'UNSUPPORTED_OPERATION'],
  ['vanish', {}, 404, 'RESOURCE_NOT_FOUND'],
])(
  'the fault %s with %j ends the operation with %s %s, and nothing is left',
  async (kind, more, status, code) => {
    await setFaults(cloud, { service: 'compute', kind, machine: { name: 'struck' }, ...more });
    const done = await insert(cloud, clients, machine('struck', ''));
    expect(done.httpErrorStatusCode).toBe(status);
    expect(done.error?.errors?.map((error) => error.code)).toEqual([code]);
    expect(await isGone('struck')).toBe(true);
  },
);

test('a quota is counted: of a region late, with its details, of all regions at once', async () => {
  const region = 'europe-west4';
  const used = 1;
  await setCompute(cloud, { ...quick, quotas: [{ metric: 'NVIDIA_L4_GPUS', region, limit: used }] });
  const done = await insert(cloud, clients, machine('one-more', '', { ...l4, ...onlyTerminate }));
  expect(done.httpErrorStatusCode).toBe(403);
  const [error] = done.error?.errors ?? [];
  expect(error).toMatchObject({
    code: 'QUOTA_EXCEEDED',
    message: "Quota 'NVIDIA_L4_GPUS' exceeded.  Limit: 1.0 in region europe-west4.",
  });
  expect(error?.errorDetails?.[0]?.quotaInfo).toMatchObject({
    metricName: 'compute.googleapis.com/nvidia_l4_gpus',
    limitName: 'NVIDIA-L4-GPUS-per-project-region',
    limit: 1,
    dimensions: { region },
  });
  const [{ quotas }] = await clients.regions.get({ project: cloud.project, region });
  expect(quotas?.find(({ metric }) => metric === 'NVIDIA_L4_GPUS')).toMatchObject({ limit: 1, usage: 1 });

  await setCompute(cloud, { ...quick, quotas: [{ metric: 'GPUS_ALL_REGIONS', limit: 1, when: 'now' }] });
  const instanceResource = machine('global', '', { ...l4, ...spot });
  await expect(
    clients.instances.insert({ project: cloud.project, zone, instanceResource }),
  ).rejects.toMatchObject({
    code: 7,
    message: expect.stringContaining("Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 1.0 globally."),
  });
});

test('the same request id gives the same operation; forgotten, the name is taken', async () => {
  const request = {
    project: cloud.project,
    zone,
    requestId: randomUUID(),
    instanceResource: machine('twice', 'echo x >> runs'),
  };
  const [[first], [second]] = [
    await clients.instances.insert(request),
    await clients.instances.insert(request),
  ];
  expect(second.latestResponse.name).toBe(first.latestResponse.name);
  expect(second.latestResponse).toMatchObject({ clientOperationId: request.requestId });
  expect((await wait(cloud, clients, first.latestResponse.name ?? '')).error).toBeUndefined();
  await setCompute(cloud, { ...quick, rememberRequestIds: false });
  await expect(clients.instances.insert(request)).rejects.toMatchObject({
    code: 10,
    message: expect.stringContaining(
      `The resource 'projects/${cloud.project}/zones/${zone}/instances/twice' already exists`,
    ),
  });
});

test('a preempted machine sees it in its metadata, gets the signal, and Google keeps an operation that says so', async () => {
  const script = `
    trap 'curl -s -H "Metadata-Flavor: Google" "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/preempted"; exit 0' TERM
    curl -s -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/preempted?wait_for_change=true" > noticed
    sleep 60 & wait`;
  const keep = { scheduling: { provisioningModel: 'SPOT', instanceTerminationAction: 'STOP' } };
  await insert(cloud, clients, machine('preempted', script, keep));
  await insert(cloud, clients, machine('preempted-2', script, spot));
  await setCompute(cloud, { ...quick, preemptionNotice: 100 });
  // The script must wait for the change before there is one.
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const name of ['preempted', 'preempted-2'])
    await fetch(`${cloud.origin}/_local/compute/preempt`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ zone, name }),
    });
  await until(async () => (await clients.instances.get(at('preempted')))[0].status === 'TERMINATED');
  await until(() => isGone('preempted-2'));
  const target = `${cloud.origin}/compute/v1/projects/${cloud.project}/zones/${zone}/instances/preempted`;
  const filter = `operationType="compute.instances.preempted" AND targetLink:"${target}"`;
  const [operations] = await clients.operations.list({ project: cloud.project, zone, filter });
  expect(operations.map(({ targetLink, status, user }) => ({ targetLink, status, user }))).toEqual([
    { targetLink: target, status: 'DONE', user: 'system' },
    { targetLink: `${target}-2`, status: 'DONE', user: 'system' },
  ]);
});

test('a machine that does not boot runs, and only its serial port says why its script does not', async () => {
  await setFaults(cloud, { service: 'compute', kind: 'bootFailure', machine: { name: 'panics' } });
  expect((await insert(cloud, clients, machine('panics', 'echo never'))).error).toBeUndefined();
  const [{ contents }] = await clients.instances.getSerialPortOutput(at('panics'));
  expect(contents).toMatch(/^Kernel panic/);
  expect((await clients.instances.get(at('panics')))[0].status).toBe('RUNNING');
});

test('a zone that does not answer is named by aggregated lists, and one that is closed to the project refuses', async () => {
  await insert(cloud, clients, machine('hidden', ''));
  await setCompute(cloud, { ...quick, unreachableZones: [zone], closedZones: ['us-east1-d'] });
  // The client shows zone after zone, and what stands above them only here.
  const { aggregatedList } = clients.instances.innerApiCalls;
  if (!aggregatedList) throw new Error('The client has no aggregatedList');
  const [, , raw] = (await aggregatedList({ project: cloud.project }, { autoPaginate: false })) as [
    unknown,
    unknown,
    { unreachables: string[]; items: Record<string, { warning: { code: string } }> },
  ];
  expect(raw.unreachables).toEqual([`projects/${cloud.project}/zones/${zone}`]);
  expect(raw.items[`zones/${zone}`]?.warning.code).toBe('UNREACHABLE');
  const answer = await fetch(
    `${cloud.origin}/compute/v1/projects/${cloud.project}/zones/${zone}/instances/hidden`,
  );
  expect(answer.status).toBe(503);
  const closed = { project: cloud.project, zone: 'us-east1-d' };
  await expect(clients.instances.list(closed)).rejects.toMatchObject({
    code: 7,
    message: expect.stringContaining('Location us-east1-d is not found or access is unauthorized'),
  });
});

test.each([
  ['rateLimit', 'rateLimitExceeded', "limit 'Queries per minute'"],
  ['permissionDenied', 'forbidden', `Required 'compute.instances.list' permission for 'projects/`],
])('the fault %s answers 403 %s', async (kind, reason, message) => {
  await setFaults(cloud, { service: 'compute', kind, method: 'GET', path: '/instances$' });
  const answer = await fetch(`${cloud.origin}/compute/v1/projects/${cloud.project}/zones/${zone}/instances`);
  const { error } = (await answer.json()) as { error: { message: string; errors: { reason: string }[] } };
  expect({ status: answer.status, reason: error.errors[0]?.reason }).toEqual({ status: 403, reason });
  expect(error.message).toContain(message);
});

test('the bill says what each machine ran, from its start to its end', async () => {
  await insert(cloud, clients, machine('billed', '', { ...l4, ...spot, labels: { job: 'x' } }));
  const bill = async () => {
    const runs = (await (await fetch(`${cloud.origin}/_local/compute/bill`)).json()) as Record<
      string,
      unknown
    >[];
    return runs.find(({ name }) => name === 'billed');
  };
  expect(await bill()).not.toHaveProperty('endedAt');
  const [{ latestResponse }] = await clients.instances.delete(at('billed'));
  await wait(cloud, clients, latestResponse.name ?? '');
  expect(await bill()).toEqual({
    id: expect.any(String),
    zone,
    name: 'billed',
    machineType: 'g2-standard-4',
    localSsds: 0,
    accelerators: [{ type: 'nvidia-l4', count: 1 }],
    provisioningModel: 'SPOT',
    diskGb: 10,
    labels: { job: 'x' },
    startedAt: expect.any(String),
    endedAt: expect.any(String),
  });
});
