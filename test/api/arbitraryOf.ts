import fc from 'fast-check';

export type Schema = {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
};

/** As JSON may write them: no UTF-8 has a lone half of a pair. */
const oddText = fc.constantFrom(
  '',
  ' ',
  '\ud800',
  '\0',
  '__proto__',
  '../..',
  '%2F',
  '=1+1',
  'ﬀ',
  '👩‍🔬',
  '\r\n',
);
const anyText = fc.oneof({ weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) }, oddText);

/** What may be sent where a schema says what is expected: mostly that, sometimes something else. */
export function arbitraryOf(schema: Schema, schemas: Record<string, Schema>): fc.Arbitrary<unknown> {
  const good = (one: Schema, depth: number): fc.Arbitrary<unknown> => {
    const inner = (next: Schema) => roughly(next, depth + 1);
    if (one.$ref)
      return depth > 8 ? fc.constant(null) : good(schemas[one.$ref.split('/').at(-1) ?? ''] ?? {}, depth + 1);
    if (one.const !== undefined) return fc.constant(one.const);
    if (one.enum) return fc.constantFrom(...one.enum);
    const ways = one.anyOf ?? one.oneOf;
    if (ways) return fc.oneof(...ways.map((way) => good(way, depth + 1)));
    const [type] = [one.type].flat();
    switch (type) {
      case 'string':
        return textOf(one);
      case 'integer':
        return fc.integer(rangeOf(one));
      case 'number':
        return fc.double({ ...rangeOf(one), noNaN: true });
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array': {
        const { minItems = 0, maxItems = 4 } = one;
        return fc.array(inner(one.items ?? {}), {
          minLength: minItems,
          maxLength: Math.max(minItems, Math.min(maxItems, 4)),
        });
      }
      case 'object': {
        const { properties = {}, required = [], additionalProperties } = one;
        const fields = Object.fromEntries(
          Object.entries(properties).map(([name, next]) => [name, inner(next)]),
        );
        const known = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
        if (typeof additionalProperties !== 'object') return known;
        const more = fc.dictionary(anyText, inner(additionalProperties), { maxKeys: 3 });
        return fc.tuple(known, more).map(([first, second]) => ({ ...second, ...first }));
      }
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  };
  const roughly = (one: Schema, depth: number): fc.Arbitrary<unknown> =>
    fc.oneof(
      { weight: 12, arbitrary: good(one, depth) },
      { weight: 1, arbitrary: fc.oneof(fc.jsonValue({ maxDepth: 1 }), oddText) },
    );
  return roughly(schema, 0);
}

function textOf({ pattern, format, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'date')
    return fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10));
  if (pattern)
    try {
      return fc.stringMatching(new RegExp(pattern));
    } catch {
      // It looks ahead, which is not supported.
    }
  return minLength > 0
    ? fc.string({
        unit: 'binary',
        minLength,
        maxLength: Math.min(Math.max(maxLength, minLength), minLength + 60),
      })
    : anyText;
}

function rangeOf({ minimum = -1e9, maximum = 1e9 }: Schema) {
  return { min: Math.max(minimum, -2147483648), max: Math.min(maximum, 2147483647) };
}
