import { beforeAll, expect, test } from '@jest/globals';
import { compute_v1 } from 'googleapis/build/src/apis/compute/v1.js';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from '../storage/raw.ts';
import { type Clients, clientsOf, insert, machine, quick, setCompute, wait, zone } from './kit.ts';

const cloud = useLocalCloud();
let clients: Clients;
beforeAll(async () => {
  clients = clientsOf(cloud);
  await setCompute(cloud, quick);
});
const url = (path: string) => `${cloud.origin}/compute/v1/projects/${cloud.project}/${path}`;
const good = machine('good', '');
const [disk] = good.disks;
const t4 = `zones/${zone}/acceleratorTypes/nvidia-tesla-t4`;
const withImage = (sourceImage: string) => ({
  disks: [{ boot: true, autoDelete: true, initializeParams: { sourceImage } }],
});
const attached = { guestAccelerators: [{ acceleratorType: t4, acceleratorCount: 1 }] };
const n1 = { machineType: `zones/${zone}/machineTypes/n1-standard-4` };

const refused: [string, object, number, string, RegExp][] = [
  ['a bad name', { name: 'Job_1' }, 400, 'invalid', /'resource.name': 'Job_1'. Must be a match of regex/],
  ['no machine type', { machineType: undefined }, 400, 'required', /'resource.machineType' not specified/],
  [
    'an unknown machine type',
    { machineType: `zones/${zone}/machineTypes/z9-huge` },
    400,
    'invalid',
    /does not exist/,
  ],
  [
    'a machine type of another zone',
    { machineType: 'zones/us-east1-b/machineTypes/e2-small' },
    400,
    'invalid',
    /does not exist/,
  ],
  [
    'an accelerator that is not in the zone',
    { machineType: `zones/${zone}/machineTypes/a9-highgpu-8g` },
    400,
    'invalid',
    /does not exist/,
  ],
  [
    'an unknown image',
    withImage('projects/debian-cloud/global/images/family/debian-99'),
    404,
    'notFound',
    /'projects\/debian-cloud\/global\/images\/family\/debian-99' was not found/,
  ],
  [
    'a disk that is smaller than its image',
    { disks: [{ ...disk, initializeParams: { ...disk?.initializeParams, diskSizeGb: '5' } }] },
    400,
    'invalid',
    /cannot be smaller than the image size \(10 GB\)/,
  ],
  ['no disk', { disks: [] }, 400, 'invalid', /No disks are specified/],
  ['no network', { networkInterfaces: [] }, 400, 'invalid', /At least one network interface/],
  ['a label in upper case', { labels: { Lab: 'x' } }, 400, 'invalid', /Label key 'Lab' violates/],
  ['a label value in upper case', { labels: { lab: 'X' } }, 400, 'invalid', /Label value 'X' violates/],
  ['a misspelled field', { sheduling: {} }, 400, 'badRequest', /Unknown name "sheduling" at 'resource'/],
  [
    'a misspelled limit',
    { scheduling: { maxRunDurations: {} } },
    400,
    'badRequest',
    /Unknown name "maxRunDurations" at 'resource.scheduling'/,
  ],
  ['an accelerator on an E2', attached, 400, 'badRequest', /features are not compatible/],
  [
    'an accelerator that is to migrate',
    { ...attached, ...n1 },
    400,
    'badRequest',
    /do not support live migration/,
  ],
  [
    'a spot machine that restarts',
    { scheduling: { provisioningModel: 'SPOT', automaticRestart: true } },
    400,
    'invalid',
    /cannot be automatically restarted/,
  ],
  [
    'a termination action without a limit',
    { scheduling: { instanceTerminationAction: 'DELETE' } },
    400,
    'invalid',
    /cannot specify a termination action/,
  ],
  [
    '121 days',
    { scheduling: { maxRunDuration: { seconds: String(121 * 86400) } } },
    400,
    'invalid',
    /between 0 and 10368000 seconds/,
  ],
  [
    'a flexible start',
    { scheduling: { provisioningModel: 'FLEX_START' } },
    501,
    'notImplemented',
    /no FLEX_START/,
  ],
];
test.each(refused)('%s is refused in Google’s words', async (_, change, status, reason, message) => {
  const { status: given, body } = await call('POST', url(`zones/${zone}/instances`), {
    json: { ...good, ...change },
  });
  expect({ status: given, reason: body.error.errors[0].reason }).toEqual({ status, reason });
  expect(body.error.message).toMatch(message);
  expect(body.error).not.toHaveProperty('status');
});

test.each([
  ['zones/mars-1-a/instances', 400, /Invalid value for field 'zone': 'mars-1-a'. Unknown zone/],
  [`zones/${zone}/instances/nobody`, 404, /instances\/nobody' was not found/],
  [`zones/${zone}/operations/operation-1`, 404, /operations\/operation-1' was not found/],
  ['global/operations/operation-1', 404, /global\/operations\/operation-1' was not found/],
  [
    'regions/us-east1/operations/operation-1',
    404,
    /regions\/us-east1\/operations\/operation-1' was not found/,
  ],
  [`zones/${zone}/instances?filter=name`, 400, /Invalid list filter expression/],
  [`zones/${zone}/instances?maxResults=501`, 400, /Must be between 0 and 500/],
])('%s answers %s', async (path, status, message) => {
  const answer = await call('GET', url(path));
  expect(answer.status).toBe(status);
  expect(answer.body.error.message).toMatch(message);
});

test('a machine with Local SSDs is stopped only when it is said what becomes of them', async () => {
  const machineType = 'zones/us-central1-a/machineTypes/a2-ultragpu-1g';
  const scheduling = { onHostMaintenance: 'TERMINATE' };
  const at = { project: cloud.project, zone: 'us-central1-a', instance: 'fast' };
  await insert(cloud, clients, machine('fast', '', { machineType, scheduling }), at);
  await expect(clients.instances.stop(at)).rejects.toMatchObject({
    code: 3,
    message: expect.stringContaining('undefined value for `discard-local-ssd`'),
  });
  const [{ latestResponse }] = await clients.instances.stop({ ...at, discardLocalSsd: true });
  expect((await wait(cloud, clients, latestResponse.name ?? '', at.zone)).error).toBeUndefined();
});

test('the catalogue has machine types, accelerators, images, zones, regions and the project', async () => {
  const { project } = cloud;
  const [g2] = await clients.machineTypes.get({ project, zone, machineType: 'g2-standard-24' });
  expect(g2).toMatchObject({ guestCpus: 24, memoryMb: 98304 });
  expect(g2.accelerators).toMatchObject([{ guestAcceleratorType: 'nvidia-l4', guestAcceleratorCount: 2 }]);
  const [here] = await clients.machineTypes.list({ project, zone, filter: 'name="a3-highgpu-8g"' });
  expect(here).toEqual([]);
  const found: string[] = [];
  for await (const [scope, { machineTypes }] of clients.machineTypes.aggregatedListAsync({
    project,
    filter: 'name="a3-highgpu-8g"',
  }))
    if (machineTypes?.length) found.push(scope);
  expect(found).toContain('zones/europe-west4-b');
  const [chips] = await clients.acceleratorTypes.list({ project, zone });
  expect(chips.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['nvidia-tesla-t4', 'nvidia-tesla-v100', 'nvidia-l4', 'nvidia-tesla-a100']),
  );
  const family = 'common-cu129-ubuntu-2204-nvidia-580';
  const [image] = await clients.images.getFromFamily({ project: 'deeplearning-platform-release', family });
  expect(image).toMatchObject({ family, diskSizeGb: '50', status: 'READY' });
  expect((await clients.zones.list({ project }))[0].length).toBeGreaterThan(40);
  expect((await clients.regions.list({ project }))[0].map(({ name }) => name)).toContain('us-central1');
  expect((await clients.projects.get({ project }))[0].quotas).toMatchObject([{ metric: 'GPUS_ALL_REGIONS' }]);
});

test('googleapis inserts, reads and deletes as well', async () => {
  const api = new compute_v1.Compute({ rootUrl: `${cloud.origin}/`, retry: false });
  const at = { project: cloud.project, zone };
  const { data } = await api.instances.insert({ ...at, requestBody: machine('by-discovery', '') });
  const operation = data.name ?? '';
  expect((await api.zoneOperations.wait({ ...at, operation })).data).toMatchObject({
    status: 'DONE',
    progress: 100,
  });
  const instance = 'by-discovery';
  expect((await api.instances.get({ ...at, instance })).data.status).toBe('RUNNING');
  await api.instances.delete({ ...at, instance });
  const seen = await call('GET', `${cloud.origin}/_local/requests?service=compute`);
  const inserts = (seen.body.requests as { detail?: { op: string; body?: { name: string } } }[]).filter(
    ({ detail }) => detail?.op === 'instances.insert',
  );
  expect(inserts.at(-1)?.detail?.body?.name).toBe('by-discovery');
});
