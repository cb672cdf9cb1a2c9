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
  let at = 0;
  /** What matches here, behind spaces; nothing is passed over if it does not. */
  const take = (pattern: string): string | undefined => {
    const here = new RegExp(`\\s*(${pattern})`, 'iy');
    here.lastIndex = at;
    const found = here.exec(text);
    if (found) at = here.lastIndex;
    return found?.[1];
  };
  const need = (pattern: string): string => {
    const found = take(pattern);
    if (found === undefined) throw invalidField('filter', text, 'Invalid list filter expression.');
    return found;
  };
  const isAtEnd = () => text.slice(at).trim() === '';

  const either = (): Filter => {
    const parts = [every()];
    while (take('OR(?=[\\s(])') !== undefined) parts.push(every());
    return (resource) => parts.some((part) => part(resource));
  };
  const every = (): Filter => {
    const parts = [one()];
    while (!isAtEnd() && !/^\s*(\)|OR[\s(])/i.test(text.slice(at))) {
      take('AND(?=[\\s(])');
      parts.push(one());
    }
    return (resource) => parts.every((part) => part(resource));
  };
  const one = (): Filter => {
    if (take('NOT(?=[\\s(])|-') !== undefined) {
      const part = one();
      return (resource) => !part(resource);
    }
    if (take('\\(') === undefined) return comparison();
    const inner = either();
    need('\\)');
    return inner;
  };
  const comparison = (): Filter => {
    const field = need(`[a-z](?:[\\w.-]|${quoted})*`).replaceAll('"', '');
    const test = tests[need('!=|>=|<=|[=<>:]|(?:eq|ne)(?=\\s)').toLowerCase()];
    const value = unquoted(need(`${quoted}|'(?:[^'\\\\]|\\\\.)*'|[^\\s()]+`));
    return (resource) => test?.(valuesAt(resource, field), value) ?? false;
  };

  if (isAtEnd()) return () => true;
  const filter = either();
  if (!isAtEnd()) need('$');
  return filter;
}

const quoted = '"(?:[^"\\\\]|\\\\.)*"';
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
