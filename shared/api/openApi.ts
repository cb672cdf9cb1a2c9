import * as z from 'zod';
import type { Route } from './route.ts';

type Json = z.core.util.JSONType;
type JsonObject = Record<string, Json>;

const Problem = z.object({
  type: z.string(),
  title: z.string().optional(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** The OpenAPI document of a table of routes. https://spec.openapis.org/oas/v3.1.1.html */
export function openApiOf(routes: Route[], server?: string): JsonObject {
  const schemas: Schemas = {};
  const problem = jsonSchema(Problem, 'output', 'Problem', schemas);
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operationOf(route, schemas);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Gazeline',
      version: '1',
      description: 'The API of an eye-tracking lab. Errors are problems as in RFC 9457.',
    },
    ...(server ? { servers: [{ url: server }] } : {}),
    security: [{ idToken: [] }],
    paths,
    components: {
      securitySchemes: {
        idToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An ID token that Google has signed, whose audience is the address of this API.',
        },
      },
      schemas: { ...schemas, Problem: problem },
    },
  };
}

function operationOf(route: Route, schemas: Schemas): JsonObject {
  const { id, method, summary, role, parameters, query, body, answer, status = 200, csv } = route;
  const json = { 'application/json': { schema: jsonSchema(answer, 'output', `${id}Answer`, schemas) } };
  return {
    operationId: id,
    summary,
    'x-role': role,
    parameters: [
      ...parametersOf('path', parameters, id, schemas),
      ...parametersOf('query', query, id, schemas),
      ...(method === 'GET' ? [] : [idempotencyKey]),
    ],
    ...(body
      ? {
          requestBody: {
            required: !body.safeParse(undefined).success,
            content: { 'application/json': { schema: jsonSchema(body, 'input', `${id}Body`, schemas) } },
          },
        }
      : {}),
    responses: {
      [status]: {
        description: 'Done.',
        content: csv ? { ...json, 'text/csv': { schema: { type: 'string' } } } : json,
      },
      ...(method === 'GET' ? { 304: { description: 'As If-None-Match says, it is known.' } } : {}),
      default: {
        description: 'A problem.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function parametersOf(
  place: 'path' | 'query',
  schema: z.ZodObject | undefined,
  id: string,
  schemas: Schemas,
): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input', `${id}Parameters`, schemas) as {
    properties?: Record<string, JsonObject>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description ? { description } : {}),
    schema: property,
  }));
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same request gives the same answer, and nothing is done twice.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[\\x20-\\x7e]+$' },
};

type Schemas = Record<string, JsonObject>;

/**
 * What cannot be said in a JSON Schema, as what a transformation makes of something, is left open. What is used several
 * times in it goes to the document's own schemas: a reference begins at the root of the document.
 */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', name: string, schemas: Schemas): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const text = JSON.stringify(rest).replace(
    /"#\/\$defs\/([^"]+)"/g,
    (_match, defined: string) => `"#/components/schemas/${nameOf(defined)}"`,
  );
  const { $defs = {}, ...whole } = JSON.parse(text) as { $defs?: Schemas };
  for (const [defined, one] of Object.entries($defs)) schemas[nameOf(defined)] = one;
  return whole as JsonObject;

  // Those without a name are numbered in each schema anew.
  function nameOf(defined: string): string {
    return defined.replace(/^__schema/, name);
  }
}
