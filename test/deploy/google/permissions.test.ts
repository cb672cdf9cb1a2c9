import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { implied } from '../../../deploy/google/methods.ts';
import { elsewhere, names, tableOf, unexplained } from './permissions/elsewhere.ts';

/*
 * Of what functions may, some is not seen when a lab is at work (`permissions/observed.test.ts`), and some is asked for by
 * Google although no request of ours is called like it. All of that has its reason written down, and it is a reason for
 * something that is in the table.
 */
test.each(elsewhere)('$may by $by: there is such a right, its reason, and where it is used', async (row) => {
  for (const name of row.by) expect([name, tableOf(name)]).toEqual([name, expect.arrayContaining([row.may])]);
  expect(row.why.split(' ').length).toBeGreaterThan(5);
  if (row.source) expect(row.source).toMatch(/^https:\/\/cloud\.google\.com\//);
  const root = join(import.meta.dirname, '../../..');
  expect(await readFile(join(root, row.file), 'utf8')).toContain(row.words);
});

test('a right that is put into the table without being used, and without a reason, is found', () => {
  const nothing = new Set<string>();
  const api = tableOf('api');
  expect(unexplained('api', [...api, 'compute.instances.delete'], new Set(api))).toEqual([
    'compute.instances.delete',
  ]);
  // Others may, with reasons of their own.
  expect(unexplained('annotate', ['raw: storage.objects.list', 'tpu.nodes.list'], nothing)).toHaveLength(2);
  expect(unexplained('session-sweep', ['notebooks.instances.create'], nothing)).toHaveLength(1);
  expect(unexplained('machine-sweep', ['tpu.nodes.list'], nothing)).toEqual([]);
});

test('what Google asks for besides what a request is called, it says somewhere, and some function has it', () => {
  const all = new Set(names.flatMap((name) => tableOf(name).map((one) => one.replace(/^\w+: /, ''))));
  expect(implied.length).toBeGreaterThan(0);
  for (const { permission, why, source } of implied) {
    expect([permission, all.has(permission)]).toEqual([permission, true]);
    expect([permission, why.split(' ').length > 3]).toEqual([permission, true]);
    expect(source).toMatch(/^https:\/\/cloud\.google\.com\//);
  }
});
