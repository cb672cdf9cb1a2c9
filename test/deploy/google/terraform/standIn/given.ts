import type { Fields } from './provider.ts';

export const project = 'lab-of-gaze';
export const projectNumber = '123456789012';

/**
 * What Google, or its provider, would add to what it was given. Some of it is known before the thing is there, as with the
 * real provider.
 */
export function given(type: string, fields: Fields, when: 'plan' | 'apply'): Fields {
  const known = inPlans[type]?.(fields) ?? {};
  if (when === 'plan') return known;
  return { id: `${type}/${nameIn(fields)}`, project, ...known, ...(whenMade[type]?.(fields) ?? {}) };
}

const nameIn = ({ name, role_id, bucket, topic }: Fields) => String(name ?? role_id ?? bucket ?? topic ?? '');

const inPlans: Record<string, (fields: Fields) => Fields> = {
  google_service_account: ({ account_id }) => {
    const email = `${String(account_id)}@${project}.iam.gserviceaccount.com`;
    return { email, member: `serviceAccount:${email}` };
  },
};

const whenMade: Record<string, (fields: Fields) => Fields> = {
  google_service_account: ({ account_id }) => {
    const name = `projects/${project}/serviceAccounts/${String(account_id)}@${project}.iam.gserviceaccount.com`;
    return { name, id: name, unique_id: '1' };
  },
  google_project_iam_custom_role: ({ role_id }) => {
    const name = `projects/${project}/roles/${String(role_id)}`;
    return { name, id: name };
  },
  google_pubsub_topic: ({ name }) => ({ id: `projects/${project}/topics/${String(name)}` }),
  google_pubsub_subscription: ({ name }) => ({ id: `projects/${project}/subscriptions/${String(name)}` }),
  google_secret_manager_secret: ({ secret_id }) => {
    const name = `projects/${project}/secrets/${String(secret_id)}`;
    return { id: name, name };
  },
  google_secret_manager_secret_version: () => ({ version: '1' }),
  google_artifact_registry_repository: ({ repository_id, location }) => ({
    id: `projects/${project}/locations/${String(location)}/repositories/${String(repository_id)}`,
    name: repository_id ?? null,
  }),
  google_billing_budget: ({ billing_account }) => ({
    name: `billingAccounts/${String(billing_account)}/budgets/de72f49d-779b-4945-a127-4d6ce8def0bb`,
  }),
  google_cloudfunctions2_function: ({ name, service_config }) => ({
    url: `https://europe-west4-${project}.cloudfunctions.net/${String(name)}`,
    service_config: ((service_config ?? []) as Fields[]).map((one) => ({
      ...one,
      uri: `https://${String(name)}-abc123-ez.a.run.app`,
    })),
  }),
  'data.google_project': () => ({ number: projectNumber, name: 'A lab' }),
  'data.google_storage_project_service_account': () => {
    const email = `service-${projectNumber}@gs-project-accounts.iam.gserviceaccount.com`;
    return { email_address: email, member: `serviceAccount:${email}` };
  },
};
