import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@cdktn/hcl2json';
import { expect, test } from '@jest/globals';
import { readSchema } from '../../../../deploy/google/schema/read.ts';
import type { Block } from '../../../../deploy/google/schema/schema.ts';

/*
 * Every resource, argument and block of `terraform/` is one that the provider knows, and those that must be there are: also
 * where Terraform is not installed. Where it is, it finds more (`../terraform/arguments.test.ts`).
 */
const folder = join(import.meta.dirname, '../../../../deploy/google/terraform');
const files = readdirSync(folder).filter((name) => name.endsWith('.tf'));
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');
const schema = readSchema();

/** Terraform's own. https://developer.hashicorp.com/terraform/language/meta-arguments */
const ofEveryResource: Block = {
  attributes: Object.fromEntries(
    ['count', 'for_each', 'depends_on', 'provider'].map((name) => [
      name,
      { type: 'dynamic', optional: true },
    ]),
  ),
};

/** What a block holds: values of arguments and, under the names of their types, lists of blocks. */
type Held = Record<string, unknown>;

async function faultsOf(file: string, text: string): Promise<string[]> {
  const { provider = {}, resource = {}, data = {} } = await parse(file, text);
  const faults = blocksOf(provider.google).flatMap((held) => faultsIn(schema.provider.block, held, 'google'));
  for (const [kind, types] of Object.entries({ resource, data }))
    for (const [type, named] of Object.entries(types as Record<string, Held>)) {
      const found = schema[kind as 'resource' | 'data'][type];
      if (!found) faults.push(`${type}: there is no such ${kind}`);
      const { block } = found ?? {};
      const attributes = { ...block?.attributes, ...ofEveryResource.attributes };
      for (const [name, blocks] of Object.entries(found ? named : {}))
        for (const { lifecycle: _, ...held } of blocksOf(blocks))
          faults.push(...faultsIn({ ...block, attributes }, held, `${type}.${name}`));
    }
  return faults;
}

const blocksOf = (value: unknown) => (Array.isArray(value) ? (value as Held[]) : []);

function faultsIn({ attributes = {}, block_types = {} }: Block, held: Held, path: string): string[] {
  const faults: string[] = [];
  const { dynamic = {}, ...rest } = held;
  const blocks = Object.entries(dynamic as Held).flatMap(([name, many]) =>
    blocksOf(many).flatMap(({ content }) => blocksOf(content).map((one): [string, Held] => [name, one])),
  );
  for (const [name, value] of Object.entries(rest)) {
    const known = attributes[name];
    if (block_types[name] && Array.isArray(value))
      blocks.push(...blocksOf(value).map((one): [string, Held] => [name, one]));
    else if (!known) faults.push(`${path}.${name}: there is no such argument, nor such a block`);
    else if (!known.required && !known.optional) faults.push(`${path}.${name}: can only be read`);
  }
  for (const [name, { required }] of Object.entries(attributes))
    if (required && !(name in rest)) faults.push(`${path}.${name}: is missing`);
  for (const [name, one] of blocks) {
    const known = block_types[name];
    if (known) faults.push(...faultsIn(known.block, one, `${path}.${name}`));
    else faults.push(`${path}.${name}: there is no such block`);
  }
  for (const [name, { min_items = 0, max_items = Number.POSITIVE_INFINITY }] of Object.entries(block_types)) {
    const count = blocks.filter(([called]) => called === name).length;
    if (count < min_items) faults.push(`${path}.${name}: is missing`);
    if (count > max_items) faults.push(`${path}.${name}: more than ${max_items}`);
  }
  return faults;
}

test.each(files)(`%s has nothing that the provider does not know, and all that it needs`, async (file) => {
  expect(await faultsOf(file, textOf(file))).toEqual([]);
});

test('it is the provider of version 7 that is asked for, and held against', () => {
  expect(textOf('versions.tf')).toContain('version = ">= 7.0, < 8.0"');
  const { service_config, event_trigger } =
    schema.resource.google_cloudfunctions2_function?.block.block_types ?? {};
  // https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/version_7_upgrade
  expect(service_config?.block.attributes?.service).toEqual({ type: 'string', computed: true });
  expect(event_trigger?.block.attributes?.event_type?.required).toBe(true);
  const { retention_policy } = schema.resource.google_storage_bucket?.block.block_types ?? {};
  expect(retention_policy?.block.attributes?.retention_period?.type).toBe('string');
});

test.each([
  ['functions.tf', 'entry_point ', 'entry_pont ', 'build_config.entry_pont: there is no such argument'],
  ['functions.tf', 'max_instance_count ', 'max_instances ', 'service_config.max_instances: there is no such'],
  ['functions.tf', 'available_cpu  ', 'service        ', 'service_config.service: can only be read'],
  [
    'functions.tf',
    '  service_config {',
    '  event_trigger {\n  }\n\n  service_config {',
    'event_type: is missing',
  ],
  ['topics.tf', 'audience ', 'audiance ', 'push_config.oidc_token.audiance: there is no such argument'],
  [
    'topics.tf',
    'maximum_backoff',
    'maximum_backof',
    'retry_policy.maximum_backof: there is no such argument',
  ],
  ['topics.tf', '  retry_policy {', '  retries {', 'retries: there is no such argument, nor such a block'],
  ['buckets.tf', '"google_storage_notification"', '"google_storage_notice"', 'there is no such resource'],
  [
    'buckets.tf',
    'dynamic "lifecycle_rule"',
    'dynamic "lifecycle_rules"',
    'lifecycle_rules: there is no such block',
  ],
  ['budget.tf', 'threshold_percent =', 'threshold =', 'threshold_rules.threshold_percent: is missing'],
  ['schedules.tf', '  pubsub_target {', '  pubsub_target {\n  }\n\n  pubsub_target {', 'more than 1'],
  ['secrets.tf', '  secret_id  = "gazeline-channel-secret"', '  # no secret_id', 'secret_id: is missing'],
  ['versions.tf', 'user_project_override', 'user_projects_override', 'google.user_projects_override: there'],
])('%s: %j written as %j is found', async (file, from, to, words) => {
  const text = textOf(file);
  expect(text).toContain(from);
  expect((await faultsOf(file, text.replace(from, to))).join('\n')).toContain(words);
});

test('what is no Terraform is not guessed at', async () => {
  await expect(faultsOf('a.tf', 'resource "a" "b" {\n  name = [1,\n}')).rejects.toThrow('a.tf:3');
});
