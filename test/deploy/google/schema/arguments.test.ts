import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readSchema } from '../../../../deploy/google/schema/read.ts';
import type { Block } from '../../../../deploy/google/schema/schema.ts';
import { type Read, readTerraform } from './readTerraform.ts';

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

function faultsOf(text: string): string[] {
  return readTerraform(text).flatMap((read) => {
    const [type = ''] = read.labels;
    if (read.type === 'provider') return faultsIn(schema.provider.block, read, type);
    if (read.type !== 'resource' && read.type !== 'data') return [];
    const found = schema[read.type][type];
    if (!found) return [`${type}: there is no such ${read.type}`];
    const { block } = found;
    const attributes = { ...block.attributes, ...ofEveryResource.attributes };
    const blocks = read.blocks.filter((one) => one.type !== 'lifecycle');
    return faultsIn({ ...block, attributes }, { ...read, blocks }, read.labels.join('.'));
  });
}

function faultsIn({ attributes = {}, block_types = {} }: Block, read: Read, path: string): string[] {
  const faults: string[] = [];
  for (const name of read.arguments) {
    const known = attributes[name];
    if (!known) faults.push(`${path}.${name}: there is no such argument`);
    else if (!known.required && !known.optional) faults.push(`${path}.${name}: can only be read`);
  }
  for (const [name, { required }] of Object.entries(attributes))
    if (required && !read.arguments.includes(name)) faults.push(`${path}.${name}: is missing`);
  const counts = new Map<string, number>();
  for (const one of read.blocks) {
    const isDynamic = one.type === 'dynamic';
    const name = isDynamic ? (one.labels[0] ?? '') : one.type;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const content = isDynamic ? one.blocks.find(({ type }) => type === 'content') : one;
    const known = block_types[name];
    if (known && content) faults.push(...faultsIn(known.block, content, `${path}.${name}`));
    else faults.push(`${path}.${name}: there is no such block`);
  }
  for (const [name, { min_items = 0, max_items = Number.POSITIVE_INFINITY }] of Object.entries(block_types)) {
    const count = counts.get(name) ?? 0;
    if (count < min_items) faults.push(`${path}.${name}: is missing`);
    if (count > max_items) faults.push(`${path}.${name}: more than ${max_items}`);
  }
  return faults;
}

test.each(files)(`%s has nothing that the provider does not know, and all that it needs`, (file) => {
  expect(faultsOf(textOf(file))).toEqual([]);
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
  ['topics.tf', '  retry_policy {', '  retries {', 'retries: there is no such block'],
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
])('%s: %j written as %j is found', (file, from, to, words) => {
  const text = textOf(file);
  expect(text).toContain(from);
  expect(faultsOf(text.replace(from, to)).join('\n')).toContain(words);
});

test.each([
  ['resource "a" "b" {\n    name = 1\n}', 'Line 2'],
  ['resource "a" "b" {\n  name\n}', 'Line 2'],
  ['resource "a" "b" {\n  name = [1,\n}', 'not closed'],
  ['resource "a" "b" {\n  name = "x\n}', 'not closed'],
])('what is not as terraform fmt writes it is not guessed at: %j', (text, words) => {
  expect(() => readTerraform(text)).toThrow(words);
});

test('a string with names, braces and lines in it is one string', () => {
  const inside = '$' + '{join("}, ", [for one in ["{"] :\n one])}';
  const text = `locals {\n  a = "x ${inside} \\" # y" # z\n  b = {\n    c = 1\n  }\n  d {}\n}`;
  const d = { type: 'd', labels: [], arguments: [], blocks: [] };
  expect(readTerraform(text)).toMatchObject([{ type: 'locals', arguments: ['a', 'b'], blocks: [d] }]);
});
