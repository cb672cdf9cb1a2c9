import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { lay } from '../../../../deploy/google/schema/fromPulumi.ts';
import type { Block } from '../../../../deploy/google/schema/schema.ts';

/** As the package has it: https://www.npmjs.com/package/@pulumi/gcp */
const files = {
  'package.json': '{ "name": "@pulumi/gcp", "version": "9.0.0" }',
  'provider.d.ts': 'export interface ProviderArgs { region?: pulumi.Input<string | undefined>; }',
  'storage/bucket.d.ts': `
    export declare class Bucket extends pulumi.CustomResource {
      static isInstance(obj: any): obj is Bucket;
      readonly url: pulumi.Output<string>;
    }
    export interface BucketState { gone?: pulumi.Input<string | undefined>; }
    export interface BucketArgs {
      name: pulumi.Input<string>;
      labels?: pulumi.Input<{ [key: string]: pulumi.Input<string>; } | undefined>;
      size?: pulumi.Input<string | undefined>;
      lifecycleRules?: pulumi.Input<pulumi.Input<inputs.storage.BucketLifecycleRule>[] | undefined>;
      /** New with 7. */
      deletionPolicy?: pulumi.Input<string | undefined>;
    }`,
  'types/input.d.ts': `
    export declare namespace storage {
      interface BucketLifecycleRule {
        /** The age. */
        age: pulumi.Input<number>;
        /** (Output) What came of it. */
        outcome?: pulumi.Input<string | undefined>;
      }
    }`,
};

const text = { type: 'string', optional: true } as const;
const before: Block = {
  attributes: {
    id: { type: 'string', optional: true, computed: true },
    name: text,
    labels: { type: ['map', 'string'], optional: true },
    size: { type: 'number', optional: true },
    url: text,
    gone: text,
  },
  block_types: {
    lifecycle_rule: {
      nesting_mode: 'list',
      block: { attributes: { age: { type: 'number', optional: true }, outcome: text }, block_types: {} },
    },
    website: { nesting_mode: 'list', block: {} },
    timeouts: { nesting_mode: 'single', block: {} },
  },
};

test('over a schema of 6, what Pulumi has not goes, what it demands is demanded, and what it only reads is read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gazeline-pulumi-'));
  try {
    for (const [name, contents] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), contents);
    }
    const under = {
      source: 'bindings',
      version: '6.50.0',
      provider: { version: 0, block: { attributes: { region: text } } },
      resource: { google_storage_bucket: { version: 0, block: before } },
      data: {},
    };
    const { schema, changes } = lay(folder, under);
    expect(schema.resource.google_storage_bucket?.block).toEqual({
      attributes: {
        id: { type: 'string', optional: true, computed: true },
        name: { type: 'string', required: true },
        labels: { type: ['map', 'string'], optional: true },
        size: { type: 'string', optional: true },
        url: { type: 'string', computed: true },
      },
      block_types: {
        lifecycle_rule: {
          nesting_mode: 'list',
          block: {
            attributes: {
              age: { type: 'number', required: true },
              outcome: { type: 'string', computed: true },
            },
            block_types: {},
          },
        },
        timeouts: { nesting_mode: 'single', block: {} },
      },
    });
    expect(changes.map((words) => words.split(':')[0])).toEqual(
      ['name', 'size', 'url', 'gone', 'lifecycle_rule.age', 'lifecycle_rule.outcome', 'website'].map(
        (path) => `google_storage_bucket.${path}`,
      ),
    );
    // Once more changes nothing more, and says where it is from once.
    const again = lay(folder, schema);
    expect(again).toEqual({ schema, changes: [] });
    expect(schema.source).toBe('bindings, under @pulumi/gcp 9.0.0');
  } finally {
    await rm(folder, { recursive: true });
  }
});
