/** A part of `terraform show -json PLAN`. https://developer.hashicorp.com/terraform/internals/json-format#plan-representation */
export type Plan = {
  resource_changes?: { address: string; type: string; change: { actions: string[] } }[];
};

/** What kinds of things are called where people read them, in the order in which they are told. */
const kinds: [RegExp, string, string][] = [
  [/^google_storage_bucket$/, 'bucket', 'buckets'],
  [/^google_cloudfunctions2_function$/, 'function', 'functions'],
  [/^google_pubsub_(topic|subscription)$/, 'topic or subscription', 'topics and subscriptions'],
  [/^google_cloud_scheduler_job$/, 'clock', 'clocks'],
  [/^google_storage_notification$/, 'notification of a bucket', 'notifications of buckets'],
  [/^google_service_account$/, 'account', 'accounts, one for each function'],
  [/^google_project_iam_custom_role$/, 'role', 'roles, with exactly what a function needs'],
  [/_iam_(member|binding|policy)$/, 'right', 'rights of these accounts'],
  [/^google_project_service$/, 'service of Google’s that is needed', 'services of Google’s that are needed'],
  [/^google_secret_manager_/, 'secret', 'parts of the secret that signs Drive’s messages'],
  [/^google_billing_budget$/, 'budget', 'budgets'],
  [/^google_(monitoring|logging)_/, 'alert or metric', 'alerts and what they measure'],
  [
    /^google_artifact_registry_repository$/,
    'store for the built functions',
    'stores for the built functions',
  ],
  [/^google_storage_bucket_object$/, 'package of a function', 'packages of functions'],
];

export type Counts = { make: number; change: number; replace: number; remove: number };

export function countsOf(plan: Plan): Counts {
  const counts: Counts = { make: 0, change: 0, replace: 0, remove: 0 };
  for (const { change } of plan.resource_changes ?? []) {
    const what = whatOf(change.actions);
    if (what) counts[what]++;
  }
  return counts;
}

/** In plain words, a line for each kind of thing, and each thing by name that holds data and would go. */
export function planInWords(plan: Plan): string {
  const lines: string[] = [];
  for (const [what, title] of titles) {
    const changes = (plan.resource_changes ?? []).filter(({ change }) => whatOf(change.actions) === what);
    if (changes.length === 0) continue;
    lines.push(title);
    const rest = new Map<string, number>(changes.map(({ address, type }) => [address, kindOf(type)]));
    for (const [index, [, one, many]] of kinds.entries()) {
      const count = [...rest.values()].filter((kind) => kind === index).length;
      if (count > 0) lines.push(`  ${String(count).padStart(3)} ${count === 1 ? one : many}`);
    }
    const others = [...rest.values()].filter((kind) => kind === -1).length;
    if (others > 0)
      lines.push(`  ${String(others).padStart(3)} ${others === 1 ? 'other thing' : 'other things'}`);
    if (what === 'remove' || what === 'replace')
      for (const { address } of changes.filter(({ type }) => type === 'google_storage_bucket'))
        lines.push(`      ${address}, with all that is in it`);
  }
  return lines.length > 0 ? lines.join('\n') : 'Nothing is to be done: everything is as it should be.';
}

const titles: [keyof Counts, string][] = [
  ['make', 'New:'],
  ['change', 'Changed in place:'],
  ['replace', 'Removed and made anew:'],
  ['remove', 'Removed:'],
];

const kindOf = (type: string) => kinds.findIndex(([pattern]) => pattern.test(type));

function whatOf(actions: string[]): keyof Counts | undefined {
  const [first, second] = actions;
  if (second) return 'replace';
  if (first === 'create') return 'make';
  if (first === 'update') return 'change';
  if (first === 'delete') return 'remove';
  return undefined;
}
