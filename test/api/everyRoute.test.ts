import { beforeAll, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { routes } from '../../shared/api/routes/index.ts';
import { keepDeadLetter } from '../../shared/deadLetters.ts';
import { arbitraryOf, type Schema } from './arbitraryOf.ts';
import { annotate, completedJob, put, useApi } from './useApi.ts';

const api = useApi();
const runs = Number(process.env.RUNS ?? 40);

type Parameter = { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: Schema };
type Operation = {
  parameters: Parameter[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
  responses: Record<string, { content?: { 'application/json': { schema: Schema } } }>;
};
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

let document: Document;
let ajv: Ajv2020;
/** What is there, for paths that lead somewhere. */
const known: Record<string, string[]> = { bucket: ['raw', 'derived'] };

beforeAll(async () => {
  document = (await api.ask('reader', 'GET', '/v1/openapi.json')).json;
  ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: 'openapi', ...document });
  await put('raw', 'stimuli/story.txt', 'A story.');
  await annotate('stimuli/story.txt', [
    { kind: 'word', label: '=1+1', confidence: null, span: { begin: 0, end: 4 } },
  ]);
  const { id } = (await api.ask('reader', 'POST', '/v1/datasets/raw/manifests', { body: { prefix: '' } }))
    .json;
  await keepDeadLetter(api.records, {
    id: '77',
    function: 'annotate',
    topic: 'stimulus-arrived',
    messageId: '77',
    deadAt: new Date().toISOString(),
    attributes: {},
    data: Buffer.from('{}').toString('base64'),
  });
  Object.assign(known, { id: [id, await completedJob(api), '77'], stimulus: ['stimuli/story.txt'] });
});

test('the document is one of OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
});

test('the document has every route', () => {
  const there = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(there.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
});

test.each(routes.map(({ method, path }) => ({ method, path })))(
  '$method $path fails on nothing that it is sent, and answers as its schema says',
  async ({ method, path }) => {
    const operation = document.paths[path]?.[method.toLowerCase()] as Operation;
    await fc.assert(
      fc.asyncProperty(requestOf(operation), async ({ parameters, body }) => {
        const answer = await api.ask('admin', method, urlOf(path, parameters), {
          ...(body === undefined ? {} : { body }),
          headers: headersOf(parameters),
        });
        if (answer.status >= 500)
          throw new Error(`${answer.status} ${answer.text} ${JSON.stringify(api.log.entries.slice(-3))}`);
        expect(faultsOf(operation, path, method, answer)).toEqual([]);
      }),
      { numRuns: runs, ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
    );
  },
  120_000,
);

type Sent = { parameters: (Parameter & { value: string })[]; body: unknown };

function requestOf({ parameters, requestBody }: Operation): fc.Arbitrary<Sent> {
  const values = parameters.map((parameter) => {
    const { name, required, schema } = parameter;
    const there = known[name] ?? [];
    const made = arbitraryOf(schema, document.components.schemas).map((value) =>
      typeof value === 'string' ? value.toWellFormed() : (JSON.stringify(value) ?? ''),
    );
    const value = there.length > 0 ? fc.oneof(fc.constantFrom(...there), made) : made;
    const one = value.map((text) => ({ ...parameter, value: text }));
    return required ? one : fc.option(one, { nil: undefined });
  });
  const body = requestBody
    ? fc.oneof(
        {
          weight: 20,
          arbitrary: arbitraryOf(requestBody.content['application/json'].schema, document.components.schemas),
        },
        { weight: 1, arbitrary: fc.constantFrom(undefined, '{', '') },
      )
    : fc.constant(undefined);
  return fc.record({
    parameters: fc.tuple(...values).map((all) => all.filter((one) => one !== undefined)),
    body,
  }) as fc.Arbitrary<Sent>;
}

function urlOf(path: string, parameters: Sent['parameters']): string {
  const textOfPath = (name: string) =>
    parameters.find((one) => one.in === 'path' && one.name === name)?.value;
  const filled = path.replace(/\{(\w+)\}/g, (_match, name: string) =>
    encodeURIComponent(textOfPath(name) ?? ''),
  );
  const query = new URLSearchParams(
    parameters.flatMap((one) => (one.in === 'query' ? [[one.name, one.value] as [string, string]] : [])),
  );
  return `${filled}?${query}`;
}

const headersOf = (parameters: Sent['parameters']) =>
  Object.fromEntries(
    parameters.flatMap((one) => (one.in === 'header' ? [[one.name.toLowerCase(), one.value]] : [])),
  );

function faultsOf(
  operation: Operation,
  path: string,
  method: string,
  { status, json, headers }: { status: number; json: unknown; headers: Record<string, string> },
): unknown[] {
  const pointer = (...parts: string[]) =>
    `openapi#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
  const isGood = operation.responses[status]?.content !== undefined;
  const place = isGood
    ? pointer(
        'paths',
        path,
        method.toLowerCase(),
        'responses',
        String(status),
        'content',
        'application/json',
        'schema',
      )
    : pointer('components', 'schemas', 'Problem');
  const type = isGood ? 'application/json' : 'application/problem+json';
  const validate = ajv.getSchema(place) as ValidateFunction;
  return [
    ...(headers['content-type'] === type ? [] : [headers['content-type']]),
    ...(validate(json) ? [] : (validate.errors ?? [])),
  ];
}
