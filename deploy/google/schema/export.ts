import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { schemaFromBindings } from './fromBindings.ts';
import { lay } from './fromPulumi.ts';
import { readSchema } from './read.ts';
import type { ProviderSchema, Schema } from './schema.ts';

/*
 * Writes `google.json.gz`: what the Google provider accepts, of the resources that `terraform/` uses, for checks where the
 * provider is not installed.
 *
 *   node deploy/google/schema/export.ts                      from the provider, after `terraform init`
 *   node deploy/google/schema/export.ts --bindings FOLDER    from the unpacked npm package @cdktf/provider-google
 *   node deploy/google/schema/export.ts --pulumi FOLDER      from what is there, under the unpacked npm package @pulumi/gcp
 */
const { values } = parseArgs({ options: { bindings: { type: 'string' }, pulumi: { type: 'string' } } });
const terraform = fileURLToPath(new URL('../terraform', import.meta.url));
const used = usedIn(terraform);
const schema = values.bindings
  ? fromBindings(values.bindings)
  : values.pulumi
    ? fromPulumi(values.pulumi)
    : fromProvider();
for (const [kind, types] of Object.entries(used))
  for (const type of types)
    if (!schema[kind as keyof typeof used][type]) throw new Error(`${schema.source} has no ${kind} ${type}`);
writeFileSync(
  fileURLToPath(new URL('google.json.gz', import.meta.url)),
  gzipSync(JSON.stringify(schema), { level: 9 }),
);

function fromBindings(folder: string): ProviderSchema {
  const { name, version, cdktf } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const all = (kind: 'resource' | 'data', types: string[]) =>
    Object.fromEntries(
      types.flatMap((type): [string, Schema][] => {
        const found = schemaFromBindings(type, folder, kind);
        return found ? [[type, found]] : [];
      }),
    );
  return {
    source: `${name} ${version}`,
    version: cdktf.provider.version,
    provider: schemaFromBindings('provider', folder, 'resource') as Schema,
    resource: all('resource', used.resource),
    data: all('data', used.data),
  };
}

function fromPulumi(folder: string): ProviderSchema {
  const { schema, changes } = lay(folder, readSchema());
  console.log(changes.join('\n'));
  return schema;
}

function fromProvider(): ProviderSchema {
  const run = (...args: string[]) =>
    JSON.parse(execFileSync('terraform', args, { cwd: terraform, maxBuffer: 1 << 29, encoding: 'utf8' }));
  const address = 'registry.terraform.io/hashicorp/google';
  const { provider, resource_schemas, data_source_schemas } = run('providers', 'schema', '-json')
    .provider_schemas[address];
  const cut = (schemas: Record<string, Schema>, types: string[]) =>
    Object.fromEntries(types.map((type) => [type, schemas[type] as Schema]));
  return {
    source: address,
    version: run('version', '-json').provider_selections[address] ?? 'a development version',
    provider,
    resource: cut(resource_schemas, used.resource),
    data: cut(data_source_schemas, used.data),
  };
}

function usedIn(folder: string) {
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.tf'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const types = (kind: string) => [
    ...new Set([...text.matchAll(new RegExp(`^${kind} "(\\w+)"`, 'gm'))].map(([, type = '']) => type)),
  ];
  return { resource: types('resource').sort(), data: types('data').sort() };
}
