import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Caller } from '../shared/api/access.ts';
import { answerOnce, type Once } from '../shared/api/answerOnce.ts';
import { type Door, identify } from '../shared/api/identify.ts';
import type { MatchRoute } from '../shared/api/matchRoute.ts';
import type { Pace } from '../shared/api/pace.ts';
import { readInput } from '../shared/api/readInput.ts';
import { problemOf, Refused } from '../shared/api/refused.ts';
import { reply, withEtag } from '../shared/api/reply.ts';
import { mayDo } from '../shared/api/roles.ts';
import type { Tools } from '../shared/api/tools.ts';
import type { Log } from '../shared/log.ts';
import { notYetIn } from '../shared/once.ts';
import { codeOf } from '../shared/storage/codeOf.ts';
import { BadRecord } from '../shared/storage/records.ts';
import type { Answer } from '../shared/trigger.ts';

export const ApiRequest = z.object({
  method: z.string(),
  path: z.string(),
  search: z.string().default(''),
  headers: z.looseObject({
    authorization: z.string().optional(),
    accept: z.string().optional(),
    'content-type': z.string().optional(),
    'if-none-match': z.string().optional(),
    'idempotency-key': z.string().optional(),
  }),
  body: z.string().optional(),
});
export type ApiRequest = z.infer<typeof ApiRequest>;

export type ApiDependencies = {
  door: Door;
  pace: Pace;
  matchRoute: MatchRoute;
  once: Omit<Once, 'records'>;
  tools: () => Promise<Tools>;
  log: Log;
};

/** The front door for people's programs. What a caller may not do, or does wrongly, is told as a problem (RFC 9457). */
export async function api(request: ApiRequest, dependencies: ApiDependencies): Promise<Answer> {
  try {
    return await answerTo(request, dependencies);
  } catch (error) {
    return problemOf(refusalOf(error, dependencies.log));
  }
}

async function answerTo(
  { method, path, search, headers, body: text }: ApiRequest,
  { door, pace, matchRoute, once, tools: openTools, log }: ApiDependencies,
): Promise<Answer> {
  const caller = await identify(headers.authorization, door, log);
  await pace(caller.email);
  const { route, written } = matchRoute(method, path);
  need(caller, route.role);
  const input = readInput(route, written, search, { type: headers['content-type'], text });
  if (route.roleOf) need(caller, route.roleOf(input));
  if (route.method !== 'GET') log.info('asked for', { route: route.id, by: caller.email });
  const tools = await openTools();
  const work = async (key: string) =>
    reply(route, await route.handle({ ...input, caller, key, log }, tools), headers.accept);
  if (route.method === 'GET') return withEtag(await work(randomUUID()), headers['if-none-match']);
  const givenKey = headers['idempotency-key'];
  if (givenKey === undefined) return work(randomUUID());
  const key = keyOf(caller, givenKey);
  return answerOnce({ key, request: [route.id, input], isSecret: route.isSecret ?? false }, () => work(key), {
    ...once,
    records: tools.records,
  });
}

function need({ role }: Caller, needed: Caller['role']): void {
  if (!mayDo(role, needed)) throw new Refused(403, `This needs the role ${needed}; yours is ${role}.`);
}

/** Of one caller, and without what was written: it goes into a name. */
function keyOf({ email }: Caller, key: string): string {
  if (!/^[\x20-\x7e]{1,200}$/.test(key))
    throw new Refused(400, 'Idempotency-Key is 1 to 200 printable characters.');
  return createHash('sha256').update(`${email}\n${key}`).digest('hex');
}

const isPassing = (status: number | undefined) =>
  status !== undefined && (status === 429 || (status >= 500 && status < 600));

function refusalOf(error: unknown, log: Log): Refused {
  if (error instanceof Refused) return error;
  const notYet = notYetIn(error);
  if (notYet) {
    log.warning('not yet', { reason: notYet.message });
    return new Refused(503, 'Not now; the same again is safe, a little later.', {
      headers: { 'retry-after': '5' },
    });
  }
  log.error('failed', { error });
  if (isPassing(codeOf(error)))
    return new Refused(503, 'A service that this needs does not answer now.', {
      headers: { 'retry-after': '10' },
    });
  if (error instanceof BadRecord)
    return new Refused(
      500,
      'What is written down of it is not as expected. The log of the function says what.',
    );
  return new Refused(500, 'It failed. The log of the function says why.');
}
