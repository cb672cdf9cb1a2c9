import { invalidField } from '../computeError.ts';

/** Whether a resource, as it is shown, is wanted. */
export type Filter = (resource: object) => boolean;

/**
 * Reads a filter of Compute Engine: `labels.lab=x`, `(status = RUNNING) AND (name != "a")`, `labels.job:*`, and the older
 * `name eq "job-.*"`, whose value is a regular expression for the whole of it.
 * https://cloud.google.com/compute/docs/reference/rest/v1/instances/list
 * @throws 400
 */
export function parseFilter(text: string): Filter {
  const tokens = [
    ...text.matchAll(/\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|!=|>=|<=|[()=<>:]|[^\s()=<>:!"']+|\S)/g),
  ].map(([, token]) => token ?? '');
  let at = 0;
  const bad = () => invalidField('filter', text, 'Invalid list filter expression.');
  const take = () => tokens[at++] ?? '';
  const isNext = (...words: string[]) => words.includes(tokens[at]?.toUpperCase() ?? '');

  const either = (): Filter => {
    const parts = [every()];
    while (isNext('OR')) {
      at++;
      parts.push(every());
    }
    return (resource) => parts.some((part) => part(resource));
  };
  const every = (): Filter => {
    const parts = [one()];
    while (at < tokens.length && !isNext(')', 'OR')) {
      if (isNext('AND')) at++;
      parts.push(one());
    }
    return (resource) => parts.every((part) => part(resource));
  };
  const one = (): Filter => {
    if (isNext('NOT', '-')) {
      at++;
      const part = one();
      return (resource) => !part(resource);
    }
    if (!isNext('(')) return comparison();
    at++;
    const inner = either();
    if (take() !== ')') throw bad();
    return inner;
  };
  const comparison = (): Filter => {
    let field = take();
    // A key in quotation marks: labels."key"
    if (field.endsWith('.') && /^["']/.test(tokens[at] ?? '')) field += unquoted(take());
    const test = tests[take().toLowerCase()];
    // A value may hold what is an operator elsewhere, as an address does.
    let value = take();
    if (!/^["']/.test(value)) while (isNext(':', '=') || /^\/\//.test(tokens[at] ?? '')) value += take();
    if (!test || !/^[A-Za-z]/.test(field) || value === '' || value === ')') throw bad();
    const wanted = unquoted(value);
    return (resource) => test(valuesAt(resource, field), wanted);
  };

  if (text.trim() === '') return () => true;
  const filter = either();
  if (at < tokens.length) throw bad();
  return filter;
}

const unquoted = (token: string) =>
  /^["']/.test(token) ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token;

type Test = (values: string[], wanted: string) => boolean;
const orders = (compare: (order: number) => boolean): Test => {
  const order = (a: string, b: string) =>
    Number.isNaN(Number(a) - Number(b)) ? a.localeCompare(b) : Number(a) - Number(b);
  return (values, wanted) => values.some((value) => compare(order(value, wanted)));
};
const wholly = (pattern: string, value: string) => {
  try {
    return new RegExp(`^(?:${pattern})$`).test(value);
  } catch {
    throw invalidField('filter', pattern, 'Invalid regular expression.');
  }
};
const tests: { [operator: string]: Test } = {
  '=': (values, wanted) => values.includes(wanted),
  '!=': (values, wanted) => !values.includes(wanted),
  ':': (values, wanted) =>
    wanted === '*'
      ? values.length > 0
      : values.some((value) => value.toLowerCase().includes(wanted.toLowerCase())),
  '<': orders((order) => order < 0),
  '<=': orders((order) => order <= 0),
  '>': orders((order) => order > 0),
  '>=': orders((order) => order >= 0),
  eq: (values, wanted) => values.some((value) => wholly(wanted, value)),
  ne: (values, wanted) => !values.some((value) => wholly(wanted, value)),
};

/** All values at `scheduling.preemptible` or `disks.source`; of a list, each one's. A label's key may have no dot. */
function valuesAt(resource: unknown, field: string): string[] {
  const path = field.split('.');
  const found = path.reduce<unknown[]>(
    (values, key) =>
      values
        .flatMap((value) => (Array.isArray(value) ? value : [value]))
        .map((value) =>
          value && typeof value === 'object' ? new Map(Object.entries(value)).get(key) : undefined,
        ),
    [resource],
  );
  return found.flat().flatMap((value) => (value === undefined || value === null ? [] : [String(value)]));
}
