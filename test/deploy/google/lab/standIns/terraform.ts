import { setTimeout as sleep } from 'node:timers/promises';
import { everything as all } from './everything.ts';
import { readWorld, recordAsked, writeWorld } from './world.ts';

const args = process.argv.slice(2).filter((arg) => !arg.startsWith('-chdir='));
recordAsked('terraform', args);
const [verb = ''] = args;
const world = readWorld();

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

const planned = () =>
  world.answers.planned as { isDestroy: boolean; isDataLoose: boolean; targets: string[] };
const bucketOf = (address: string) => {
  const [, kind] = /^google_storage_bucket\.(\w+)$/.exec(address) ?? [];
  return kind && `my-lab-gaze-gazeline-${kind}`;
};
/** By the last plan; nothing for what is not in it. */
function actionFor([address]: [string, string]): string | undefined {
  const { isDestroy, isDataLoose, targets } = planned();
  const isMade = world.made.includes(address);
  if (targets.length > 0 && !targets.includes(address)) return undefined;
  if (isDestroy) return isMade ? 'delete' : undefined;
  if (!isMade) return 'create';
  return bucketOf(address) && isDataLoose !== world.isDataLoose ? 'update' : 'no-op';
}

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
  const planned = {
    isDestroy: args.includes('-destroy'),
    isDataLoose: args.includes('-var=delete_data=true'),
    targets: args.filter((arg) => arg.startsWith('-target=')).map((arg) => arg.slice('-target='.length)),
  };
  writeWorld({ ...world, answers: { ...world.answers, planned } });
  emit({ type: 'change_summary', changes: {} });
} else if (verb === 'show') {
  const resource_changes = all.flatMap((one) => {
    const action = actionFor(one);
    const [address, type] = one;
    return action === undefined ? [] : [{ address, type, change: { actions: [action] } }];
  });
  console.log(JSON.stringify({ format_version: '1.2', resource_changes }));
} else if (verb === 'apply') {
  const open = all.filter((one) => ![undefined, 'no-op'].includes(actionFor(one)));
  const { isDataLoose, isDestroy } = planned();
  // What needs another thing goes before it.
  if (isDestroy) open.reverse();
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
    const [address] = one;
    const action = actionFor(one) ?? '';
    emit({ type: 'apply_start', hook: hook(one, action) });
    await sleep(world.pace);
    const now = readWorld();
    const bucket = bucketOf(address);
    if (bucket && action === 'delete') {
      if (!now.isDataLoose && Object.keys(now.objects[bucket] ?? {}).length > 0) {
        const why = 'containing objects without `force_destroy` set to true';
        diagnostic(`Error trying to delete bucket ${bucket} ${why}`, '', address);
        process.exit(1);
      }
      delete now.objects[bucket];
    }
    if (bucket && action === 'create') now.objects[bucket] ??= {};
    if (action === 'create') now.made.push(address);
    if (action === 'delete') now.made = now.made.filter((other) => other !== address);
    writeWorld({ ...now, ...(action === 'update' ? { isDataLoose } : {}) });
    emit({ type: 'apply_complete', hook: hook(one, action) });
  }
} else if (verb === 'output' && world.made.length === 0) {
  // As Terraform's own, which go first when all is destroyed.
  console.log('{}');
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
    }),
  );
} else if (verb === 'state' && args[1] === 'list') {
  console.log(world.made.join('\n'));
} else if (verb === 'state' && args[1] === 'rm') {
  const addresses = args.slice(2);
  if (!addresses.every((address) => world.made.includes(address))) {
    console.error('Error: Invalid target address\n\nNo matching objects found.');
    process.exit(1);
  }
  writeWorld({ ...world, made: world.made.filter((address) => !addresses.includes(address)) });
} else if (verb === 'import') {
  writeWorld({ ...world, made: [...world.made, args.at(-2) ?? ''] });
} else if (verb !== 'init') {
  console.error(`The stand-in does not know ${verb}`);
  process.exit(1);
}
