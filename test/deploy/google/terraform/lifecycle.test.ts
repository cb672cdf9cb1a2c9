import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { functions } from '../../../../functions/index.ts';
import { Access, accessRecordName } from '../../../../shared/api/access.ts';
import { readConfig } from '../../../../shared/config.ts';
import { type Plan, valuesOf } from './plan.ts';
import { isTerraformThere, openWorkspace, type Workspace } from './workspace.ts';

/** Everything that can be switched on. */
const all = {
  billing_account: '012345-567890-ABCDEF',
  budget: { amount: 99.5, currency: 'EUR' },
  detach_billing: true,
  keep_derived_days: 400,
  notify: ['lab@uni.example'],
  people: {
    ada: 'user:ada@uni.example',
    lab: 'group:lab@uni.example',
  },
  quota_caps: { vision: { service: 'vision.googleapis.com', quota_id: 'RequestsPerDay', value: 1000 } },
  repository: 'projects/lab-of-gaze/locations/europe-west4/connections/github/repositories/gazeline',
  roles: { ada: 'admin' },
  settings: { GAZELINE_EXCLUDE: '*.tmp', GAZELINE_IDLE_DELETE_AFTER: '30' },
};

(isTerraformThere ? describe : describe.skip)('a lab with everything', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await openWorkspace(all);
  });
  afterAll(() => workspace.close());
  const done = (action: string) =>
    workspace.done.filter((one) => one.action === action).map(({ type, name }) => `${type} ${name}`);

  test('is well formed and valid', async () => {
    await workspace.terraform('fmt', '-check', '-diff');
    await workspace.terraform('validate');
  }, 30_000);

  test('is made in an order in which each thing finds what it needs', async () => {
    await workspace.terraform('apply', '-auto-approve', '-parallelism=30');
    const made = done('create');
    const before = (one: string, other: string) => {
      expect(made).toContain(one);
      expect(made).toContain(other);
      expect(made.indexOf(one)).toBeLessThan(made.indexOf(other));
    };
    const run = 'google_cloudfunctions2_function file-sync';
    before('google_artifact_registry_repository gazeline', run);
    before('google_service_account gazeline-file-sync', run);
    before('google_project_iam_custom_role gazeline.file_sync.raw', run);
    before(run, 'google_pubsub_subscription file-sync');
    before('google_pubsub_topic dead-letters', 'google_pubsub_subscription file-sync');
    before(
      'google_pubsub_topic_iam_member raw-object',
      'google_storage_notification lab-of-gaze-gazeline-raw',
    );
    before(
      'google_logging_metric gazeline/failures',
      'google_monitoring_alert_policy Gazeline: a function fails',
    );
  }, 120_000);

  test('gives each function settings that it can read', async () => {
    const { values } = (await workspace.json('show', '-json')) as { values: Plan['planned_values'] };
    const made = valuesOf({ planned_values: values }, 'google_cloudfunctions2_function', 'function');
    const configs = [...made].map(([name, { service_config }]) => {
      const [{ environment_variables, secret_environment_variables: secrets }] = service_config;
      expect([name, secrets.length]).toEqual([name, ['drive-webhook', 'drive-tick'].includes(name) ? 1 : 0]);
      return readConfig(environment_variables);
    });
    expect(configs).toHaveLength(Object.keys(functions).length);
    for (const config of configs)
      expect(config).toMatchObject({
        budgets: ['de72f49d-779b-4945-a127-4d6ce8def0bb'],
        budgetAmount: 99.5,
        driveAccount: 'gazeline-drive@lab-of-gaze.iam.gserviceaccount.com',
        exclude: ['*.tmp'],
        webhookUrl: 'https://europe-west4-lab-of-gaze.cloudfunctions.net/drive-webhook',
        apiUrl: [
          'https://europe-west4-lab-of-gaze.cloudfunctions.net/api',
          'https://api-123456789012.europe-west4.run.app',
        ],
        detachProjects: ['lab-of-gaze'],
      });
  });

  test('lets people in: to the API alone, each by an account of their own, with their roles', async () => {
    const { values } = (await workspace.json('show', '-json')) as { values: Plan['planned_values'] };
    const made = { planned_values: values };
    const caller = (name: string) => `gazeline-for-${name}@lab-of-gaze.iam.gserviceaccount.com`;
    const invokers = [...valuesOf(made, 'google_cloud_run_v2_service_iam_member', 'caller').values()];
    expect(invokers.map(({ name, role, member }) => [name, role, member])).toEqual(
      ['ada', 'lab'].map((name) => ['api', 'roles/run.invoker', `serviceAccount:${caller(name)}`]),
    );
    const [file] = values.root_module.resources.filter(({ address }) => address.includes('.access['));
    expect(file?.values).toMatchObject({ name: accessRecordName, bucket: 'lab-of-gaze-gazeline-state' });
    expect(Access.parse(JSON.parse(file?.values.content)).members).toEqual({
      [caller('ada')]: { role: 'admin', person: 'ada@uni.example' },
      [caller('lab')]: { role: 'runner', person: 'lab@uni.example' },
    });
  });

  test('the build of a branch may look, and neither change anything nor read data or secrets', async () => {
    await workspace.terraform('plan', '-out=ci');
    const plan = (await workspace.json('show', '-json', 'ci')) as Plan;
    const role = valuesOf(plan, 'google_project_iam_custom_role', 'ci').get('plan');
    expect(role.permissions.filter((one: string) => !/\.(get|list|use|getIamPolicy)$/.test(one))).toEqual([]);
    expect(role.permissions.filter((one: string) => /objects|access/.test(one))).toEqual([]);
    const triggers = [...valuesOf(plan, 'google_cloudbuild_trigger', 'ci')].map(([action, values]) => ({
      action,
      ...{ account: values.service_account.split('/').at(-1), substitutions: values.substitutions },
      push: values.repository_event_config[0].push[0],
    }));
    const account = (id: string) => `${id}@lab-of-gaze.iam.gserviceaccount.com`;
    expect(triggers).toEqual([
      {
        ...{ action: 'apply', account: account('gazeline-ci-apply'), substitutions: { _ACTION: 'apply' } },
        push: expect.objectContaining({ branch: '^main$', invert_regex: false }),
      },
      {
        ...{ action: 'plan', account: account('gazeline-ci-plan'), substitutions: { _ACTION: 'plan' } },
        push: expect.objectContaining({ branch: '^main$', invert_regex: true }),
      },
    ]);
  }, 60_000);

  test('is left alone by a second plan', async () => {
    // 2 would say that something is to be changed.
    await workspace.terraform('plan', '-detailed-exitcode');
  }, 60_000);

  test('keeps the secret nowhere', async () => {
    await workspace.terraform('plan', '-out=plan');
    const kept = [
      await workspace.terraform('show', '-json'),
      await workspace.terraform('show', '-json', 'plan'),
    ];
    expect(kept.join()).toContain('gazeline-channel-secret');
    expect(kept.join()).not.toContain('a secret that must not be kept');
  }, 60_000);

  test('can be taken down without its data', async () => {
    const { data } = (await workspace.json('output', '-json')) as { data: { value: string[] } };
    await workspace.terraform('state', 'rm', ...data.value);
    await workspace.terraform('destroy', '-auto-approve', '-parallelism=30');
    const gone = done('delete').filter((one) => one.startsWith('google_storage_bucket '));
    expect(gone).toEqual(['google_storage_bucket lab-of-gaze-gazeline-packages']);
    expect(await workspace.terraform('state', 'list')).toBe('');
  }, 120_000);
});

(isTerraformThere ? test : test.skip).each([
  ['a folder that is none', { study_folder: 'x' }, /id at the end of the folder/],
  [
    'the secret among the settings',
    { settings: { GAZELINE_CHANNEL_SECRET: 'x' } },
    /the secret is not among them/,
  ],
  ['an address without its kind', { people: { ada: 'ada@uni.example' } }, /Expected user:/],
  [
    'a role that there is not',
    { people: { ada: 'user:ada@uni.example' }, roles: { ada: 'owner' } },
    /reader, runner or admin/,
  ],
  ['a role of nobody', { roles: { ada: 'admin' } }, /is not among the people/],
  ['a setting that is reckoned out', { settings: { GAZELINE_DRIVE_UNITS_PER_MINUTE: '9' } }, /reckoned out/],
])(
  '%s is refused in words',
  async (_what, variables, words) => {
    const workspace = await openWorkspace(variables);
    try {
      await expect(workspace.terraform('plan', '-no-color')).rejects.toThrow(words);
    } finally {
      await workspace.close();
    }
  },
  30_000,
);
