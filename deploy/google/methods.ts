/**
 * Which permission Google asks of a request, as far as functions send such requests; `{bucket}` and the like are where it is
 * asked. https://cloud.google.com/iam/docs/permissions-reference, and the pages named below.
 */
type Rule = { method: string; path: RegExp; permission: string[] };

/** A permission that Google asks for besides the one that a request is called like. */
export type Implied = { permission: string; why: string; source: string };

// What a new machine brings along. https://cloud.google.com/compute/docs/reference/rest/v1/instances/insert
const insertSource =
  'https://cloud.google.com/compute/docs/access/create-enable-service-accounts-for-instances#required-permissions';
const withMachine: Implied[] = [
  ['compute.instances.setLabels', 'the machine is made with labels, by which it is found again'],
  ['compute.instances.setMetadata', 'the machine is made with a start-up script'],
  ['compute.instances.setServiceAccount', 'the machine is made to run as an account'],
  ['compute.disks.create', 'its boot disk is made with it'],
  ['compute.disks.setLabels', 'that disk is made with labels'],
  ['compute.subnetworks.use', 'the machine is put into a network'],
  [
    'compute.subnetworks.useExternalIp',
    'the machine fetches code and packages: it has an address of its own',
  ],
].map(([permission = '', why = '']) => ({ permission, why, source: insertSource }));
const actAs: Implied = {
  permission: 'iam.serviceAccounts.actAs',
  why: 'whoever lets a machine run as an account must be allowed to act as it',
  source: 'https://cloud.google.com/iam/docs/service-accounts-actas',
};
const overwrite: Implied = {
  permission: 'storage.objects.delete',
  why: 'to write over an object is to delete it',
  source: 'https://cloud.google.com/storage/docs/access-control/iam-json',
};
export const implied = [...withMachine, actAs, overwrite];
const permissionIn = ({ permission }: Implied) => permission;

const project = '/projects/[^/]+';
const rules: Rule[] = [
  // https://cloud.google.com/storage/docs/access-control/iam-json
  ...storage('GET', '/storage/v1/b/{bucket}/o', 'storage.objects.list'),
  ...storage('GET', '/storage/v1/b/{bucket}/o/[^?]+', 'storage.objects.get'),
  ...storage('POST', '/upload/storage/v1/b/{bucket}/o', 'storage.objects.create'),
  ...storage('PATCH', '/storage/v1/b/{bucket}/o/[^?]+', 'storage.objects.update'),
  ...storage('DELETE', '/storage/v1/b/{bucket}/o/[^?]+', 'storage.objects.delete'),
  // A copy within the bucket.
  ...storage(
    'POST',
    '/storage/v1/b/{bucket}/o/[^?]+/(?:rewriteTo|copyTo)/b/[^?]+',
    'storage.objects.get',
    'storage.objects.create',
  ),
  // What follows goes by the address of a session, which is its own permission.
  { method: 'PUT', path: /^\/upload\/storage\/v1\/b\//, permission: [] },
  { method: 'DELETE', path: /^\/upload\/storage\/v1\/b\//, permission: [] },

  rule('POST', `/v1${project}/topics/([^/:]+):publish`, 'pubsub.topics.publish'),

  // https://cloud.google.com/compute/docs/reference/rest/v1/instances
  rule(
    'POST',
    `/compute/v1${project}/zones/[^/]+/instances`,
    ...['compute.instances.create', ...[...withMachine, actAs].map(permissionIn)],
  ),
  rule('GET', `/compute/v1${project}/zones/[^/]+/instances/[^/]+`, 'compute.instances.get'),
  rule('DELETE', `/compute/v1${project}/zones/[^/]+/instances/[^/]+`, 'compute.instances.delete'),
  rule('POST', `/compute/v1${project}/zones/[^/]+/instances/[^/]+/stop`, 'compute.instances.stop'),
  rule('POST', `/compute/v1${project}/zones/[^/]+/instances/[^/]+/setLabels`, 'compute.instances.setLabels'),
  rule(
    'GET',
    `/compute/v1${project}/zones/[^/]+/instances/[^/]+/getGuestAttributes`,
    'compute.instances.getGuestAttributes',
  ),
  rule(
    'GET',
    `/compute/v1${project}/zones/[^/]+/instances/[^/]+/serialPort`,
    'compute.instances.getSerialPortOutput',
  ),
  rule('DELETE', `/compute/v1${project}/zones/[^/]+/disks/[^/]+`, 'compute.disks.delete'),
  rule('GET', `/compute/v1${project}/aggregated/instances`, 'compute.instances.list'),
  rule('GET', `/compute/v1${project}/aggregated/disks`, 'compute.disks.list'),
  rule('GET', `/compute/v1${project}/zones/[^/]+/operations`, 'compute.zoneOperations.list'),
  rule('POST', `/compute/v1${project}/zones/[^/]+/operations/[^/]+/wait`, 'compute.zoneOperations.get'),

  // A queued resource is asked for by the rights of its nodes.
  // https://cloud.google.com/tpu/docs/queued-resources#required_permissions
  rule('GET', '/v2/.*/(?:nodes|queuedResources)', 'tpu.nodes.list'),
  rule('GET', '/v2/.*/(?:nodes|queuedResources)/[^/]+', 'tpu.nodes.get'),
  rule('POST', '/v2/.*/queuedResources', 'tpu.nodes.create', actAs.permission),
  rule('DELETE', '/v2/.*/(?:nodes|queuedResources)/[^/]+', 'tpu.nodes.delete'),
  // https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2
  rule('POST', `/v2${project}/locations/[^/]+/instances`, 'notebooks.instances.create', actAs.permission),
  rule('GET', `/v2${project}/locations/[^/]+/instances/[^/]+`, 'notebooks.instances.get'),
  rule('DELETE', `/v2${project}/locations/[^/]+/instances/[^/]+`, 'notebooks.instances.delete'),
  rule('POST', '/v2/.*/instances/[^/]+:start', 'notebooks.instances.start'),
  rule('POST', '/v2/.*/instances/[^/]+:stop', 'notebooks.instances.stop'),
  rule('GET', `/v2${project}/locations/[^/]+/operations/workbench-[^/]*`, 'notebooks.operations.get'),
  rule('GET', `/v2${project}/locations/[^/]+/operations/[^/]+`, 'tpu.operations.get'),

  // https://cloud.google.com/monitoring/access-control
  rule('GET', `/v3${project}/timeSeries`, 'monitoring.timeSeries.list'),

  // https://cloud.google.com/billing/docs/reference/rest/v1/projects
  rule('GET', `/v1${project}/billingInfo`, 'resourcemanager.projects.get'),
  rule('PUT', `/v1${project}/billingInfo`, 'resourcemanager.projects.deleteBillingAssignment'),

  // https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
  rule(
    'POST',
    '/v1/projects/-/serviceAccounts/[^/]+:generateAccessToken',
    'iam.serviceAccounts.getAccessToken',
  ),

  // https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
  rule('POST', '/v1/projects/-/serviceAccounts/[^/]+:signBlob', 'iam.serviceAccounts.signBlob'),

  // None: Vision and Natural Language have no permissions, Drive has its own, and the rest is the local cloud's.
  rule('POST', '/v1/images:annotate|/v1/documents:\\w+'),
  rule('[A-Z]+', '/(?:upload/)?drive/v3/.*'),
  rule('POST', '/token'),
  rule('GET', '/oauth2/v1/certs'),
  rule('GET', '/'),
];

/** @returns what is needed and where, undefined for a request that is not known here */
export function permissionsOf(method: string, url: string): { permission: string; at: string }[] | undefined {
  const { pathname, searchParams } = new URL(url);
  const found = rules.find((one) => new RegExp(`^${one.method}$`).test(method) && one.path.test(pathname));
  if (!found) return undefined;
  const at = found.path.exec(pathname)?.[1] ?? '';
  const replaced = searchParams.get('ifGenerationMatch') ?? '0';
  const more = replaced !== '0' && method === 'POST' ? [overwrite.permission] : [];
  return [...found.permission, ...more].map((permission) => ({ permission, at }));
}

function rule(method: string, path: string, ...permission: string[]): Rule {
  return { method, path: new RegExp(`^(?:${path})$`), permission };
}

function storage(method: string, path: string, ...permission: string[]): Rule[] {
  return [rule(method, path.replace('{bucket}', '([^/]+)'), ...permission)];
}
