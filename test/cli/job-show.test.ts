import { expect, test } from '@jest/globals';
import type { JobEvent } from '../../shared/jobs/advance.ts';
import { at, candidate, inserted, place, released, report, useJobs } from './useJobs.ts';

const used = useJobs();
const job = (name: string, more = '') =>
  `{name: ${name}, repository: "https://h/r", notebook: a.ipynb, parameters: {epochs: 3}, accelerators: [L4, cpu:4], ${more}}`;

const soldOut = (seconds: number, zone: string): JobEvent => ({
  at: at(seconds),
  type: 'tried',
  attempt: 1,
  try: {
    ...{ at: at(seconds), zone, machineType: 'g2-standard-8', accelerator: 'L4' },
    ...{ model: 'spot', requestId: 'r', hints: [] },
    ...{ kind: 'stock-out', scope: 'zone', words: `It is sold out in ${zone}.` },
  },
});

/** Fourteen zones are sold out, the first machine is taken away, the second brings the results. */
async function eventful(): Promise<string> {
  const { id } = await used.job(job('Eventful', 'limits: {hours: 2, money: 20}'));
  const zones = Array.from({ length: 14 }, (_, index) => `zone-${index}`);
  await used.happens(
    id,
    place(1),
    ...zones.map((zone, index) => soldOut(2 + index, zone)),
    inserted(1, 20),
    report(id, 1, 1, 30, { commit: 'ab'.repeat(20) }),
    report(id, 1, 2, 1820, {
      phase: 'finished',
      outcome: 'preempted',
      reason: 'Google took the machine back',
    }),
    released(1, 1820),
    place(1900),
    inserted(2, 1920, { ...candidate, model: 'standard', zone: 'us-east1-c' }),
    report(id, 2, 1, 1930, {
      ...{ cpu: 0.5, gpu: [{ name: 'NVIDIA L4', use: 0.25, memory: 8e9 }], freeDisk: 5e10 },
      lastLines: '\u001b[31mred\u001b[0m\nrow 1\rrow 2\u202e',
    }),
  );
  return id;
}

test('show tells what was asked for and got: machines, times, cost, reasons, the last report, the results', async () => {
  const id = await eventful();
  await used.happens(
    id,
    report(id, 2, 2, 5520, {
      phase: 'finished',
      outcome: 'succeeded',
      exitCode: 0,
      lastLines: '\u001b[31mred\u001b[0m\nrow 1\rrow 2\u202e',
    }),
    released(2, 5520),
  );
  const manifest = {
    attempt: 2,
    commit: '',
    files: [
      { path: 'a', size: 1000 },
      { path: 'b', size: 500 },
    ],
  };
  await used.write(`jobs/${id}/results/manifest.json`, JSON.stringify(manifest));
  const { code, out } = await used.run(['show', 'eventful'], { env: { TZ: 'UTC' } });
  expect(code).toBe(0);
  expect(out).toMatch(`${id}  ✓ succeeded\n`);
  expect(out).toMatch(/\n {2}submitted .* by zoë\n/);
  expect(out).toMatch(
    /\n {2}runs +notebook a\.ipynb\n {2}parameters +epochs=3\n {2}repository +https:\/\/h\/r at HEAD \(abababababab\)\n/,
  );
  expect(out).toMatch(/\n {2}wanted +1 × L4, else 4 vCPUs with 16 GB; spot: prefer; disk: 100 GB\n/);
  expect(out).toMatch(/\n {2}limits +2 hours, \$20\.00, 3 attempts\n/);
  // Half an hour and an hour at $4.
  expect(out).toMatch(/\n {2}cost +\$6\.00 by list price; on a local cloud nothing is really paid\n/);
  expect(out).toMatch(`\n  results     2 files, 1.50 kB, of attempt 2: gs://derived/jobs/${id}/results/\n`);
  expect(out).toMatch(
    /\nAttempt 1 {2}preempted: Google took the machine back\n {2}machine +g2-standard-8 \(L4\) in us-east1-b, spot\n/,
  );
  expect(out).toMatch(
    /\n {2}from +2026-01-01 00:00:20 to 2026-01-01 00:30:20 \(30 minutes\)\n {2}cost +\$2\.00\n/,
  );
  expect(out).toMatch(/\n {2}no machine +g2-standard-8 spot: sold out in 14 zones \(last at 00:00:15\)\n/);
  expect(out).toMatch(
    /\nAttempt 2 {2}succeeded\n {2}machine +g2-standard-8 \(L4\) in us-east1-c, on demand\n/,
  );
  expect(out).toMatch(
    /\nLast report {2}finished, number 2 of attempt 2, at .*\n {2}exit code +0\n {2}│ red\n {2}│ row 2�\n/,
  );
  expect(out).toMatch(/\n {2}2026-01-01 00:31:40 … placing +attempt 2\n/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no escape sequence comes through
  expect(out).not.toMatch(/[\u001b\r]/);

  const shown = JSON.parse((await used.run(['show', id, '--json'])).out);
  expect(shown).toMatchObject({
    record: { id, state: 'succeeded' },
    cost: { dollars: 6, complete: true },
    results: [{ files: 2 }],
  });
});

test('a job that runs shows its use; a price that is not known is unknown, and never zero', async () => {
  const { price: _, ...unpriced } = candidate;
  const { id } = await used.job(job('Unpriced'), place(1), inserted(1, 20, unpriced));
  await used.happens(
    id,
    report(id, 1, 1, 30, { cpu: 0.5, gpu: [{ name: 'NVIDIA L4', use: 0.25, memory: 8e9 }], freeDisk: 5e10 }),
  );
  const { out } = await used.run(['show', id]);
  expect(out).toMatch(
    /\n {2}use +CPU 50 %; NVIDIA L4 25 %, 8\.00 GB of its memory; 50\.0 GB of the disk free\n/,
  );
  expect(out).toMatch(/\n {2}cost +unknown by list price/);
  expect(out).toMatch(/\n {2}results +none yet\n/);
});

test('list has the newest first; a record that cannot be read hides no other; a beginning of an ID may be enough', async () => {
  const first = await used.job(job('Walk'));
  const second = await used.job(job('Walk', 'disk: 200'), { type: 'refuse', reason: 'too dear', at: at(1) });
  await used.records.write('jobs/broken.json', { id: 'broken' }, '0');
  const [words, json, several, none] = await Promise.all([
    used.run(['list']),
    used.run(['list', '--json']),
    used.run(['show', 'walk']),
    used.run(['logs', 'run']),
  ]);
  expect(words.code).toBe(1);
  expect(words.out).toMatch(
    new RegExp(`│ ${second.id} +│ ✗ refused +│ .*│ nothing +│ too dear +│\\n│ ${first.id} +│ … queued`),
  );
  expect(words.out).toMatch(
    /│ unpriced-\w+ +│ ▸ running +│ .* │ g2-standard-8 spot in us-east1-b +│ unknown +│/,
  );
  expect(words.err).toMatch(/^broken cannot be read: .*jobs\/broken\.json is not a record as expected/);
  const ids = (JSON.parse(json.out) as { id: string }[]).map(({ id }) => id);
  expect(ids.slice(0, 2)).toEqual([second.id, first.id]);
  expect(several).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^Several jobs begin so: walk-\w+, walk-\w+\. Write more/),
  });
  expect(none).toMatchObject({
    code: 2,
    err: 'There is no job run. npx gazeline job list --all shows them.\n',
  });
});

test('every verb has help with examples and exit codes', async () => {
  const verbs = ['submit', 'list', 'show', 'logs', 'cancel', 'retry'];
  const ran = await Promise.all(verbs.map((verb) => used.run([verb, '--help'])));
  for (const { code, out } of ran)
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/Exit code: [\s\S]*Examples:\n {2}npx gazeline job/),
    });
  expect(await used.run(['shwo'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean show?'),
  });
});
