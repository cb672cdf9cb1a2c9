import type * as z from 'zod';
import type { Log } from '../log.ts';
import type { Caller } from './access.ts';
import type { Role } from './roles.ts';
import type { Tools } from './tools.ts';

export type Method = 'GET' | 'POST' | 'DELETE';

/** A request after it was looked at. */
export type Asked<Path, Query, Body> = {
  path: Path;
  query: Query;
  body: Body;
  caller: Caller;
  /**
   * The same for each repetition of one request, by its Idempotency-Key; else another one for each request. Of the
   * caller's own: nobody else's is the same.
   */
  key: string;
  log: Log;
};

type Shape = z.ZodObject;

/** One route of the API. Everything about it is here: the OpenAPI document is made of it, and so is the test of roles. */
export type Route<
  Path extends Shape = Shape,
  Query extends Shape = Shape,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> = {
  /** As a verb with its object: `listJobs`. */
  id: string;
  method: Method;
  /** `/v1/jobs/{id}` */
  path: string;
  /** The least that a caller has to be. */
  role: Role;
  /** Where some requests need more than others: what this one needs. */
  roleOf?: (asked: { query: z.output<Query>; body: z.output<Body> }) => Role;
  summary: string;
  parameters?: Path;
  query?: Query;
  body?: Body;
  answer: Answer;
  /** Of a good answer, if not 200. */
  status?: 201 | 202;
  /** Its answers are not kept, as they hold what is as good as a password: a repetition is done again. */
  isSecret?: true;
  /** The answer as a table, for who accepts `text/csv`. */
  csv?: (answer: z.output<Answer>) => string;
  handle: (
    asked: Asked<z.output<Path>, z.output<Query>, z.output<Body>>,
    tools: Tools,
  ) => Promise<z.output<Answer>>;
};

/** Checks a route against its schemas, and then forgets their types, so that routes can stand in one table. */
export const route = <
  Answer extends z.ZodType,
  Path extends Shape = z.ZodObject<Record<never, never>>,
  Query extends Shape = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
>(
  definition: Route<Path, Query, Body, Answer>,
): Route => definition as object as Route;
