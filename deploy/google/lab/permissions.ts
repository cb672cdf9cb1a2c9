import { gcloud } from './gcloud.ts';

/** Of the things that Terraform makes, one each. Whoever has these can make a lab; the role Owner has them all. */
export const neededPermissions = [
  'artifactregistry.repositories.create',
  'cloudfunctions.functions.create',
  'cloudscheduler.jobs.create',
  'iam.roles.create',
  'iam.serviceAccounts.create',
  'iam.serviceAccounts.setIamPolicy',
  'logging.logMetrics.create',
  'monitoring.alertPolicies.create',
  'pubsub.subscriptions.create',
  'pubsub.topics.create',
  'resourcemanager.projects.setIamPolicy',
  'run.services.setIamPolicy',
  'secretmanager.secrets.create',
  'serviceusage.services.enable',
  'storage.buckets.create',
];

/** gcloud has no command for it; it is asked where gcloud would ask, a proxy of its settings apart. */
export async function missingPermissions(
  resource: { project: string } | { billingAccount: string },
  permissions: string[],
): Promise<string[]> {
  const url =
    'project' in resource
      ? `${endpoint('CLOUDRESOURCEMANAGER', 'https://cloudresourcemanager.googleapis.com/')}v1/projects/${resource.project}:testIamPermissions`
      : `${endpoint('CLOUDBILLING', 'https://cloudbilling.googleapis.com/')}v1/billingAccounts/${resource.billingAccount}:testIamPermissions`;
  const token = await gcloud('auth', 'print-access-token');
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ permissions }),
  });
  // Not allowed to ask is not allowed to do.
  if (response.status === 403) return permissions;
  if (!response.ok)
    throw new Error(`${new URL(url).host} answered ${response.status} when asked for permissions`);
  const { permissions: granted = [] } = (await response.json()) as { permissions?: string[] };
  return permissions.filter((permission) => !granted.includes(permission));
}

/** https://cloud.google.com/sdk/gcloud/reference/config/set, `api_endpoint_overrides` */
const endpoint = (name: string, usual: string) =>
  process.env[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`] ?? usual;
