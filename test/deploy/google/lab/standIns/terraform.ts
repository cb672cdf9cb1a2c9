import { setTimeout as sleep } from 'node:timers/promises';
import { readWorld, recordAsked, writeWorld } from './world.ts';

const args = process.argv.slice(2).filter((arg) => !arg.startsWith('-chdir='));
recordAsked('terraform', args);
const [verb = ''] = args;
const world = readWorld();

/** What a lab of the stand-in has. */
const all: [string, string][] = [
  ...['raw', 'derived', 'state'].map((name): [string, string] => [
    `google_storage_bucket.${name}`,
    'google_storage_bucket',
  ]),
  ['google_service_account.drive', 'google_service_account'],
  ['google_project_service.needed["run.googleapis.com"]', 'google_project_service'],
  ...['annotate', 'drive-feed', 'file-sync'].map((name): [string, string] => [
    `google_cloudfunctions2_function.function["${name}"]`,
    'google_cloudfunctions2_function',
  ]),
  ['google_pubsub_topic.topic["file-changed"]', 'google_pubsub_topic'],
  [
    'google_cloud_run_v2_service_iam_member.public["drive-webhook"]',
    'google_cloud_run_v2_service_iam_member',
  ],
  ['google_logging_metric.failures', 'google_logging_metric'],
];
const emit = (event: object) =>
  console.log(JSON.stringify({ '@level': 'info', '@module': 'terraform.ui', ...event }));
const hook = ([addr, resource_type]: [string, string], action: string) => ({
  resource: { addr, resource_type },
  action,
});
const diagnostic = (summary: string, detail = '', address?: string) =>
  emit({
    '@level': 'error',
    type: 'diagnostic',
    diagnostic: { severity: 'error', summary, detail, address },
  });

if (verb === 'version') {
  console.log(
    JSON.stringify({
      terraform_version: process.env.STAND_IN_TERRAFORM ?? '1.11.4',
      terraform_outdated: false,
    }),
  );
} else if (verb === 'plan') {
  if (!process.env.TF_VAR_channel_secret || !process.env.GOOGLE_OAUTH_ACCESS_TOKEN) {
    diagnostic('No value for required variable');
    process.exit(1);
  }
  writeWorld({ ...world, answers: { ...world.answers, destroying: args.includes('-destroy') } });
  emit({ type: 'change_summary', changes: {} });
} else if (verb === 'show') {
  const isDestroy = world.answers.destroying === true;
  const change =
    (actions: string[]) =>
    ([address, type]: [string, string]) => ({ address, type, change: { actions } });
  const resource_changes = isDestroy
    ? all.filter(([address]) => world.made.includes(address)).map(change(['delete']))
    : all.map((one) => change([world.made.includes(one[0]) ? 'no-op' : 'create'])(one));
  console.log(JSON.stringify({ format_version: '1.2', resource_changes }));
} else if (verb === 'apply') {
  const isDestroy = world.answers.destroying === true;
  const open = all.filter(([address]) => world.made.includes(address) === isDestroy);
  const error = world.applyErrors.shift();
  writeWorld(world);
  let interrupted = false;
  process.on('SIGINT', () => {
    interrupted = true;
  });
  for (const [index, one] of open.entries()) {
    if (interrupted) {
      diagnostic('operation canceled');
      process.exit(1);
    }
    if (error && index === Math.floor(open.length / 2)) {
      diagnostic(error.summary, error.detail, one[0]);
      process.exit(1);
    }
    emit({ type: 'apply_start', hook: hook(one, isDestroy ? 'delete' : 'create') });
    await sleep(world.pace);
    const made = isDestroy ? world.made.filter((address) => address !== one[0]) : [...world.made, one[0]];
    world.made = made;
    const now = readWorld();
    for (const bucket of ['raw', 'derived', 'state'])
      if (one[0] === `google_storage_bucket.${bucket}` && !isDestroy)
        now.objects[`my-lab-gaze-gazeline-${bucket}`] ??= {};
    writeWorld({ ...now, made });
    emit({ type: 'apply_complete', hook: hook(one, isDestroy ? 'delete' : 'create') });
  }
} else if (verb === 'output') {
  const value = (it: unknown) => ({ sensitive: false, value: it });
  console.log(
    JSON.stringify({
      share_with: value('gazeline-drive@my-lab-gaze.iam.gserviceaccount.com'),
      buckets: value({
        raw: 'my-lab-gaze-gazeline-raw',
        derived: 'my-lab-gaze-gazeline-derived',
        state: 'my-lab-gaze-gazeline-state',
      }),
      data: value([
        'google_storage_bucket.raw',
        'google_storage_bucket.derived',
        'google_storage_bucket.state',
      ]),
    }),
  );
} else if (verb === 'state' && args[1] === 'list') {
  console.log(world.made.join('\n'));
} else if (verb === 'state' && args[1] === 'rm') {
  if (!world.made.includes(args[2] ?? '')) {
    console.error('Error: Invalid target address\n\nNo matching objects found.');
    process.exit(1);
  }
  writeWorld({ ...world, made: world.made.filter((address) => address !== args[2]) });
} else if (verb === 'import') {
  writeWorld({ ...world, made: [...world.made, args.at(-2) ?? ''] });
} else if (verb !== 'init') {
  console.error(`The stand-in does not know ${verb}`);
  process.exit(1);
}
