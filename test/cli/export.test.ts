import { expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { ExportRequested } from '../../shared/export/requestExport.ts';
import { useExport } from '../functions/exportKit.ts';
import { gazeline, type RunOptions } from './gazeline.ts';

const used = useExport();
const run = (args: string[], options?: RunOptions) => gazeline(['export', ...args], options);

async function makeTopic(): Promise<void> {
  const name = `projects/${used.cloud.project}/topics/export-requested`;
  await (await clients.pubsub()).projects.topics.create({ name }).catch(() => {});
}
/** Waits for a new export, and does what the function does. */
async function work(before: Set<string>): Promise<void> {
  for (;;) {
    for await (const name of used.to.records.list('exports/')) {
      if (before.has(name)) continue;
      before.add(name);
      const request = ExportRequested.parse({ export: name.slice('exports/'.length, -'.json'.length) });
      return used.to.deliver([request]);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('an export is asked for, watched, listed and shown', async () => {
  await makeTopic();
  await used.put('a.csv', 'one');
  await used.put('b.csv', 'two');
  await used.to.file(used.here, 'b.csv', 'theirs');
  const seen = new Set<string>();
  const [ran] = await Promise.all([run([used.prefix, used.here]), work(seen)]);
  expect(ran.out).toBe(
    `✓ 2 objects, 1 exported, 1 beside what is not ours, 6 B sent. In “test 0”, https://drive.google.com/drive/folders/${used.here}\n` +
      `${used.prefix}b.csv is there as b (gazeline).csv: a file that is not its export has its name\n`,
  );
  expect(ran.code).toBe(0);
  const [name = ''] = seen;
  const id = name.slice('exports/'.length, -'.json'.length);
  expect(ran.err).toContain(`It is asked for as ${id}.`);
  const [listed, shown, json] = await Promise.all([
    run(['list']),
    run(['show', id.slice(0, 12)]),
    run(['show', id, '--json']),
  ]);
  expect(listed.out).toMatch(new RegExp(`${id} .*✓ done .*just now|${id} .*✓ done .* ago`));
  expect(shown.out).toContain(`${id}  ✓ done`);
  expect(shown.out).toContain(`${used.prefix} → “test 0”`);
  expect(JSON.parse(json.out)).toMatchObject({
    id,
    counts: { exported: 1, conflict: 1 },
    troubles: [{ did: 'conflict' }],
  });
});

test('a shared drive is found by its name, and what fails has the code 1 and a reason', async () => {
  await makeTopic();
  const seen = new Set<string>();
  for await (const name of used.to.records.list('exports/')) seen.add(name);
  const [ran] = await Promise.all([run([used.prefix, 'Lab']), work(seen)]);
  expect(ran).toMatchObject({
    code: 1,
    out: `✗ No object of the derived bucket begins with “${used.prefix}”.\n`,
  });
  const unknown = await run([used.prefix, 'Nobody’s']);
  expect(unknown.code).toBe(2);
  expect(unknown.err).toContain('no shared drive');
});
