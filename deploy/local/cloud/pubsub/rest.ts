import type { Request, Router } from 'express';
import express from 'express';
import { jsonBody } from '../jsonBody.ts';
import { loadProtoJson } from '../protoJson.ts';
import { invalid, notFound, unimplemented } from './errors.ts';
import { type HttpMethod, httpMethods, protosFile } from './protos.ts';
import type { Operations } from './pubsub.ts';

/** Base64 makes 10 MB longer. */
const longestBody = 15_000_000;

/** The door for JSON over HTTP: the same operations, under the paths that the protos give them. */
export function createRest(operations: Operations): Router {
  const loading = loadProtoJson(protosFile);
  return express
    .Router()
    .use(jsonBody(longestBody))
    .use(async function callOperation(request, response) {
      const method = httpMethods.find(
        ({ verb, path }) => verb.toUpperCase() === request.method && path.test(request.path),
      );
      if (!method) throw notFound(`The local Pub/Sub does not know ${request.method} ${request.path}`);
      const operation = operations[method.name];
      if (!operation) throw unimplemented(`The local Pub/Sub has no ${method.name}`);
      const json = await loading;
      const message = json.read(`google.pubsub.v1.${method.request}`, fieldsOf(request, method));
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const answer = await operation(message as never, gone.signal);
      // Over HTTP an operation without an answer gives an empty object.
      const type =
        method.response === 'Empty' ? 'google.protobuf.Empty' : `google.pubsub.v1.${method.response}`;
      response
        .type('json')
        .send(JSON.stringify(json.write(type, answer, { numericEnums: false }), withoutEmptyMaps));
    });
}

/** The request that the path, the query and the body make up together. */
function fieldsOf(request: Request, { verb, path, fields }: HttpMethod): object {
  const { pageSize, pageToken } = request.query;
  const query = Object.entries({ pageSize, pageToken }).filter(([, value]) => typeof value === 'string');
  const body = verb === 'get' || verb === 'delete' ? Object.fromEntries(query) : (request.body ?? {});
  const result: Record<string, unknown> = { ...(body as object) };
  const names = path.exec(request.path)?.slice(1) ?? [];
  fields.forEach((field, index) => {
    const name = decode(names[index] ?? '');
    const [outer = '', inner] = field.split('.');
    result[outer] = inner ? { ...(result[outer] as object), [inner]: name } : name;
  });
  return result;
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw invalid(`Invalid name: ${name}`);
  }
}

const maps = new Set(['labels', 'tags', 'attributes']);

/** Google leaves out a map with nothing in it; the serializer does not. */
const withoutEmptyMaps = (key: string, value: unknown) =>
  maps.has(key) && typeof value === 'object' && Object.keys(value ?? {}).length === 0 ? undefined : value;
