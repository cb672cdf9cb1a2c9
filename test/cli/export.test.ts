import { expect, test } from '@jest/globals';
import { exportToDrive } from '../../functions/export.ts';
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

test('an export is cancelled, and what was over already is told to be; one that cannot be read is named', async () => {
  await makeTopic();
  for (const name of ['a.csv', 'b.csv']) await used.put(name, name);
  const request = await used.to.request(used.prefix, used.here);
  used.to.publish.sent.length = 0;
  await exportToDrive(request, used.to.instance());
  const [first] = used.to.publish.sent.map(({ data }) => ExportRequested.parse(data));
  await exportToDrive(first as ExportRequested, used.to.instance());
  const cancelled = await run(['cancel', request.export]);
  expect(cancelled).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /^✓ export-\w+ is cancelled: 2 objects, 1 exported, 1 not exported, 5 B sent\.\nWhat was copied stays in “test \d”, https:/,
    ),
  });
  const done = await used.to.export(used.prefix, used.here);
  const [over, unknown] = await Promise.all([run(['cancel', done.id]), run(['cancel', 'export-none'])]);
  expect(over).toMatchObject({
    code: 1,
    out: `${done.id} is over: ✓ done. There is nothing to cancel.\n`,
  });
  expect(unknown.code).toBe(2);

  await used.to.records.write('exports/export-00000000dead.json', { state: 'elsewhere' }, '0');
  const listed = await run(['list']);
  expect(listed.code).toBe(1);
  expect(listed.err).toContain('export-00000000dead cannot be read: gs://state/exports/');
  expect(listed.out).toMatch(new RegExp(`${request.export} .*✗ cancelled .*1 of 2`));
  expect(listed.out).toContain(done.id);
});
