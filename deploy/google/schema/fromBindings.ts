import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attribute, Block, Schema, Type } from './schema.ts';

/*
 * What a provider accepts, read from its generated bindings for CDKTF (an npm package), for where the provider itself cannot
 * be had. They were made from the provider's own schema, and say of each argument its name, its type, whether it is a
 * block, and whether it must be given. They do not say which arguments the provider fills in if they are left out.
 */

/** @param type `google_pubsub_topic` @param folder of the package @param kind of the thing */
export function schemaFromBindings(
  type: string,
  folder: string,
  kind: 'resource' | 'data',
): Schema | undefined {
  const name = type.replace(/^google_/, '').replaceAll('_', '-');
  const library = join(folder, 'lib', kind === 'data' ? `data-google-${name}` : name);
  if (!existsSync(library)) return undefined;
  const code = readFileSync(join(library, 'index.js'), 'utf8');
  const declarations = readFileSync(join(library, 'index.d.ts'), 'utf8');
  const [, main = ''] =
    /class (\w+) extends cdktf\.Terraform(?:Resource|DataSource|Provider)/.exec(code) ?? [];
  const body = cut(code, `class ${main} extends`, '\nexports.');
  const synthesized = cut(body, 'synthesizeHclAttributes() {', '\n    }\n');
  const block = blockOf(synthesized, `${main}Config`, body, { code, declarations });
  return { version: 0, block };
}

type Sources = { code: string; declarations: string };

function blockOf(attributes: string, configuration: string, body: string, sources: Sources): Block {
  const block: Required<Block> = { attributes: {}, block_types: {} };
  const required = requiredIn(configuration, sources.declarations);
  const entry =
    /^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),\n(?: +type: "(\w+)",\n +storageClassType: "(\w+)",\n)?/gm;
  for (const [, name = '', value = '', isBlock, type, storage = ''] of attributes.matchAll(entry)) {
    const property = /(?:struct\.|this\._)(\w+)/.exec(value)?.[1] ?? '';
    const nested = nestedOf(value);
    const isGiven = required.has(property);
    if (isBlock === 'true' && nested) {
      const isSingle = name === 'timeouts';
      const isOne = !isSingle && !value.includes('listMapperHcl');
      block.block_types[name] = {
        nesting_mode: isSingle ? 'single' : type === 'set' ? 'set' : 'list',
        block: nestedBlock(nested, sources),
        ...(isGiven ? { min_items: 1 } : {}),
        ...(isOne ? { max_items: 1 } : {}),
      };
    } else {
      const isFilledIn = ['id', 'project'].includes(name) && !isGiven;
      block.attributes[name] = {
        type: typeOf(type, storage),
        ...(isGiven ? { required: true as const } : { optional: true as const }),
        ...(isFilledIn ? { computed: true as const } : {}),
        ...(name.endsWith('_wo') ? { write_only: true as const } : {}),
      };
    }
  }
  return { ...block, attributes: { ...computedIn(body, block), ...block.attributes } };
}

/** The name of the function that writes a nested block: `pubsubTopicSchemaSettings`. */
const nestedOf = (value: string): string | undefined =>
  [...value.matchAll(/(?<!cdktf\.)\b([a-z]\w+)ToHclTerraform\b/g)][0]?.[1];

function nestedBlock(name: string, sources: Sources): Block {
  const declared = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  const attributes = cut(sources.code, `function ${name}ToHclTerraform(struct`, '\n}\n');
  const body = cut(sources.code, `class ${declared}OutputReference extends`, '\nexports.');
  return blockOf(attributes, declared, body, sources);
}

/** What can only be read: `return this.getStringAttribute('unique_id')`. */
function computedIn(body: string, { attributes = {}, block_types = {} }: Block): Record<string, Attribute> {
  const getter = /return this\.get(\w+)Attribute\('(\w+)'\)/g;
  return Object.fromEntries(
    [...body.matchAll(getter)]
      .filter(([, , name = '']) => !(name in attributes) && !(name in block_types))
      .map(([, kind = '', name = '']) => [
        name,
        { type: readTypes[kind] ?? 'string', computed: true as const },
      ]),
  );
}

const readTypes: Record<string, Type> = {
  String: 'string',
  Number: 'number',
  Boolean: 'bool',
  List: ['list', 'string'],
  NumberList: ['list', 'number'],
};

const simple: Record<string, Type> = { string: 'string', number: 'number', boolean: 'bool' };

function typeOf(type: string | undefined, storage: string): Type {
  const item = simple[storage.replace(/(List|Map)$/, '')] ?? 'string';
  if (type === 'list' || type === 'set') return [type, item];
  if (type === 'map') return ['map', item];
  return item;
}

function requiredIn(name: string, declarations: string): Set<string> {
  const declared = cut(declarations, `export interface ${name} `, '\n}\n');
  return new Set([...declared.matchAll(/^ {4}readonly (\w+): /gm)].map(([, property = '']) => property));
}

/** From one text to the next after it. */
function cut(text: string, from: string, to: string): string {
  const start = text.indexOf(from);
  if (start < 0) return '';
  const end = text.indexOf(to, start);
  return text.slice(start, end < 0 ? undefined : end);
}
