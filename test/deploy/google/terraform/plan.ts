/** What `terraform show -json` says of a plan. https://developer.hashicorp.com/terraform/internals/json-format */
export type Plan = { planned_values: { root_module: { resources: Resource[] } } };
// biome-ignore lint/suspicious/noExplicitAny: it has whatever the provider's schema says.
export type Resource = { address: string; type: string; name: string; index?: string; values: any };

/** All that a plan makes, by its address. */
export const resourcesOf = (plan: Plan) =>
  new Map(plan.planned_values.root_module.resources.map((resource) => [resource.address, resource]));

/** The values of a resource, by what its `for_each` counts. */
export function valuesOf(plan: Plan, type: string, name: string): Map<string, Resource['values']> {
  const { resources } = plan.planned_values.root_module;
  return new Map(
    resources
      .filter((resource) => resource.type === type && resource.name === name)
      .map(({ index, values }) => [index ?? '', values]),
  );
}

type Granted = { to: string; permission: string; on: string; condition?: string };

/** Every role that we rely on without having made it: what is in it. https://cloud.google.com/iam/docs/roles-permissions */
const predefined: Record<string, string[]> = {
  'roles/pubsub.publisher': ['pubsub.topics.publish'],
};

/** What the plan lets the accounts of functions do, whichever of its resources says so. */
export function granted(plan: Plan): Granted[] {
  const { resources } = plan.planned_values.root_module;
  const accounts = new Map(
    [...valuesOf(plan, 'google_service_account', 'function')].map(([name, { member }]) => [member, name]),
  );
  const roles = new Map(
    resources
      .filter(({ type }) => type === 'google_project_iam_custom_role')
      .map(({ values }) => [`projects/lab-of-gaze/roles/${values.role_id}`, values.permissions as string[]]),
  );
  // Those would take a role from everybody else, and give it to several at once.
  const others = resources.filter(({ type }) => /_iam_(binding|policy)$/.test(type));
  if (others.length > 0) throw new Error(`${others[0]?.address} is not looked at here`);
  return resources.flatMap(({ type, address, values }) => {
    const to = accounts.get(values.member);
    if (!to || type === 'google_service_account') return [];
    const permissions = roles.get(values.role) ?? predefined[values.role];
    if (!permissions) throw new Error(`${address} gives ${values.role}, of which is not known what is in it`);
    const on = placeOf(type, values);
    const [condition] = values.condition ?? [];
    return permissions.map((permission) => ({
      ...{ to, permission, on },
      ...(condition ? { condition: condition.expression } : {}),
    }));
  });
}

function placeOf(type: string, values: Resource['values']): string {
  const [, kind = ''] = /^google_(\w+)_iam_member$/.exec(type) ?? [];
  const places: Record<string, string> = {
    project: `project ${values.project}`,
    storage_bucket: `bucket ${values.bucket}`,
    pubsub_topic: `topic ${values.topic}`,
    service_account: `account ${values.service_account_id}`,
    secret_manager_secret: `secret ${values.secret_id}`,
  };
  const place = places[kind];
  if (!place) throw new Error(`${type} gives something to a function, at a place that is not known here`);
  return place;
}
