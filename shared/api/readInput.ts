import * as z from 'zod';
import { Refused } from './refused.ts';
import type { Route } from './route.ts';

export type Input = { path: never; query: never; body: never };

/**
 * What a request says, by the schemas of its route.
 * @throws Refused 400 with every fault, or 415
 */
export function readInput(
  { parameters, query, body }: Route,
  written: Record<string, string>,
  search: string,
  { type, text }: { type: string | undefined; text: string | undefined },
): Input {
  const faults: { path: string; message: string }[] = [];
  const check = (schema: z.ZodType, value: unknown, where: string) => {
    const checked = schema.safeParse(value);
    if (checked.success) return checked.data;
    for (const { path, message } of checked.error.issues)
      faults.push({ path: [where, ...path].map(String).join('.'), message });
    return undefined;
  };
  const input = {
    path: check(parameters ?? nothing, written, 'path'),
    query: check(query ?? nothing, queryOf(search), 'query'),
    body: body && check(body, jsonOf(type, text), 'body'),
  };
  if (faults.length > 0)
    throw new Refused(400, 'The request is not as expected.', { errors: faults.slice(0, mostFaults) });
  return input as Input;
}

const nothing = z.strictObject({});
const mostFaults = 50;

/** Of a name that comes twice, a list: no schema takes it. */
function queryOf(search: string): Record<string, string | string[]> {
  const all = Map.groupBy(new URLSearchParams(search), ([name]) => name);
  return Object.fromEntries(
    [...all].map(([name, [first, ...others]]) => [
      name,
      others.length > 0 ? [first, ...others].map((pair) => pair?.[1] ?? '') : (first?.[1] ?? ''),
    ]),
  );
}

function jsonOf(type: string | undefined, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (!/^application\/json\s*(;|$)/i.test(type ?? ''))
    throw new Refused(415, 'A body is JSON here, with content-type: application/json.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(400, 'The body is not JSON.');
  }
  if (isDeeperThan(mostDepth, value)) throw new Refused(400, 'The body is nested too deeply.');
  return value;
}

/** What comes after would follow it until the stack is full. */
const mostDepth = 64;

function isDeeperThan(most: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
