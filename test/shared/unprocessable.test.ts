import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clients } from '../../shared/clients.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { keepProblem, listProblems, type Problem } from '../../shared/unprocessable.ts';
import { useLocalCloud } from '../localCloud.ts';

useLocalCloud();
let records: Records;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state');
});

const problem = (event: string, fields: Partial<Problem> = {}): Problem => ({
  function: 'file-sync',
  event,
  time: '2026-11-23T10:00:00.000Z',
  reason: 'it cannot work',
  input: { fileId: 'x' },
  ...fields,
});

async function kept(): Promise<Problem[]> {
  const problems: Problem[] = [];
  for await (const one of listProblems(records)) problems.push(one);
  return problems;
}

test('what was kept is listed, and a second delivery does not add to it', async () => {
  await keepProblem(records, problem('e1'));
  await keepProblem(records, problem('e1', { reason: 'again' }));
  expect(await kept()).toEqual([problem('e1')]);
});

test('a large input is cut, and says so; an absent one is absent', async () => {
  await keepProblem(records, problem('large', { input: 'x'.repeat(1_000_000) }));
  await keepProblem(records, problem('none', { input: undefined }));
  const problems = await kept();
  const large = problems.find(({ event }) => event === 'large')?.input as string;
  expect(large.length).toBeLessThan(17_000);
  expect(large).toMatch(/… \(1000002 characters\)$/);
  expect(problems.find(({ event }) => event === 'none')).not.toHaveProperty('input');
});

test('whatever an event is called, its problem is one record of its own below the function', async () => {
  const anyId = fc.oneof(
    fc.constantFrom('..', '.', '../../files/x', 'a/b', '%2F', '\ud800', '\r\n', '🙂'.repeat(900)),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 2000 }),
  );
  const before = (await kept()).length;
  const ids = [...new Set(fc.sample(anyId, { numRuns: 40, seed: 1 }))];
  for (const id of ids) await keepProblem(records, problem(id, { function: 'hostile' }));
  expect((await kept()).length).toBe(before + ids.length);
  for await (const name of records.list('')) {
    expect(name).toMatch(/^problems\/(file-sync|hostile)\/[^/\r\n]+\.json$/);
    expect(Buffer.byteLength(name)).toBeLessThan(1024);
  }
});

test('two ids that begin alike are two problems', async () => {
  const before = (await kept()).length;
  for (const end of ['a', 'b']) await keepProblem(records, problem('x'.repeat(600) + end));
  expect((await kept()).length).toBe(before + 2);
});
