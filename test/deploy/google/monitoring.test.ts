import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const monitoring = read('deploy/google/terraform/monitoring.tf');
const sources = ['functions', 'shared'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(join(folder, name))),
);

/** A metric that counts lines nobody writes any more would be quiet for ever. */
test.each(
  [...monitoring.matchAll(/jsonPayload\.message=\\"([^"\\]+)\\"/g)].map(([, message = '']) => message),
)('some function still says “%s”', (message) => {
  const says = new RegExp(`log\\.\\w+\\('${message}'`);
  expect(sources.filter((source) => says.test(source))).toHaveLength(1);
});

test('the fields that metrics look at are written', () => {
  const fields = [...monitoring.matchAll(/EXTRACT\(jsonPayload\.(\w+)\)/g)].map(([, field]) => field);
  expect(new Set(fields)).toEqual(new Set(['function', 'lag', 'level', 'of']));
  const all = sources.join('\n');
  expect(all).toMatch(/log\.info\('caught up', \{ fileId: change\.fileId, lag \}\)/);
  expect(all).toMatch(/log\.warning\('the budget guard is at another level', \{ level: record\.level/);
});

test('every alert says where to read on', () => {
  const policies = monitoring.match(/^resource "google_monitoring_alert_policy"[\s\S]*?^}/gm) ?? [];
  expect(policies.length).toBeGreaterThan(3);
  for (const policy of policies) expect(policy).toMatch(/See \*[^*]+\* in docs\/operations\.md/);
});
