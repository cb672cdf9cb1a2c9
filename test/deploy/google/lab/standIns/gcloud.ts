import { readFileSync, writeFileSync } from 'node:fs';
import { readWorld, recordAsked, writeWorld } from './world.ts';

const args = process.argv.slice(2).filter((arg) => arg !== '--quiet');
recordAsked('gcloud', args);
const world = readWorld();
const words = args.filter((arg) => !arg.startsWith('--'));
const is = (...command: string[]) => command.every((word, index) => words[index] === word);
const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const isJson = flag('format') === 'json';

function print(value: unknown): never {
  console.log(isJson ? JSON.stringify(value) : value);
  process.exit(0);
}
function fail(message: string): never {
  console.error(`ERROR: (gcloud.${words.slice(0, 3).join('.')}) ${message}`);
  process.exit(1);
}
const parsed = (url: string) => /^gs:\/\/([^/]+)(?:\/(.*))?$/.exec(url) ?? [];

for (const [command, answer] of Object.entries(world.answers))
  if (args.join(' ').startsWith(command)) print(answer);

if (args[0] === '--version') print('Google Cloud SDK 528.0.0');
if (is('auth', 'list')) print(world.account);
if (is('auth', 'print-access-token')) {
  if (flag('impersonate-service-account')) fail('PERMISSION_DENIED: Failed to impersonate');
  print('a-token-of-the-stand-in');
}
if (is('projects', 'list')) print(world.projects);
if (is('projects', 'describe')) {
  const project = world.projects.find(({ projectId }) => projectId === words[2]);
  if (project) print(project);
  fail(
    `[${world.account}] does not have permission to access projects instance [${words[2]}] (or it may not exist): The caller does not have permission. This command is authenticated as ${world.account}.`,
  );
}
if (is('projects', 'get-iam-policy'))
  print({ bindings: [{ role: 'roles/owner', members: world.owners.map((owner) => `user:${owner}`) }] });
if (is('billing', 'projects', 'describe')) {
  const account = world.billing[words[3] ?? ''];
  print({
    billingEnabled: account !== undefined,
    billingAccountName: account ? `billingAccounts/${account}` : '',
  });
}
if (is('billing', 'accounts', 'list'))
  print([{ name: 'billingAccounts/0A0A0A-1B1B1B-2C2C2C', displayName: 'Faculty of Psychology' }]);
if (is('billing', 'accounts', 'describe')) print({ currencyCode: world.currency });
if (is('resource-manager', 'org-policies', 'describe'))
  print(world.isPublicForbidden ? { listPolicy: { allowedValues: ['C01abcde'] } } : {});
if (is('services', 'enable')) print('');
if (is('pubsub', 'topics', 'publish')) {
  for (const path of world.arriving.shift() ?? []) {
    const [bucket = '', ...name] = path.split('/');
    world.objects[bucket] = { ...world.objects[bucket], [name.join('/')]: '[]' };
  }
  writeWorld(world);
  print({ messageIds: ['1'] });
}
if (is('storage', 'buckets', 'describe')) {
  const [, bucket = ''] = parsed(words[3] ?? '');
  if (world.objects[bucket]) print(bucket);
  fail(`gs://${bucket} not found: 404.`);
}
if (is('storage', 'buckets', 'create')) {
  const [, bucket = ''] = parsed(words[3] ?? '');
  world.objects[bucket] = {};
  writeWorld(world);
  print('');
}
if (is('storage', 'buckets', 'update')) print('');
if (is('storage', 'cp')) {
  const [, bucket = '', name = ''] = parsed(words[3] ?? '');
  if (!bucket) {
    const [, from = '', file = ''] = parsed(words[2] ?? '');
    const contents = world.objects[from]?.[file];
    if (contents === undefined) fail('The following URLs matched no objects or files:');
    writeFileSync(words[3] ?? '', contents);
    print('');
  }
  world.objects[bucket] = { ...world.objects[bucket], [name]: readFileSync(words[2] ?? '', 'utf8') };
  writeWorld(world);
  print('');
}
if (is('storage', 'cat')) {
  const [, bucket = '', name = ''] = parsed(words[2] ?? '');
  const contents = world.objects[bucket]?.[name];
  if (contents === undefined) fail(`The following URLs matched no objects or files:\n${words[2]}`);
  console.log(contents);
  process.exit(0);
}
if (is('storage', 'objects', 'describe')) {
  const [, bucket = '', name = ''] = parsed(words[3] ?? '');
  if (world.objects[bucket]?.[name] !== undefined) print(name);
  fail(`gs://${bucket}/${name} not found: 404.`);
}
if (is('storage', 'objects', 'list')) {
  const [, bucket = '', pattern = ''] = parsed(words[3] ?? '');
  const prefix = pattern.replace('**', '');
  print(
    Object.keys(world.objects[bucket] ?? {})
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ name })),
  );
}
fail(`Invalid choice: '${words.join(' ')}'. The stand-in does not know it.`);
