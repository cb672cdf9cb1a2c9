import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from '@babel/parser';
import type { Attribute, Block, ProviderSchema, Schema, Type } from './schema.ts';

/*
 * The bindings for CDKTF end with version 6 of the provider. Pulumi's (npm: @pulumi/gcp 9) are made from 7, but say less: not
 * what is a block, nor how often. So they are laid over a schema of 6: what they do not have goes, what they demand is
 * required, what can only be read can only be read, and what has another type has that. What came with 7 is left out.
 */

/** Where Pulumi has what Terraform calls so: a file, without its ending. */
const files: Record<string, string> = {
  google_artifact_registry_repository: 'artifactregistry/repository',
  google_artifact_registry_repository_iam_member: 'artifactregistry/repositoryIamMember',
  google_billing_account_iam_member: 'billing/accountIamMember',
  google_billing_budget: 'billing/budget',
  google_cloud_quotas_quota_preference: 'cloudquota/squotaPreference',
  google_cloud_run_v2_service_iam_member: 'cloudrunv2/serviceIamMember',
  google_cloud_scheduler_job: 'cloudscheduler/job',
  google_cloudbuild_trigger: 'cloudbuild/trigger',
  google_cloudfunctions2_function: 'cloudfunctionsv2/function',
  google_logging_metric: 'logging/metric',
  google_monitoring_alert_policy: 'monitoring/alertPolicy',
  google_monitoring_notification_channel: 'monitoring/notificationChannel',
  google_project: 'organizations/getProject',
  google_project_iam_custom_role: 'projects/iamcustomRole',
  google_project_iam_member: 'projects/iammember',
  google_project_service: 'projects/service',
  google_pubsub_subscription: 'pubsub/subscription',
  google_pubsub_subscription_iam_member: 'pubsub/subscriptionIAMMember',
  google_pubsub_topic: 'pubsub/topic',
  google_pubsub_topic_iam_member: 'pubsub/topicIAMMember',
  google_secret_manager_secret: 'secretmanager/secret',
  google_secret_manager_secret_iam_member: 'secretmanager/secretIamMember',
  google_secret_manager_secret_version: 'secretmanager/secretVersion',
  google_service_account: 'serviceaccount/account',
  google_service_account_iam_member: 'serviceaccount/iammember',
  google_storage_bucket: 'storage/bucket',
  google_storage_bucket_iam_member: 'storage/bucketIAMMember',
  google_storage_bucket_object: 'storage/bucketObject',
  google_storage_notification: 'storage/notification',
  google_storage_project_service_account: 'storage/getProjectServiceAccount',
};

/** @returns the schema, and in words what has become different by it */
export function lay(folder: string, under: ProviderSchema): { schema: ProviderSchema; changes: string[] } {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const changes: string[] = [];
  const nested = interfacesIn(join(folder, 'types/input.d.ts'));
  const over = (type: string, { version: of, block }: Schema, file: string): Schema => {
    const path = join(folder, `${file}.d.ts`);
    if (!existsSync(path)) throw new Error(`${name} ${version} has no ${type}: ${file}`);
    const declared = interfacesIn(path);
    const [args = {}] = Object.entries(declared).flatMap(([of, members]) =>
      /Args$/.test(of) ? [members] : [],
    );
    const [read = {}] = Object.entries(declared).flatMap(([of, members]) =>
      /^class |Result$/.test(of) ? [members] : [],
    );
    return { version: of, block: layBlock(type, block, { args, read, nested, changes }) };
  };
  const all = (schemas: Record<string, Schema>) =>
    Object.fromEntries(
      Object.entries(schemas).map(([type, schema]) => [type, over(type, schema, files[type] ?? type)]),
    );
  const schema = {
    source: `${under.source.replace(/, under .*/, '')}, under ${name} ${version}`,
    version: `${under.version.replace(/, .*/, '')}, less what 7 has no more`,
    provider: over('provider', under.provider, 'provider'),
    resource: all(under.resource),
    data: all(under.data),
  };
  return { schema, changes };
}

/** A member as it is declared. */
type Member = { isRequired: boolean; isRead: boolean; scalar?: Type; of?: string };
type Members = Record<string, Member>;
type Over = { args: Members; read: Members; nested: Record<string, Members>; changes: string[] };

function layBlock(path: string, { attributes = {}, block_types = {} }: Block, over: Over): Block {
  const { args, read, nested, changes } = over;
  const kept: Required<Block> = { attributes: {}, block_types: {} };
  for (const [name, attribute] of Object.entries(attributes)) {
    const given = find(args, name);
    const laid =
      given && !given.isRead ? layAttribute(attribute, given) : layRead(attribute, given ?? find(read, name));
    // Every resource has an id, which Pulumi keeps to itself.
    const now = name === 'id' ? attribute : laid;
    if (!isDeepStrictEqual(now, attribute))
      changes.push(`${path}.${name}: ${JSON.stringify(attribute)} -> ${JSON.stringify(now ?? 'gone')}`);
    if (now) kept.attributes[name] = now;
  }
  for (const [name, one] of Object.entries(block_types)) {
    // How long may be waited is Pulumi's own business.
    if (name === 'timeouts') {
      kept.block_types[name] = one;
      continue;
    }
    const member = find(args, name);
    if (!member?.of || member.isRead) {
      changes.push(`${path}.${name}: a block -> gone`);
      continue;
    }
    const inside = { ...over, args: nested[member.of] ?? {}, read: {} };
    const isNew = member.isRequired && !one.min_items;
    if (isNew) changes.push(`${path}.${name}: required`);
    kept.block_types[name] = {
      ...one,
      block: layBlock(`${path}.${name}`, one.block, inside),
      ...(member.isRequired ? { min_items: Math.max(one.min_items ?? 0, 1) } : {}),
    };
  }
  return kept;
}

function layAttribute(attribute: Attribute, { isRequired, scalar }: Member): Attribute {
  const { optional, required, ...more } = attribute;
  const isOfOtherType = scalar !== undefined && typeof attribute.type === 'string';
  return {
    ...more,
    type: isOfOtherType ? scalar : attribute.type,
    ...(isRequired || required ? { required: true as const } : optional ? { optional } : {}),
  };
}

/** What is only read now. */
function layRead(attribute: Attribute, member: Member | undefined): Attribute | undefined {
  if (!member) return undefined;
  const { optional, required, ...more } = attribute;
  return { ...more, computed: true };
}

/** Pulumi writes names in camel case, and lists in the plural. */
function find(members: Members, name: string): Member | undefined {
  const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const names = [camel, `${camel}s`, `${camel}es`, camel.replace(/y$/, 'ies')];
  return names.map((one) => members[one]).find((member) => member !== undefined);
}

// biome-ignore lint/suspicious/noExplicitAny: nodes of Babel's tree, of which only some kinds are looked for
type Node = any;

/** By name (`pubsub.SubscriptionPushConfig` in a namespace), and of a class, `class Bucket`, what can be read of it. */
function interfacesIn(file: string): Record<string, Members> {
  const { program } = parse(readFileSync(file, 'utf8'), {
    sourceType: 'module',
    plugins: [['typescript', { dts: true }]],
  });
  const found: Record<string, Members> = {};
  const visit = (node: Node, prefix: string): void => {
    const one = node.declaration ?? node;
    if (one.type === 'TSModuleDeclaration')
      for (const inner of one.body.body) visit(inner, `${prefix}${one.id.name}.`);
    if (one.type === 'TSInterfaceDeclaration') found[`${prefix}${one.id.name}`] = membersOf(one.body.body);
    if (one.type === 'ClassDeclaration') found[`class ${one.id.name}`] = membersOf(one.body.body);
  };
  for (const node of program.body) visit(node, '');
  return found;
}

function membersOf(nodes: Node[]): Members {
  return Object.fromEntries(
    nodes
      .filter(({ type, static: isStatic }) => /^(TSPropertySignature|ClassProperty)$/.test(type) && !isStatic)
      .map((node): [string, Member] => {
        const words = (node.leadingComments ?? []).map(({ value }: Node) => value).join();
        const type = unwrap(node.typeAnnotation?.typeAnnotation);
        return [
          node.key.name ?? node.key.value,
          { isRequired: !node.optional, isRead: /\(Output\)/.test(words), ...type },
        ];
      }),
  );
}

const scalars: Record<string, Type> = {
  TSStringKeyword: 'string',
  TSNumberKeyword: 'number',
  TSBooleanKeyword: 'bool',
};

/** `pulumi.Input<pulumi.Input<inputs.storage.BucketCor>[] | undefined>` is `storage.BucketCor`. */
function unwrap(node: Node): { scalar?: Type; of?: string } {
  if (!node) return {};
  const scalar = scalars[node.type];
  if (scalar) return { scalar };
  if (node.type === 'TSUnionType') {
    const types = node.types.filter(({ type }: Node) => type !== 'TSUndefinedKeyword');
    return types.length === 1 ? unwrap(types[0]) : {};
  }
  if (node.type === 'TSArrayType') {
    const { of } = unwrap(node.elementType);
    return of === undefined ? {} : { of };
  }
  if (node.type !== 'TSTypeReference') return {};
  const words = nameOf(node.typeName);
  const [argument] = (node.typeArguments ?? node.typeParameters)?.params ?? [];
  if (argument) return unwrap(argument);
  return words.startsWith('inputs.') ? { of: words.slice('inputs.'.length) } : {};
}

const nameOf = (node: Node): string =>
  node.type === 'TSQualifiedName' ? `${nameOf(node.left)}.${nameOf(node.right)}` : node.name;
