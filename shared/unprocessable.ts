import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Records } from './storage/records.ts';

/** This input can never work: its delivery is acknowledged, and the reason is kept where a person finds it. */
export class Unprocessable extends Error {
  override name = 'Unprocessable';
}

/** What a person is shown of an input that could not be processed. */
export const Problem = z.object({
  function: z.string(),
  /** The id of the event. */
  event: z.string(),
  time: z.iso.datetime(),
  reason: z.string(),
  /** The event's data, or the beginning of it; an event may have none. */
  input: z.unknown().optional(),
});
export type Problem = z.infer<typeof Problem>;

const inputLimit = 16_384;

export async function keepProblem(records: Records, problem: Problem): Promise<void> {
  const text = JSON.stringify(problem.input) ?? '';
  const input =
    text.length > inputLimit ? `${text.slice(0, inputLimit)}… (${text.length} characters)` : problem.input;
  // A redelivery finds the record there already, and that is fine: hence no look at the result.
  await records.write(nameOf(problem), { ...problem, input }, '0');
}

/** All problems that were kept, oldest first within a function. */
export async function* listProblems(records: Records): AsyncIterable<Problem> {
  for await (const name of records.list('problems/')) {
    const problem = await records.read(name, Problem);
    if (problem) yield problem.value;
  }
}

/** Event ids come from outside: nothing in them may make a folder or a name of its own. */
function nameOf({ function: name, event }: Problem): string {
  const id = encodeURIComponent(event.toWellFormed()).replaceAll('.', '%2E');
  if (id.length <= 500) return `problems/${name}/${id}.json`;
  return `problems/${name}/${id.slice(0, 400)}-${createHash('sha256').update(event).digest('hex')}.json`;
}
